"""Naming: the answers to "What is your name?" and "How can we reach you?", and what happens where none comes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hayai_receptionist import caution, contacts, people
from hayai_receptionist.polarity import ordinary
from hayai_receptionist.services import masked
from hayai_receptionist.timing import when
from hayai_receptionist.words import wordset

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_NOT_MINE = re.compile(
    r"\b(?:not my (?:real |full )?name|wrong name|that(?:'s| is) not me"
    r"|name(?:'s| is) (?:wrong|not right|incorrect|misspelled))\b",
    re.IGNORECASE,
)
_PATIENCE = 2
"""How often a name or a contact is asked for before the booking goes on without one."""


_ASKING = wordset("is are do does did can could will would what why when where how who which")


def told(talk: Talk, heard: Heard, desk: Desk) -> str:
    """The name in an answer to the question for it, or in a later message while there is none; else empty."""
    late = talk.nameless and talk.stage in {"contact", "confirm"} and not (heard.intents or heard.polarity)
    if heard.services or heard.name or caution.declines(heard.text) or not (talk.stage == "name" or late):
        return ""
    span = contacts.contact_in(heard.text)[1]
    answer = masked(heard.text, [span] if span else [])
    return people.bare_name(answer) or _unusual(answer, talk, desk)


def mistaken(talk: Talk, heard: Heard) -> bool:
    """Whether the customer says that the name which was understood is not theirs; "no" right after it does."""
    if not talk.name or heard.name or talk.stage not in {"contact", "confirm"}:
        return False
    plain_no = talk.named and talk.stage == "contact" and heard.polarity == "no" and ordinary(heard.said)
    return bool(_NOT_MINE.search(heard.text)) or plain_no


def _unusual(answer: str, talk: Talk, desk: Desk) -> str:
    """A name with a word in it that means something else: "Sunny Day", "Dr. March"."""
    if "?" in answer:
        return ""
    parts = people.unusual_name(people.answer_words(answer), loosely=talk.refusals > 0)
    timed = any(when(each, None, desk) for each in people.telling(parts))
    return people.written(parts) if parts and not timed else ""


def answered(talk: Talk, heard: Heard) -> tuple[Talk, str] | tuple[Talk] | tuple[None]:
    """`talk` after an answer about the person and what to say to it; None where the message is no such answer."""
    if heard.name or heard.contact:
        return (talk.but(refusals=0),)
    if talk.stage == "contact" and (caution.unreachable(heard.text) or caution.declines(heard.text)):
        return talk.but(waived=True, refusals=0), "All right, we can do without."
    if caution.declines(heard.text):
        return talk.but(nameless=True, refusals=0), "All right, we can do without."
    if not _tries(heard):
        return (None,)
    if talk.refusals + 1 >= _PATIENCE:
        asked = {"waived": True} if talk.stage == "contact" else {"nameless": True}
        return talk.but(refusals=0, **asked), "All right, we can sort that out later."
    short = talk.stage == "contact" and any(each.isdigit() for each in heard.text)
    lead = "That does not look like a whole number or address." if short else "I did not catch that."
    return talk.but(refusals=talk.refusals + 1), lead


def _tries(heard: Heard) -> bool:
    """Whether a message may be meant as the answer; nothing that asks or wants something else counts as one."""
    wordless = not any(each.isalnum() for each in heard.text)
    asking = heard.said[:1] and heard.said[0] in _ASKING
    elsewhere = (
        asking or "?" in heard.text or heard.questions or heard.services or heard.when or heard.polarity == "yes"
    )
    return not (wordless or elsewhere or heard.intents - {"greet", "later", "instead"})
