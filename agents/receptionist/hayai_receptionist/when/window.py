"""What the grammar hands back: candidate windows, how sure it is, and what to ask when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SURE = 0.8
"""Below this confidence the caller must ask `Understanding.question` before it books anything."""


@dataclass(frozen=True)
class Window:
    """Wall time in the business's zone, half-open: an appointment may start at `start` up to before `end`.

    `precise` is true when the customer named a clock time: `start` is then the wanted start, and `end` is one
    minute after it (half an hour after it for "around three").
    """

    start: datetime
    end: datetime
    precise: bool


@dataclass(frozen=True)
class Understanding:
    """Everything that one message says about time.

    `windows` are in order of preference and empty when nothing was said about time. When `confidence` is below
    SURE, `question` is a full sentence to ask, `choices` are the readings it offers (perhaps none), and `windows`
    holds the likelier reading only as a suggestion. `reason` carries no customer text. `leftover` is the text
    without its time words. Without a date, a time of day gives one window a day, the nearest day first.
    """

    windows: tuple[Window, ...]
    confidence: float
    reason: str
    question: str | None
    choices: tuple[Window, ...]
    leftover: str
    has_date: bool
    has_time: bool
