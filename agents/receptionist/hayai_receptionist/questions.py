"""Questions: what a clause asks beside appointments. A clause that asks says nothing about the customer's wishes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hayai_receptionist import caution, staff
from hayai_receptionist.intents import intents
from hayai_receptionist.people import contact_in
from hayai_receptionist.services import masked, named
from hayai_receptionist.words import spans, words, wordset

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk

Topic = Literal["hours", "address", "phone", "price", "services", "own", "policy", "staff"]
_SHORT = 3
_OPENERS = wordset("do does is are can what what's how where when which who will have")
_TOPICS: tuple[Topic, ...] = ("price", "hours", "address", "phone", "services")


@dataclass(frozen=True)
class Question:
    """A topic and the clause that asked; for `own`, the place of the business's own answer."""

    topic: Topic
    clause: str = field(repr=False)
    services: tuple[str, ...] = ()
    answer: int = 0


def questions(clause: str, desk: Desk) -> list[Question]:
    """What a clean clause asks, if anything."""
    if caution.about_cancelling(clause):
        return [Question("policy", clause)]
    if staff.asked(clause, desk.staff()):
        return [Question("staff", clause)]
    mentioned = named(clause, desk.services)
    services = mentioned.ids if mentioned.marks else ()
    hinted = services or (mentioned.ids if len(mentioned.ids) == 1 else ())
    about = intents(words(masked(clause, mentioned.marks)))
    said = words(clause)
    own = [place for place, each in enumerate(desk.business.answers) if _touches(each.about, said)]
    found = [Question("own", clause, services, place) for place in own if _asks(clause, said)]
    topics: list[Topic] = [topic for topic in _TOPICS if topic in about]
    if said[:1] == ("hours",) and len(said) <= _SHORT and "hours" not in topics:
        topics.append("hours")
    if contact_in(clause)[0]:  # "my phone number is ..." tells, it does not ask
        topics = [topic for topic in topics if topic not in {"phone", "address"}]
    return found + [
        Question(topic, clause, hinted if topic == "price" else services)
        for topic in topics
        if not (found and topic == "services")
    ]


def _asks(clause: str, said: tuple[str, ...]) -> bool:
    """Whether a clause is a question; "for my children, at 3" only mentions them."""
    return "?" in clause or len(said) <= _SHORT or said[0] in _OPENERS


def _touches(about: tuple[str, ...], said: tuple[str, ...]) -> bool:
    return any(list(spans(words(phrase), said)) for phrase in about)
