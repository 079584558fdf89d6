"""MovableClock: a clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Where a new clock stands: Monday, 2 March 2026, 09:00 UTC."""


class MovableClock:
    """A `hayai.clock.Clock`: call it for the present, `advance` it, or `set` it."""

    def __init__(self, now: datetime = MONDAY_MORNING) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        """Now, as the test has it."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Let `by` pass; returns the new present."""
        self._now += by
        return self._now

    def set(self, now: datetime) -> None:
        """Jump to `now`, an aware instant, forward or back. Raises ValueError for a naive one."""
        if now.utcoffset() is None:
            raise ValueError("A clock needs an aware instant: give it a tzinfo, for example datetime.UTC.")
        self._now = now
