"""A clerk on the memory twins: whole dialogues in one process, with a clock that the test moves."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

import pytest

from hayai.business import load_business
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryCalendar
from hayai.testing.memory_conversations import MemoryConversations
from hayai_receptionist.clerk import Clerk

if TYPE_CHECKING:
    from hayai.business import Business


class OpenClerk(Protocol):
    """`await open_clerk(business, now)`: a business or the name of a practice; now as wall time in its zone."""

    async def __call__(self, business: Business | str = "dentist", now: str = "2026-11-23 10:00") -> Clerk:
        """A clerk whose calendar is empty."""


@pytest.fixture
def open_clerk() -> OpenClerk:
    """Open a clerk; Monday, 23 November 2026 at 10 in the morning unless told."""

    async def opened(business: Business | str = "dentist", now: str = "2026-11-23 10:00") -> Clerk:
        if isinstance(business, str):
            business = load_business(f"hayai_receptionist:practices/{business}.toml")
        clock = MovableClock(datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(business.timezone)))
        calendar = MemoryCalendar(clock=clock)
        await calendar.install(business.schedule)
        return Clerk(business, calendar, MemoryConversations(), clock)

    return opened
