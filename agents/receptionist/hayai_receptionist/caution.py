"""Caution: words that look like a command or an answer and are none: "can I cancel later?", "I don't have a phone"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hayai_receptionist.intents import Intent

_NOT_CANCELLING = re.compile(
    r"\b(?:don't|dont|do not|not|never|without|didn't|did not|won't|no need|no intention)\s+"
    r"(?:(?:to|want|wish|need|like|going|mean|planning|really|asking|have|actually|trying|of|gonna|wanna)\s+){0,3}cancel",
    re.IGNORECASE,
)
_IF_CANCELLING = re.compile(
    r"\bcancell?ation\s+(?:polic|fee|charge|rule|term|period|deadline)|\b(?:if|when|once)\s+(?:i|we|somebody|someone)\s+(?:\w+\s+){0,3}cancel"
    r"|\bcancel\w*\b.*\b(?:later|if|the day before|last[- ]minute|in case|free of charge|for free|any ?time|up to"
    r"|short notice|policy|fee|penalty)\b"
    r"|\b(?:how|what happens|still|possible to|allowed to|charge|fee|penalty|policy)\b.*\bcancel",
    re.IGNORECASE,
)
_IF_MOVING = re.compile(
    r"\b(?:still|able to|allowed to|possible to|if i|how often can i|always)\s+(?:\w+\s+){0,2}"
    r"(?:change|move|reschedule|rebook|switch|postpone)\b"
    r"|\b(?:change|move|reschedule|switch|postpone)\s+(?:\w+\s+){0,3}(?:afterwards|later on|if|in case|again)\b",
    re.IGNORECASE,
)
_TO_WHEN = re.compile(
    r"\b(?:to|for|until|till)\s+(?!change|move|reschedule|rebook|switch|postpone)\w|\d|\bearlier\b|day\b", re.IGNORECASE
)
"""A clause that says where to is a wish after all: "is it possible to move it to Friday?"."""
_NO_WAY_TO_REACH = re.compile(
    r"\b(?:no|don't have|do not have|dont have|haven't got|without|neither|nor|not got)\s+(?:(?:an?|any|my|own)\s+)?"
    r"(?:e-?mail|mail|phone|telephone|mobile|cell|number|contact)",
    re.IGNORECASE,
)
_DECLINING = re.compile(
    r"\b(?:rather not|prefer not|don't want to|do not want to|won't|not going to|not comfortable)"
    r"(?: to)?(?: say| tell| give| share| leave)?\b(?!.*\b(?:book|come|wait)\b)|^\W*(?:skip|pass|none|no comment)\W*\Z",
    re.IGNORECASE,
)
_NOT_YET = re.compile(r"\b(?:don't|dont|do not|not)\b(?:\s+\w+){0,4}\s+(?:yet|just now)\b", re.IGNORECASE)
_LATER = re.compile(
    r"\b(?:book|decide|confirm|pay|tell you|let you know|answer|come back|do (?:it|this|that))\s+(?:\w+\s+)?later\b",
    re.IGNORECASE,
)
_NOT_MOVING = re.compile(
    r"\b(?:change|update|correct|switch)\s+(?:my|the|your)\s+(?:\w+\s+)?(?:name|number|phone|e-?mail|mail|contact|address)\b",
    re.IGNORECASE,
)
_WHETHER_DONE = re.compile(
    r"^\W*(?:is|was|has|did)\b(?!.*\b(?:possible|ok|okay|free|open|available)\b).*\b(?:cancell?ed|booked|confirmed|moved)\b",
    re.IGNORECASE,
)
_CHECKING = re.compile(
    r"\b(?:it's|its|it is|is it|is that|is this|that's|that is|isn't (?:it|that)|correct me|am i right)\b",
    re.IGNORECASE,
)
_SUGGESTING = re.compile(
    r"\b(?:possible|ok|okay|free|open|available|instead|rather|can|could|how about|what about|too late|too early)\b",
    re.IGNORECASE,
)


_STATED = re.compile(
    r"\b(?:(?:i|we)(?:'ve| have)(?: got)?"
    r" (?:(?:my|our)\b|an? (?!(?:free|day|time|slot|opening|gap|break|window)\b)(?=\w))"
    r"|(?:my|our) (?!(?:appointment|preference|preferred|best|ideal|favou?rite|day|lunch|free|booking|next)\b)"
    r"\s*(?:\w+\s+){0,3}(?:is|starts|begins)\s+(?=on\b|at\b|this\b|next\b|tomorrow\b))"
    r"[^,.;!?\v]*?(?=[,.;!?\v]|\b(?:so|and|but|can|could|before)\b|\Z)",
    re.IGNORECASE,
)
"""What the customer tells of their own life: "I have my driving test on Friday at 9"."""
_TO_BOOK = re.compile(r"\b(?:book|schedule|need|want|come|arrange)\b", re.IGNORECASE)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DAY_OF_A_NAME = re.compile(
    rf"\bwho said {_WEEKDAY}\b|\b{_WEEKDAY} (?:said|says|told|recommended|sent|thinks)\b",
    re.IGNORECASE,
)
"""A weekday that is somebody's name, or only spoken of."""


def unstated(text: str) -> str:
    """`text` without the times that are told of the customer's own life, or are names, and are no wish to come then."""
    told = _STATED.sub(lambda found: found[0] if _TO_BOOK.search(found[0]) else " ", text)
    return _DAY_OF_A_NAME.sub(" ", told)


_RATHER = re.compile(
    r"\W*(?:never ?mind|nvm|forget (?:it|that)|scratch that)\W+(?:(?:make it|let's say|rather|how about|then)\s+)?"
    r"(?:(?:at|on)\s+)?(?:\d|noon|mon|tue|wed|thu|fri|sat|sun|today|tomorrow)",
    re.IGNORECASE,
)


def replaces(text: str) -> bool:
    """Whether "never mind" only takes back the time: "never mind, 8:45"."""
    return bool(_RATHER.match(text))


def about_cancelling(clause: str) -> bool:
    """Whether a clause only asks about cancelling or moving, on a condition or in general, and wishes none."""
    if _IF_MOVING.search(clause) and not _TO_WHEN.search(clause):
        return True
    return bool(_IF_CANCELLING.search(clause)) and not _NOT_CANCELLING.search(clause)


def tempered(text: str, about: frozenset[Intent]) -> frozenset[Intent]:
    """What a message is about, without a cancellation that it denies and a "later" that is no time to come."""
    found: set[Intent] = set(about)
    if _NOT_CANCELLING.search(text) or _IF_CANCELLING.search(text):
        found.discard("cancel")
    if _NOT_MOVING.search(text):
        found.discard("move")
    if _WHETHER_DONE.search(text):
        found.difference_update({"cancel", "move", "book"})
        found.add("mine")
    if puts_off(text):
        found.difference_update({"later", "book", "abort"})
        found.add("unsure")
    return frozenset(found)


def puts_off(text: str) -> bool:
    """Whether "later" is when the customer will decide, and no time to come."""
    return bool(_LATER.search(text) or _NOT_YET.search(text))


def unreachable(text: str) -> bool:
    """Whether the customer says that there is no telephone and no mail address."""
    return bool(_NO_WAY_TO_REACH.search(text))


def declines(text: str) -> bool:
    """Whether the customer would rather not answer a question about themselves."""
    return bool(_DECLINING.search(text))


def checks(text: str) -> bool:
    """Whether a question only makes sure of what is being talked about: "it's on a Tuesday?"."""
    return text.rstrip().endswith("?") and bool(_CHECKING.search(text)) and not _SUGGESTING.search(text)
