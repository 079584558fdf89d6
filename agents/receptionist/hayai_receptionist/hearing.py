"""Hearing: everything that one message says, before anything is decided about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import caution, references, several, special, staff
from hayai_receptionist.contacts import contact_in
from hayai_receptionist.intents import Intent, intents
from hayai_receptionist.people import before_contact, name_in
from hayai_receptionist.polarity import Polarity, polarity
from hayai_receptionist.questions import Question, questions
from hayai_receptionist.services import Named, masked, named
from hayai_receptionist.talk import Wish
from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Window
from hayai_receptionist.words import clean, words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Talk
    from hayai_receptionist.when.window import Understanding

# A clause ends at a mark before a space, but not after a shortened word: "10 a.m. tomorrow", "Dr. Osei".
_CLAUSES = re.compile(
    r"(?<![.\s]\w\.)(?<!\b[DdMmSsJj]r\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bSt\.)(?<=[.?!;])\s+|\n+"
    r"|(?:,\s*|\s+)(?:and|but)\s+(?=(?:can|could|may|i|i'd|please|book|do|does|is|are|what|what's|how|where|when)\b)"
    r"|,\s+(?=(?:what|what's|how|where|do you|are you|is there)\b)",
    re.IGNORECASE,
)
_SAID_NO = re.compile(
    r"^\W*(?:no|nope|nah|naw|sorry|no thanks|no thank you|not that one|not really)"
    r"(?:\s*[,.!;:-]+\s*|\s+(?=\d|at\b|on\b|can\b|could\b|how\b|make\b|i\b|i'd\b|let\b|what\b|the\b|maybe\b|rather\b|please\b))",
    re.IGNORECASE,
)
# "the blue one" names no hour; "the afternoon around one" does, and "the first one" is the grammar's to read.
_THAT_ONE = re.compile(
    r"(\b(?:the|this|that)(?:(?:\s+[a-z'-]+){0,2}?\s+(?!(?:at|around|about|by|till|until|to|after|before|past|for|from|"
    r"first|next|earliest|soonest)\b)[a-z'-]+)?)\s+ones?\b(?!\s*(?:o'?clock|[ap]\.?m))",
    re.IGNORECASE,
)
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_NUMBERED = r"(?:the\s+)?(\d{1,2}(?:st|nd|rd|th)?)"
# "dec 16 or 17" is two dates; "dec 16 or 17:00" and "dec 16 or 5 pm" are not.
_OR_DAY = re.compile(rf"\b{_MONTH}\s+{_NUMBERED}\s+or\s+{_NUMBERED}\b(?!\s*(?::|[ap]\.?m|o'?clock))", re.IGNORECASE)
_DAY_OR = re.compile(rf"\b{_NUMBERED}\s+or\s+{_NUMBERED}\s+(?:of\s+)?{_MONTH}", re.IGNORECASE)
_ONE_QUESTION = re.compile(r"[^.!;?]*\?\W*")
"""A message that is one single question: "yes but can I still change it?"."""
_LONG_NUMBER = re.compile(r"\d{3}")
_REOPENS = re.compile(
    r"\b(?:also|too|as well|another|plus|instead|actually|rather|no|not|mean|meant|ones?|want)\b", re.IGNORECASE
)
"""What shows, while the person is asked about, that a word of a service's name is one."""
_ASKS_TO = frozenset({"book", "move", "cancel", "cannot"})
_MOVED_TO = re.compile(
    r"\b(?:re-?schedul\w*|mov\w+|chang\w+|switch\w*|push\w*|postpon\w+|shift\w*|swap\w*|bring)\b(.*?)\b(?:to|till|until|for)\b(.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class When:
    """What a message says about time, in instants."""

    wishes: tuple[Wish, ...] = ()
    readings: tuple[Wish, ...] = ()
    question: str = ""
    """What to ask where there is doubt; empty where there is none."""
    has_date: bool = False
    has_time: bool = False

    def __bool__(self) -> bool:
        return bool(self.wishes or self.question)


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

    def of(self, *any_of: Intent) -> bool:
        """Whether the message is about one of these."""
        return bool(self.intents & set(any_of))


def listen(text: str, talk: Talk, desk: Desk) -> Heard:
    """Take one message apart in the light of where the talk stands."""
    plain = clean(text)
    asked, request = _parted(plain, desk)
    contact, contact_span = contact_in(request)
    request = masked(request, [contact_span] if contact_span else [])
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


def _parted(plain: str, desk: Desk) -> tuple[tuple[Question, ...], str]:
    """The questions of a message, and the text of its other clauses."""
    asked: list[Question] = []
    request: list[str] = []
    for clause in _CLAUSES.split(plain):
        about = [_carried(each, asked) for each in questions(clause, desk)]
        asked += about
        wanted = staff.named(clause, desk.staff())
        if wanted and not about:
            asked.append(Question("staff", clause))
        plainly = all(each.topic not in {"policy", "staff"} for each in about)
        asks_to = plainly and _ASKS_TO & intents(words(masked(clause, named(clause, desk.services).marks)))
        if not about or asks_to:
            request.append(masked(clause, wanted))
    return tuple(asked), " ".join(request)


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


def when(text: str, talk: Talk | None, desk: Desk) -> When:
    """What `text` says about time; a lone "at 4" belongs to the day under discussion."""
    context = _context(talk, desk) if talk else None
    text = _THAT_ONE.sub(r"\1", text)
    text = _OR_DAY.sub(r"\1 \2 or \1 \3", _DAY_OR.sub(r"\3 \1 or \3 \2", text))
    text = references.bare(special.dated(text, desk))
    text = _SAID_NO.sub("", text)  # "no, 4 pm" wants 4 pm; "no mornings" goes to the grammar as it is
    understood = understand(text, now=desk.local(desk.now), hours=_hours(desk), context=context)
    dated = understood.has_date or context is not None
    wishes = tuple(_wish(each, desk, dated=dated) for each in understood.windows)
    if understood.confidence >= SURE or (wishes and not understood.choices and all(w.end <= desk.now for w in wishes)):
        return When(wishes, has_date=understood.has_date, has_time=understood.has_time)
    return _doubt(understood, desk)


def _doubt(understood: Understanding, desk: Desk) -> When:
    readings = tuple(_wish(each, desk) for each in understood.choices)
    question = understood.question or "Which day and time would suit you?"
    return When((), readings, question, understood.has_date, understood.has_time)


def _wish(window: Window, desk: Desk, *, dated: bool = True) -> Wish:
    start, end = (_instant(each, desk) for each in (window.start, window.end))
    return Wish(start=start, end=end, precise=window.precise, dated=dated)


def _instant(moment: datetime, desk: Desk) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=desk.zone)).astimezone(UTC)


def _context(talk: Talk, desk: Desk) -> Window | None:
    """The time under discussion: the start that was chosen, or the one day that all offers or wishes lie on."""
    if talk.start:
        start = desk.local(talk.start)
        return Window(start, start + timedelta(minutes=1), precise=True)
    if talk.stage == "time" and talk.seen:
        return _day_of(desk.local(talk.seen[-1]).date(), desk)
    spans = [(each, each) for each in talk.offers] or [(each.start, each.end) for each in talk.wishes]
    days = {desk.local(start).date() for start, _ in spans}
    days |= {desk.local(end - timedelta(microseconds=1)).date() for start, end in spans if end > start}
    if len(days) != 1:
        return None
    return _day_of(days.pop(), desk)


def _day_of(day: date, desk: Desk) -> Window:
    return Window(desk.midnight(day), desk.midnight(day + timedelta(days=1)), precise=False)


def _hours(desk: Desk) -> Hours:
    schedule = desk.business.schedule
    weekly = {day: tuple((o.opens, o.closes) for o in spans) for day, spans in schedule.hours.items() if spans}
    return Hours(weekly, frozenset(each.day for each in schedule.exceptions if not each.openings))


def dates(text: str, desk: Desk, most: int = 3) -> list[date]:
    """The days that `text` names, at most `most`."""
    found = when(text, None, desk)
    if not found.has_date:
        return []
    return list(_days(found.wishes or found.readings, desk))[:most]


def _days(wishes: Iterable[Wish], desk: Desk) -> dict[date, None]:
    days: dict[date, None] = {}
    for wish in wishes:
        day = desk.local(wish.start).date()
        while desk.midnight(day) < wish.end and len(days) < 8:  # noqa: PLR2004 - a week says it all
            days[day] = None
            day += timedelta(days=1)
    return days
