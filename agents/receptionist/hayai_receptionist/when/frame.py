"""What a date is reckoned from: today, the business's hours, and the window under discussion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hayai_receptionist.when.hours import Hours
    from hayai_receptionist.when.window import Window

Span = tuple[date, date]
"""First and last day, both included."""
Days = tuple[Span, ...]

REACH = 14
"""How many days ahead "mornings" or "not Monday" looks."""
_MONTH_FIRST = (
    "America/New_York", "America/Detroit", "America/Indiana", "America/Kentucky", "America/Chicago", "America/Denver",
    "America/Boise", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "US/",
)  # fmt: skip
"""Zones of the United States."""
_DAY_FIRST = ("Europe/", "Australia/", "Pacific/Auckland", "GB")
OPEN_END = 60
"""How many days ahead "after the 5th" or "as soon as possible" looks."""


class Doubt(Exception):
    """A reading that must be asked about: the question in full, and the days it offers."""

    def __init__(self, question: str, reason: str, choices: tuple[Days, ...] = ()) -> None:
        super().__init__(question)
        self.question = question
        self.reason = reason
        self.choices = choices


@dataclass(frozen=True)
class Frame:
    """Where a reading starts from; `today` may be moved to reckon the end of a range from its beginning."""

    now: datetime
    hours: Hours
    context: Window | None
    today: date
    moved: bool = False

    def at(self, day: date) -> Frame:
        """The same, reckoned as if `day` were today."""
        return replace(self, today=day, moved=True, context=None)

    @property
    def month_first(self) -> bool | None:
        """Whether people here write the month first in "12/3"; None where that is not certain."""
        zone = getattr(self.now.tzinfo, "key", "")
        if zone.startswith(_MONTH_FIRST):
            return True
        return False if zone.startswith(_DAY_FIRST) else None

    @property
    def context_day(self) -> date:
        """The day under discussion.

        Raises:
            Doubt: nothing is under discussion.
        """
        if self.context is None:
            raise Doubt("Which day would you like?", "refers to a day that was not named yet")
        return self.context.start.date()

    @property
    def context_days(self) -> Span | None:
        """First and last day of a window under discussion that is longer than a day, else None."""
        if self.context is None or self.context.precise:
            return None
        first, last = self.context.start.date(), (self.context.end - timedelta(microseconds=1)).date()
        return (first, last) if last > first else None


Resolve = Callable[[Frame], tuple[Days, ...]]
"""The alternative readings of a day expression, the likeliest first."""


@dataclass(frozen=True)
class Anchor:
    """Days reckoned from today: "tomorrow", "next week", "in 3 days".

    `period` spans narrow a weekday or date said beside them; `week` are the whole weeks around them, for "Tuesday in
    two weeks"; `past` days count only when nothing else was said; `any` marks "any day", `soon` the soonest, `bound`
    an open end ("low" or "high"); `step` counts days from the day named before ("the day after"), and `echo` reckons otherwise from it; `target` is where
    "from Tuesday to Thursday" leads, and the day that an open end hangs on, which belongs to it when `closed`; `within` are the weekdays of
    "Monday to Wednesday", which a period said beside it confines.
    """

    resolve: Resolve
    period: bool = False
    past: bool = False
    week: bool = False
    any: bool = False
    bound: str = ""
    soon: bool = False
    step: int | None = None
    echo: Callable[[DaySpec], DaySpec] | None = None
    target: DaySpec | None = None
    closed: bool = True
    within: Mask | None = None


@dataclass(frozen=True)
class Mask:
    """Days known by the calendar: weekdays, a day of the month, a month, a year; what is None is free.

    `many` is "Tuesdays", `typo` other weekdays that a slip may have meant, `listed` one weekday among several.
    """

    weekdays: frozenset[int] | None = None
    day: int | None = None
    month: int | None = None
    year: int | None = None
    many: bool = False
    typo: tuple[str, ...] = ()
    listed: bool = False

    @property
    def dated(self) -> bool:
        """Whether a day of the month was named."""
        return self.day is not None

    def fits(self, day: date) -> bool:
        """Whether that date has everything that was named."""
        return (
            (self.weekdays is None or day.weekday() in self.weekdays)
            and self.day in {None, day.day}
            and self.month in {None, day.month}
            and self.year in {None, day.year}
        )


DaySpec = Anchor | Mask
