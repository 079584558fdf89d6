"""Several: the bookings that one message wants, of one service or of more, and one more for somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from hayai_receptionist.services import named
from hayai_receptionist.talk import Following
from hayai_receptionist.timing import when
from hayai_receptionist.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.schedule import Service
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_COUNTED = re.compile(
    r"(?<!at )(?<!by )(?<!around )(?<!about )(?<!before )(?<!after )(?<!till )(?<!until )"
    r"\b(?P<count>two|three|2|3|a couple of|a pair of)\s*\Z",
    re.IGNORECASE,
)
_COUNTS = {"three": 3, "3": 3}
_PAIR = 2
_WITH_ANOTHER = re.compile(
    r"\b(?:me|us|myself) and (?:my|our)\s+\w+|\bmy \w+ and (?:me|i|myself)\b"
    r"|\bfor (?:both|two) of us\b|\bfor (?:my )?(?:two|both) \w+s\b",
    re.IGNORECASE,
)
_FOR_OTHER = re.compile(
    r"^\W*(?:[\w']+\s+){0,4}?(?:for|and|about)\s+(?:my|our|his|her)\s+"
    r"(?!appointment|booking|other|next|last|name|number|phone|mail|e-?mail|address|visit)\w+"
    r"(?:\s+(?:too|as well|please))*\W*\Z",
    re.IGNORECASE,
)
_ALSO = re.compile(r"\b(?:and|also|too|as well)\b", re.IGNORECASE)
_FOR_KIN = re.compile(
    r"\bfor (?:my|our) (?:son|daughter|wife|husband|kids?|child|children|mother|father|mom|mum|dad|friend|brother"
    r"|sister|partner|girlfriend|boyfriend|mate)\b",
    re.IGNORECASE,
)
_KIN_NAMED = re.compile(rf"(?i:{_FOR_KIN.pattern})\W+[A-Z]")
_FOR_ME = re.compile(r"\bfor (?:me|myself)\b", re.IGNORECASE)
_ONE_MORE = re.compile(
    r"^\W*(?:(?:and|also|now|ok|okay)\W+)*"
    r"(?:(?:another(?: one)?|one more|the same again)|(?:and|also)\W+one(?= for| too))"
    r"(?: for me)?(?: too| as well)?(?: please| right after(?: (?:that|his|hers|it))?| back to back)*\W*\Z"
    r"|^\W*and one for me\b",
    re.IGNORECASE,
)
SEAM = "\v"
"""Stands between the clauses of a request; a space to all who read it."""
_JOINT = re.compile(rf"{SEAM}|\b(?:and|plus|then|also|followed by)\b|[&+,;]", re.IGNORECASE)
_EITHER = re.compile(r"\b(?:or|vs|versus|instead|rather|had|was|were|did)\b", re.IGNORECASE)
"""What shows that of two services only one is wanted now."""
_SAME_DAY = re.compile(r"\bsame day\b", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A stretch of a message that wants one service (character positions)."""

    service: str
    start: int
    end: int


def parted(text: str, services: Sequence[Service]) -> tuple[Part, ...]:
    """The stretches of `text` that each want another service; empty where only one is wanted, or one of two."""
    parts: list[Part] = []
    cuts = [0, *(found.start() for found in _JOINT.finditer(text)), len(text)]
    for start, end in pairwise(cuts):
        told = named(text[start:end], services)
        fresh = not parts or parts[-1].service not in told.ids
        if len(told.ids) == 1 and fresh and (not parts or _opens(text[start:end], told.marks)):
            parts.append(Part(told.ids[0], start if parts else 0, end))
        elif parts:
            parts[-1] = replace(parts[-1], end=end)
    distinct = {each.service for each in parts}
    return () if len(distinct) < _PAIR or len(distinct) < len(parts) or _EITHER.search(text) else tuple(parts)


def _opens(piece: str, marks: Sequence[tuple[int, int]]) -> bool:
    """Whether a wish begins with a piece; behind a mere comma only where the service stands first in it."""
    return not piece.startswith(",") or (bool(marks) and len(words(piece[: marks[0][0]])) <= 1)


def timed(parts: Sequence[Part], text: str, desk: Desk) -> tuple[str, tuple[Following, ...]]:
    """What tells the time of the first of `parts`, and the bookings that follow it.

    A time that is told once is that of the first; what has none comes right after.
    """
    told = [text[each.start : each.end] for each in parts]
    times = [when(each, None, desk) for each in told]
    donor = next((place for place, each in enumerate(times) if each), 0)
    told[0], times[donor] = told[donor], times[0]
    return told[0], tuple(
        Following(
            service=part.service,
            wishes=time.wishes,
            place=_place(text, timed=bool(time)),
            other=_FOR_KIN.search(text[part.start : part.end]) is not None,
        )
        for part, time in zip(parts[1:], times[1:], strict=True)
    )


def _place(text: str, *, timed: bool) -> Literal["", "after", "day"]:
    return "" if timed else "day" if _SAME_DAY.search(text) else "after"


def counted(text: str, marks: Sequence[tuple[int, int]]) -> tuple[int, tuple[int, int] | None]:
    """How many of the service that stands at the first of `marks` are wanted, and where a figure says so in `text`."""
    for start, end in marks[:1]:
        found = _COUNTED.search(text[:start])
        if found and text[start:end].casefold().endswith("s"):
            return _COUNTS.get(found["count"].casefold(), _PAIR), found.span("count")
    return (_PAIR if _WITH_ANOTHER.search(text) else 1), None


def waiting(talk: Talk, heard: Heard) -> Talk:
    """`talk` with the bookings that follow the first one, where several of a service are wanted."""
    if talk.then or not talk.service or talk.service not in heard.services:
        return talk
    if heard.count == 1 and not heard.further and _FOR_KIN.search(heard.text):
        return talk.but(other=True, name=heard.name if _KIN_NAMED.search(heard.text) else "")
    other = bool(_WITH_ANOTHER.search(heard.text))
    more = (Following(service=talk.service, place="after", other=other),) * (heard.count - 1)
    return talk.but(then=(*more, *heard.further))


def besides(talk: Talk, heard: Heard) -> Talk | None:
    """`talk` with one more booking of its service for somebody else ("and for my son too"), else None."""
    if not talk.service or heard.services or heard.questions or heard.when or heard.name:
        return None
    if not (_FOR_OTHER.search(heard.text) and _ALSO.search(heard.text)):
        return None
    waits = any(each.other for each in talk.then)
    more = () if waits else (Following(service=talk.service, place="after", other=True),)
    return talk.but(then=(*talk.then, *more))


def for_other(talk: Talk, heard: Heard) -> bool:
    """Whether the booking under way turns out to be for somebody else: "it's for my daughter"."""
    plainly = _FOR_OTHER.search(heard.text) and not _ALSO.search(heard.text)
    return bool(plainly) and talk.start is not None and not (heard.services or heard.when or heard.name or talk.other)


def again(talk: Talk, heard: Heard) -> Talk | None:
    """The talk about one more of what was booked last: "another one", "and for my son?"; None where none is wanted."""
    if talk.task != "none" or talk.about is None or not talk.last or heard.services or heard.questions:
        return None
    other = bool(_FOR_OTHER.search(heard.text))
    if not other and not _ONE_MORE.search(heard.text):
        return None
    unnamed = other or (talk.other and _FOR_ME.search(heard.text))
    return talk.but(service=talk.about.service, name="" if unnamed else talk.name, other=other)
