"""A small dental practice to book in, and short words for what a test of a calendar does there."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from hayai.ports.calendar import Appointment, Calendar, Customer
from hayai.schedule import DayException, Opening, Resource, Schedule, Service, Window
from hayai.tokens import fresh

HOLIDAY = date(2026, 3, 4)
"""A Wednesday on which the practice is closed."""
SOMEBODY = Customer(person="somebody", name="Ada", contact="ada@example.org")


def practice() -> Schedule:
    """Monday to Friday 9 to 12 and 13 to 17 in New York, two chairs and a hygienist; a tenant of its own each time.

    A `checkup` (30 min) takes a chair, a `cleaning` (45 min, 15 min free after it) a chair and the hygienist, a
    `whitening` (60 min, 10 min before and 20 after) the hygienist alone.
    """
    return _PRACTICE.model_copy(update={"tenant": f"practice-{fresh()}"})


def at(hour: int, minute: int = 0, *, day: int = 2) -> datetime:
    """An instant of March 2026 by New York's winter clock, which holds up to the 7th; the 2nd is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) + timedelta(hours=5)


async def held(
    calendar: Calendar,
    schedule: Schedule,
    starts_at: datetime,
    service: str = "whitening",
    *,
    resources: tuple[str, ...] = (),
) -> Appointment:
    """A new hold for somebody, under a key of its own."""
    tenant, key = schedule.tenant, fresh()
    return await calendar.hold(tenant, service, starts_at, customer=SOMEBODY, key=key, resources=resources)


async def starts(calendar: Calendar, schedule: Schedule, service: str = "whitening", *, day: int = 2) -> list[datetime]:
    """What is offered on a day of March 2026."""
    window = Window(start=at(0, day=day), end=at(0, day=day) + timedelta(days=1))
    return [each.starts_at for each in await calendar.open_slots(schedule.tenant, service, window)]


class Installed:
    """A practice in the calendar under test; the fixture `calendar` comes from the module that tests."""

    @pytest.fixture
    async def schedule(self, calendar: Calendar) -> Schedule:
        """The installed practice."""
        schedule = practice()
        await calendar.install(schedule)
        return schedule


def _practice() -> Schedule:
    day = (Opening(opens=time(9), closes=time(12)), Opening(opens=time(13), closes=time(17)))
    return Schedule(
        tenant="practice",
        timezone="America/New_York",
        hours=dict.fromkeys(range(5), day),
        exceptions=(DayException(day=HOLIDAY, reason="training day"),),
        services=(
            Service(id="checkup", name="Check-up", duration=timedelta(minutes=30), needs=("chair",)),
            Service(
                id="cleaning",
                name="Cleaning",
                duration=timedelta(minutes=45),
                after=timedelta(minutes=15),
                needs=("chair", "hygienist"),
            ),
            Service(
                id="whitening",
                name="Whitening",
                duration=timedelta(hours=1),
                before=timedelta(minutes=10),
                after=timedelta(minutes=20),
                needs=("hygienist",),
            ),
        ),
        resources=(
            Resource(id="chair-1", name="Chair 1", kind="chair"),
            Resource(id="chair-2", name="Chair 2", kind="chair"),
            Resource(id="hygienist", name="Dana", kind="hygienist"),
        ),
    )


_PRACTICE = _practice()
"""Made once, at import: its time zone is read from the disk, which a running event loop must not wait for."""
