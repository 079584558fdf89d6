"""The calendar in Postgres and its twin give the same answers to any sequence of questions."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hayai.errors import BookingRefused
from hayai.pools import Pool
from hayai.ports.base import Settings
from hayai.ports.calendar import Appointment, Calendar, Customer
from hayai.schedule import Window
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryCalendar
from hayai.testing.practice import at, practice
from hayai_postgres.calendar import PostgresCalendar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hayai.schedule import Schedule
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

SERVICES = st.sampled_from(["checkup", "cleaning", "whitening"])
STARTS = st.integers(0, 40).map(lambda step: at(8, 30) + timedelta(minutes=15 * step))
WHICH = st.integers(0, 5)
"""Which of the appointments so far, counted from the first and around."""
STEP = st.one_of(
    st.tuples(st.just("hold"), SERVICES, STARTS),
    st.tuples(st.just("hold"), SERVICES, STARTS),
    st.tuples(st.just("confirm"), WHICH),
    st.tuples(st.just("move"), WHICH, STARTS),
    st.tuples(st.just("cancel"), WHICH),
    st.tuples(st.just("repeat"), WHICH),
    st.tuples(st.just("wait"), st.integers(1, 9)),
)


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer, migrated_template: str) -> Iterator[ServedDatabase]:
    """One database for every example: each brings a tenant of its own."""
    name = postgres_server.create(migrated_template)
    yield postgres_server.database(name)
    postgres_server.drop(name)


class Side:
    """One calendar, and what it has answered: ids of appointments become their number."""

    def __init__(self, calendar: Calendar, schedule: Schedule) -> None:
        self.calendar = calendar
        self.tenant = schedule.tenant
        self.ids: list[str] = []
        self.holds: list[tuple[str, Any, str]] = []

    async def step(self, number: int, step: Sequence[Any]) -> object:
        """What comes of one step, comparable with the other side's."""
        try:
            return self._said(await self._act(number, step))
        except BookingRefused as refused:
            return type(refused), str(refused), refused.alternatives

    async def _act(self, number: int, step: Sequence[Any]) -> Appointment | None:
        match step:
            case "hold", service, start:
                self.holds.append((service, start, f"hold {number}"))
                return await self._hold(*self.holds[-1])
            case "repeat", which if self.holds:
                return await self._hold(*self.holds[which % len(self.holds)])
            case "confirm", which if self.ids:
                return await self.calendar.confirm(self.tenant, self.ids[which % len(self.ids)])
            case "cancel", which if self.ids:
                return await self.calendar.cancel(self.tenant, self.ids[which % len(self.ids)])
            case "move", which, start if self.ids:
                return await self.calendar.move(self.tenant, self.ids[which % len(self.ids)], start, key=f"m {number}")
        return None

    async def _hold(self, service: str, start: Any, key: str) -> Appointment:
        booked = await self.calendar.hold(self.tenant, service, start, customer=Customer(person="p"), key=key)
        if booked.id not in self.ids:
            self.ids.append(booked.id)
        return booked

    def _said(self, appointment: Appointment | None) -> object:
        return appointment and appointment.model_copy(update={"id": str(self.ids.index(appointment.id))})

    async def seen(self) -> list[object]:
        """Everything that can be read."""
        day = Window(start=at(0), end=at(0) + timedelta(days=1))
        listed = await self.calendar.appointments(self.tenant, day)
        offered = [await self.calendar.open_slots(self.tenant, each, day) for each in ("checkup", "whitening")]
        found = [self._said(await self.calendar.find(self.tenant, each)) for each in self.ids]
        return [sorted(str(self._said(each)) for each in listed), offered, found]


async def compare(database: ServedDatabase, steps: list[Sequence[Any]]) -> None:
    """Both sides, step by step."""
    clock, schedule, pool = MovableClock(), practice(), Pool(database, size=2)
    await pool.start()
    try:
        real = Side(PostgresCalendar(Settings(), pool=pool, clock=clock), schedule)
        twin = Side(MemoryCalendar(clock=clock), schedule)
        await real.calendar.install(schedule)
        await twin.calendar.install(schedule)
        for number, step in enumerate(steps):
            if step[0] == "wait":
                clock.advance(timedelta(minutes=step[1]))
            assert await real.step(number, step) == await twin.step(number, step)
        assert await real.seen() == await twin.seen()
    finally:
        await pool.stop()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEP, min_size=3, max_size=25))
def test_the_twin_answers_as_postgres_does(database: ServedDatabase, steps: list[Sequence[Any]]) -> None:
    """Holds, repeats, confirmations, moves, cancellations and waiting, in any order."""
    asyncio.run(compare(database, steps))
