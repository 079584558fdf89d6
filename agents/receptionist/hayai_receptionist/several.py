"""Several: how many bookings of one service a message wants, and one more for somebody else after the first is made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hayai_receptionist.talk import Following

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    r"\bfor (?:me|us|myself) and (?:my|our|the|a)\s+\w+|\bfor (?:both|two) of us\b|\bfor (?:my )?(?:two|both) \w+s\b",
    re.IGNORECASE,
)
_FOR_OTHER = re.compile(
    r"^\W*(?:\w+\s+){0,4}?(?:for|and|about)\s+(?:my|our|his|her)\s+"
    r"(?!appointment|booking|other|next|last|name|number|phone|mail|e-?mail|address|visit)\w+"
    r"(?:\s+(?:too|as well|please))*\W*\Z",
    re.IGNORECASE,
)
_ALSO = re.compile(r"\b(?:and|also|too|as well)\b", re.IGNORECASE)
_ONE_MORE = re.compile(
    r"^\W*(?:(?:and|also|now|ok|okay)\W+)*(?:another(?: one)?|one more|the same again)(?: please)?\W*\Z", re.IGNORECASE
)


def counted(text: str, marks: Sequence[tuple[int, int]]) -> tuple[int, tuple[int, int] | None]:
    """How many of the service that stands at the first of `marks` are wanted, and where a figure says so in `text`."""
    for start, end in marks[:1]:
        found = _COUNTED.search(text[:start])
        if found and text[start:end].casefold().endswith("s"):
            return _COUNTS.get(found["count"].casefold(), _PAIR), found.span("count")
    return (_PAIR if _WITH_ANOTHER.search(text) else 1), None


def waiting(talk: Talk, heard: Heard) -> Talk:
    """`talk` with the bookings that follow the first one, where several of a service are wanted."""
    if heard.count == 1 or not talk.service or talk.then:
        return talk
    other = bool(_WITH_ANOTHER.search(heard.text))
    return talk.but(then=(Following(service=talk.service, place="after", other=other),) * (heard.count - 1))


def besides(talk: Talk, heard: Heard) -> Talk | None:
    """`talk` with one more booking of its service for somebody else ("and for my son too"), else None."""
    if not talk.service or heard.services or heard.questions or heard.when or heard.name:
        return None
    if not (_FOR_OTHER.search(heard.text) and _ALSO.search(heard.text)):
        return None
    waits = any(each.other for each in talk.then)
    more = () if waits else (Following(service=talk.service, place="after", other=True),)
    return talk.but(then=(*talk.then, *more))


def again(talk: Talk, heard: Heard) -> Talk | None:
    """The talk about one more of what was booked last: "another one", "and for my son?"; None where none is wanted."""
    if talk.task != "none" or talk.about is None or not talk.last or heard.services or heard.questions:
        return None
    other = bool(_FOR_OTHER.search(heard.text))
    if not other and not _ONE_MORE.search(heard.text):
        return None
    return talk.but(service=talk.about.service, name="" if other else talk.name, other=other)
