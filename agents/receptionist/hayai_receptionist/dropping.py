"""Dropping: a booking that is dropped may be taken up again: "actually, let's do it"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hayai_receptionist import wishing
from hayai_receptionist.talk import Following, Talk

if TYPE_CHECKING:
    from hayai_receptionist.hearing import Heard

_RESUMING = re.compile(
    r"\b(?:after all|let'?s (?:do|book|take) (?:it|that)|do it|book (?:it|that)|i'?ll take it|go ahead)\b",
    re.IGNORECASE,
)


def dropped(talk: Talk) -> Talk:
    """The talk at rest, once a booking was dropped."""
    wishes = (wishing.exactly(talk.start),) if talk.start else talk.wishes
    left = Following(service=talk.service, wishes=wishes) if talk.service else None
    return talk.at_rest().but(dropped=left)


def resumes(talk: Talk, heard: Heard) -> bool:
    """Whether a message takes up what was dropped: "actually, let's do it", "book it after all"."""
    return (
        talk.dropped is not None
        and heard.polarity != "no"
        and "?" not in heard.text
        and bool(_RESUMING.search(heard.text))
    )


def taken_up(talk: Talk, heard: Heard) -> Talk:
    """A talk about a booking that begins: of the service under discussion, or of what was dropped before."""
    begun = talk.at_rest().but(task="book", other=talk.other)
    begun = begun.but(service=talk.service if talk.task == "none" else "")
    if begun.service or heard.services or talk.dropped is None or not (heard.when or resumes(talk, heard)):
        return begun
    return begun.but(service=talk.dropped.service, wishes=talk.dropped.wishes)
