"""Hearing: everything that one message says, before anything is decided about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import caution, references, several, staff
from hayai_receptionist.contacts import contact_in
from hayai_receptionist.intents import Intent, intents
from hayai_receptionist.people import before_contact, name_in
from hayai_receptionist.polarity import Polarity, polarity
from hayai_receptionist.questions import Question, questions
from hayai_receptionist.services import Named, masked, named
from hayai_receptionist.timing import When, when
from hayai_receptionist.words import clean, words

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Following, Talk

# A clause ends at a mark before a space, but not after a shortened word: "10 a.m. tomorrow", "Dr. Osei".
_CLAUSES = re.compile(
    r"(?<![.\s]\w\.)(?<!\b[DdMmSsJj]r\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bSt\.)(?<=[.?!;])\s+|\n+"
    r"|(?:,\s*|\s+)(?:and|but)\s+(?:(?:then|also)\s+)?"
    r"(?=(?:can|could|may|i|i'd|please|book|do|does|is|are|what|what's|how|where|when|tell me|let me know)\b)"
    r"|,\s+(?=(?:what|what's|how|where|do you|are you|is there|is it|is that|will you|will it)\b)",
    re.IGNORECASE,
)
_ONE_QUESTION = re.compile(r"[^.!;?]*\?\W*")
"""A message that is one single question: "yes but can I still change it?"."""
_PUT = re.compile(
    r"\W*(?:is|are|do|does|did|will|would|should|has|have|why|who|what|how|where|am|must)\b", re.IGNORECASE
)
_TOLD = 4
"""A question of fewer words asks about what is being talked about: "is that ok?"."""
_LONG_NUMBER = re.compile(r"\d{3}")
_REOPENS = re.compile(
    r"\b(?:also|too|as well|another|plus|instead|actually|rather|no|not|mean|meant|ones?|want)\b", re.IGNORECASE
)
"""What shows, while the person is asked about, that a word of a service's name is one."""
_ASKS_TO = frozenset({"book", "move", "cancel", "cannot"})
_OF_BOOKED = frozenset({"move", "cancel", "cannot", "mine"})
"""What a message is about that names services booked before."""
_MOVED_TO = re.compile(
    r"\b(?:re-?schedul\w*|mov\w+|chang\w+|switch\w*|push\w*|postpon\w+|shift\w*|swap\w*|bring)\b(.*?)\b(?:to|till|until|for)\b(.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Heard:
    """One message, taken apart. The text of its questions is not among its wishes."""

    text: str = field(repr=False)
    said: tuple[str, ...] = field(repr=False)
    """The words of its request."""
    intents: frozenset[Intent]
    questions: tuple[Question, ...]
    services: tuple[str, ...]
    polarity: Polarity
    when: When
    which: When
    """For a move: the time that tells which appointment is meant ("my Tuesday one to Friday")."""
    name: str = field(default="", repr=False)
    contact: str = field(default="", repr=False)
    refused: tuple[str, ...] = ()
    """The services that are named only to say that they are not meant."""
    count: int = 1
    """How many of the service are wanted."""
    further: tuple[Following, ...] = ()
    """What is to be booked besides."""
    beside: str = ""
    """The service of an appointment that only tells the time: "right after my checkup"."""
    staff: str = ""
    """Whom the customer would like to see."""
    unwanted: str = ""
    """Whom they would rather not see."""

    def of(self, *any_of: Intent) -> bool:
        """Whether the message is about one of these."""
        return bool(self.intents & set(any_of))


def listen(text: str, talk: Talk, desk: Desk) -> Heard:
    """Take one message apart in the light of where the talk stands."""
    plain = clean(text)
    asked, clauses = _parted(plain, desk)
    request = several.SEAM.join(clauses)
    request = masked(request, [each.span for each in staff.named(request, desk.staff)])
    contact, contact_span = contact_in(request)
    request = masked(request, [contact_span] if contact_span else [])
    request, beside = references.anchoring(request, desk.services, talk.service)
    services = named(request, desk.services)
    count, figure = several.counted(request, services.marks)
    without = masked(request, (*services.marks, *([figure] if figure else [])))
    name, name_span = name_in(without)
    without = masked(without, [name_span] if name_span else [])
    if contact_span and not name and (name := before_contact(without[: contact_span[0]])):
        without = masked(without, [_last(without, name, contact_span[0])])
    if not services.marks:  # a part of somebody's name is no hint: "Robert Ray" wants no x-ray
        services = named(without, desk.services)
    which, wanted = _which_and_when(without)
    about = caution.tempered(without, intents(words(without)))
    further: tuple[Following, ...] = ()
    parts = several.parted(masked(request, [name_span] if name_span else []), desk.services)
    if parts and not services.refused and not about & _OF_BOOKED:
        services = Named((parts[0].service,), services.marks)
        wanted, further = several.timed(parts, without, desk)
        count = count if figure else 1
    wanted = caution.unstated(wanted)
    timed = When() if _no_time(without, plain, talk, desk) else when(wanted, talk, desk)
    return Heard(
        text=plain,
        said=words(without),
        intents=about,
        questions=asked,
        services=_meant(without, services, asked, talk, timed),
        polarity=_polarity(without, about, plain),
        when=timed,
        which=when(which, None, desk) if which else When(),
        name=name,
        contact=contact,
        refused=services.refused,
        count=count,
        further=further,
        beside=beside,
        staff=staff.wanted(clauses, desk.staff),
        unwanted=staff.wanted(clauses, desk.staff, refused=True),
    )


def _polarity(request: str, about: frozenset[Intent], plain: str) -> Polarity:
    """Yes or no, and neither for a question, for "not yet", or for "no, I have no phone"."""
    asking = _asks(request) or (bool(_ONE_QUESTION.fullmatch(plain)) and words(plain) != ("why", "not"))
    doubtful = "unsure" in about or asking or caution.unreachable(request)
    return "" if doubtful else polarity(words(request))


def _last(text: str, name: str, end: int) -> tuple[int, int]:
    """Where a name stands last before `end`; the case of letters may differ."""
    first = name.split(maxsplit=1)[0].casefold()
    return max(text.casefold().rfind(first, 0, end), 0), end


def _no_time(request: str, plain: str, talk: Talk, desk: Desk) -> bool:
    """Whether figures or a date in a message are no wish: half a telephone number, or a check of what is held."""
    step = desk.business.schedule.step // timedelta(minutes=1)
    digits = "".join(each for each in request if each.isdigit())
    odd = len(digits) > 2 and (int(digits[-2:]) % step > 0 or digits[-2:] > "59")  # noqa: PLR2004 - no minutes of a start
    late = talk.stage == "confirm" and (odd or (talk.waived and bool(_LONG_NUMBER.search(request))))
    number = (talk.stage == "contact" or late) and _only_digits(request)
    if caution.puts_off(plain):
        return True
    return number or (talk.stage == "confirm" and caution.checks(plain))


def _parted(plain: str, desk: Desk) -> tuple[tuple[Question, ...], list[str]]:
    """The questions of a message, and its other clauses."""
    asked: list[Question] = []
    request: list[str] = []
    for clause in _CLAUSES.split(plain):
        about = [_carried(each, asked) for each in questions(clause, desk)]
        if not about and clause != plain and _puzzles(clause, desk):
            about = [Question("unknown", clause)]
        asked += about
        plainly = all(each.topic not in {"policy", "staff"} for each in about)
        asks_to = plainly and _ASKS_TO & intents(words(masked(clause, named(clause, desk.services).marks)))
        if not about or asks_to:
            request.append(clause)
    return tuple(asked), request


def _puzzles(clause: str, desk: Desk) -> bool:
    """Whether a clause beside others asks for something that nobody here knows: "is it ok if I'm late?"."""
    if not clause.endswith("?") or not _PUT.match(clause) or len(words(clause)) < _TOLD:
        return False
    known = named(clause, desk.services).ids or staff.named(clause, desk.staff) or intents(words(clause))
    return not known and not when(clause, None, desk)


def _carried(question: Question, before: list[Question]) -> Question:
    """After "Do you do washes?" the price that is asked for is theirs."""
    if question.topic == "price" and not question.services and before:
        return replace(question, services=before[-1].services)
    return question


def _meant(request: str, services: Named, asked: tuple[Question, ...], talk: Talk, timed: When) -> tuple[str, ...]:
    """The services that the request is about; a word that two names share is no change of mind about a chosen one."""
    hinted = not talk.service or talk.task == "none"
    if len(services.ids) == 1 and (talk.stage not in {"name", "contact"} or _REOPENS.search(request)):
        hinted = True  # one word of it is enough where no other service has that word
    if services.marks or (services.ids and hinted):
        return services.ids
    told = tuple(dict.fromkeys(id_ for each in asked for id_ in each.services))
    return told if timed.wishes and not talk.service and len(told) == 1 else ()


def _asks(request: str) -> bool:
    """Whether a request is put as a question: "is 3 ok?" is no yes, and neither is "ok?"."""
    return "?" in request and words(request) != ("why", "not")


def _only_digits(text: str) -> bool:
    """Whether an answer to "How can we reach you?" is a try at a number, and no clock time."""
    return not any(each.isalpha() or each == ":" for each in text)


def _which_and_when(request: str) -> tuple[str, str]:
    """For "move my Tuesday one to Friday", what tells the appointment and what tells the time; else all is time."""
    found = _MOVED_TO.search(request)
    return (found[1], found[2]) if found else ("", request)
