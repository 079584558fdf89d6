"""The calendar's twin keeps the calendar's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.testing.calendar import CalendarContract
from hayai.testing.memory_calendar import MemoryCalendar

if TYPE_CHECKING:
    from hayai.testing.clock import MovableClock


@pytest.fixture
def calendar(clock: MovableClock) -> MemoryCalendar:
    """A twin by a clock that tests move."""
    return MemoryCalendar(clock=clock)


class TestMemoryCalendar(CalendarContract):
    """The whole contract."""
