"""Questions: what a clause asks beside appointments. A clause that asks says nothing about the customer's wishes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hayai_receptionist import caution, staff
from hayai_receptionist.contacts import contact_in
from hayai_receptionist.intents import intents
from hayai_receptionist.services import masked, named
from hayai_receptionist.words import spans, words, wordset

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk

Topic = Literal[
    "hours", "address", "phone", "price", "services", "own", "policy", "staff", "length", "ahead", "now", "date",
    "lunch", "unknown",
]  # fmt: skip
_SHORT = 3
_OPENERS = wordset("do does is are can what what's how where when which who will have")
_PATTERNS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    ("ahead", re.compile(r"\bhow (?:far|long|much|early) (?:out|ahead|in advance)\b", re.IGNORECASE)),
    (
        "length",
        re.compile(
            r"\bhow long\b(?!.*\b(?:open|keep|hold|until|till|before|wait\w*|get there|drive|ago|have you)\b)"
            r"|\bhow many (?:minutes|hours)\b",
            re.IGNORECASE,
        ),
    ),
    ("price", re.compile(r"\b(?:cheapest|least expensive|most expensive|dearest)\b", re.IGNORECASE)),
    (
        "lunch",
        re.compile(
            r"\b(?:open|closed?|closing|there|work\w*)\b[^?]*\b(?:lunch\w*|mid-?day)\b|\bwhen is (?:your |the )?lunch",
            re.IGNORECASE,
        ),
    ),
    ("now", re.compile(r"\bopen (?:right |just )?now\b|\bopen at the moment\b|\bcurrently open\b", re.IGNORECASE)),
    (
        "date",
        re.compile(
            r"\bwhat(?:'s| is)? (?:the )?(?:day|date)(?: is it)?(?: today)?\W*\Z|\btoday's date\b", re.IGNORECASE
        ),
    ),
)
"""Questions that are told by how they are put."""
_ASKED_ABOUT = wordset(
    """
    how much many is are am was do does did you your yours i we it its it's that that's this these those they them the a
    an for of to on in at by with what what's whats which who kind kinds type types cost costs price prices pricing
    priced charge charges charged fee fees rate rates quote expensive cheap cheaper cheapest most least run pay owe
    would will can could should be get have has had offer offers provide services service treatments treatment list all
    any anything else other others me my tell know about please hi hello hey thanks so and or but then now one ones book
    dollars there here want need like just also really today usually roughly total per each ballpark idea ok okay
    altogether long take takes last lasts minute minutes hour hours
    same time times appointment appointments visit visits session sessions if when free does doing run runs
    """
)
_TOPICS: tuple[Topic, ...] = ("price", "hours", "address", "phone", "services")


@dataclass(frozen=True)
class Question:
    """A topic and the clause that asked; for `own`, the place of the business's own answer."""

    topic: Topic
    clause: str = field(repr=False)
    services: tuple[str, ...] = ()
    answer: int = 0

    @property
    def strange(self) -> bool:
        """Whether it asks for something that the business does not name: "do you do roofs?"."""
        told = words(self.clause)
        return not self.services and any(each not in _ASKED_ABOUT and not each.isdigit() for each in told)


def questions(clause: str, desk: Desk) -> list[Question]:
    """What a clean clause asks, if anything."""
    if caution.about_cancelling(clause):
        return [Question("policy", clause)]
    if staff.asked(clause, desk.staff):
        return [Question("staff", clause)]
    mentioned = named(clause, desk.services)
    for topic, pattern in _PATTERNS:
        if pattern.search(clause):
            return [Question(topic, clause, mentioned.ids)]
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
