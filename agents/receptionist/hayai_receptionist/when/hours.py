"""When a business is open, as far as the grammar must know it: the bias of a bare hour, opening and closing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Openings = tuple[tuple[time, time], ...]


def _office() -> dict[int, Openings]:
    return {weekday: ((time(9), time(17)),) for weekday in range(5)}


@dataclass(frozen=True)
class Hours:
    """Weekly openings (Monday is 0) and closed dates, as a collection or a function of the date.

    The default is an office day: Monday to Friday, 9 to 17. A closing time of 00:00 means midnight at the day's end.
    """

    weekly: Mapping[int, Openings] = field(default_factory=_office)
    closed: Collection[date] | Callable[[date], bool] = frozenset()

    def openings(self, day: date) -> Openings:
        """The openings on that date; empty when closed."""
        shut = self.closed(day) if callable(self.closed) else day in self.closed
        return () if shut else tuple(self.weekly.get(day.weekday(), ()))

    def is_open(self, day: date) -> bool:
        """Whether the business opens at all on that date."""
        return bool(self.openings(day))

    def span(self, day: date | None = None) -> tuple[int, int]:
        """First opening and last closing in minutes after midnight, lunch breaks ignored.

        On a closed day, or without a day, the week as a whole answers: that it is closed is the calendar's to say.
        """
        openings = self.openings(day) if day else ()
        if not openings:
            openings = tuple(pair for pairs in self.weekly.values() for pair in pairs)
        if not openings:
            return 9 * 60, 17 * 60
        return min(_minutes(a) for a, _ in openings), max(_minutes(b) or 1440 for _, b in openings)


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute
