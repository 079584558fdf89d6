"""A calendar that is full for months: refusals in time, with what is left at its end, and gaps that are long enough."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.availability.rota import Rota
from hayai.availability.slots import Visit
from hayai.errors import OutsideHours, SlotTaken
from hayai.ports.base import Settings
from hayai.schedule import Window
from hayai.testing.practice import at, held, practice
from hayai.testing.storms import bound, timed
from hayai_postgres import books
from hayai_postgres.books import PostgresBooks
from hayai_postgres.calendar import PostgresCalendar

if TYPE_CHECKING:
    from hayai.pools import Pool
    from hayai.schedule import Schedule
    from hayai.testing.clock import MovableClock
    from hayai.testing.postgres_server import ServedDatabase

STORMS = 3
FULL_APPOINTMENT = """
insert into hayai.appointment
       (tenant, id, service, starts_at, ends_at, resources, status, person, name, contact, version)
values ($1, $2, 'checkup', $3, $4, array[$5], 'confirmed', 'somebody', '', '', 1)
"""
FULL_PLACE = """
insert into hayai.occupancy (tenant, appointment, kept_from, kept_until, resource) values ($1, $2, $3, $4, $5)
"""


@pytest.fixture
def calendar(pool: Pool, clock: MovableClock) -> PostgresCalendar:
    """The adapter on a database of the test's own."""
    return PostgresCalendar(Settings(), pool=pool, clock=clock)


@pytest.fixture
async def schedule(calendar: PostgresCalendar) -> Schedule:
    """The practice, installed."""
    schedule = practice()
    await calendar.install(schedule)
    return schedule


async def fill(pool: Pool, schedule: Schedule, days: int) -> None:
    """Keep every resource for the opening hours of those days, in appointments of half an hour."""
    rota = Rota(schedule, at(0), at(0) + timedelta(days=days))
    half = timedelta(minutes=30)
    kept = [
        (schedule.tenant, f"{who.id} {number}", start, start + half, who.id)
        for number, start in enumerate(rota.starts())
        for who in schedule.resources
        if start.minute % 30 == 0
    ]
    async with pool.transaction(schedule.tenant) as connection:
        await connection.executemany(FULL_APPOINTMENT, kept)
        await connection.executemany(FULL_PLACE, kept)


@pytest.mark.parametrize("service", ["whitening", "cleaning", "checkup"])
async def test_200_on_a_calendar_full_for_75_days_are_answered_in_time(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, database: ServedDatabase, service: str
) -> None:
    """Each refusal looks for other starts through all that is booked, and offers at least two of the horizon's end.

    Nothing is booked, so that the storm can come again: another user of the machine slows one down, a defect each.
    """
    await fill(pool, schedule, 75)
    database.server.sql("analyze hayai.occupancy", database.name)  # as a server does by itself long before it is full
    for _ in range(STORMS):
        wishes = (at(10) + timedelta(days=each % 3) for each in range(200))
        outcomes, seconds = await timed(held(calendar, schedule, start, service) for start in wishes)
        for each in outcomes:
            assert isinstance(each, SlotTaken | OutsideHours)
            assert len(each.alternatives) >= 2
            assert min(each.alternatives) > at(0) + timedelta(days=74)
        if seconds < bound():
            return
    pytest.fail(f"The slowest answer took longer than {bound():.1f} s, {STORMS} times over.")


async def test_gaps_too_short_for_a_visit_are_not_read_and_those_just_long_enough_are(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, database: ServedDatabase
) -> None:
    """A whitening keeps its resource for 90 minutes: the books leave such a gap, and join what has a minute less."""
    await fill(pool, schedule, 1)
    database.server.sql("delete from hayai.occupancy where resource = 'hygienist'", database.name)
    kept = (at(9), at(10)), (at(11, 29), at(13)), (at(14, 30), at(17))
    async with pool.transaction(schedule.tenant) as connection:
        for number, (start, end) in enumerate(kept):
            row = (schedule.tenant, f"gap {number}", start, end, "hygienist")
            await connection.execute(FULL_APPOINTMENT, *row)
            await connection.execute(FULL_PLACE, *row)
        kept_books, window = PostgresBooks(connection, schedule.tenant, {}), Window(start=at(9), end=at(17))
        room = Visit(schedule, schedule.services[2]).room
        told = await kept_books.busy(["hygienist"], window, at(0), room=room)
        exact = await kept_books.busy(["hygienist"], window, at(0), but="gap 1")
    assert room == timedelta(minutes=90)
    assert sorted((each.start, each.end) for each in told) == [(at(9), at(13)), (at(14, 30), at(17))]
    assert sorted((each.start, each.end) for each in exact) == [kept[0], kept[2]]
    with pytest.raises(SlotTaken):
        await held(calendar, schedule, at(10, 10))
    assert (await held(calendar, schedule, at(13, 10))).resources == ("hygienist",)


async def test_years_that_have_gone_by_are_not_read_to_list_what_is_to_come(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, database: ServedDatabase
) -> None:
    """Of 20000 rows, the plan looks at those of the window: what it reads is told by Postgres, not by a clock."""
    kept = [
        (schedule.tenant, f"past {number}", start, start + timedelta(minutes=20), "chair-1")
        for number, start in enumerate(at(0) - timedelta(minutes=30) * n for n in range(1, 20_001))
    ]
    async with pool.transaction(schedule.tenant) as connection:
        await connection.executemany(FULL_APPOINTMENT, kept)
    database.server.sql("analyze hayai.appointment", database.name)
    booked = await held(calendar, schedule, at(9))
    window = Window(start=at(0), end=at(23))
    async with pool.transaction(schedule.tenant) as connection:
        asked = (schedule.tenant, window.start, window.end, None, None)
        plan = await connection.fetch(f"explain (analyze) {books._LISTED}", *asked)
    looked_past = re.findall(r"Rows Removed by Filter: (\d+)", "\n".join(line[0] for line in plan))
    assert sum(map(int, looked_past)) < 100
    assert await calendar.appointments(schedule.tenant, window) == [booked]
