"""The calendar in Postgres inside a handler's transaction, behind row-level security, and against its twin."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hayai.errors import AppointmentGone, KeyNotOpaque, SlotTaken
from hayai.ports.base import Settings
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Window
from hayai.testing.practice import at, held, practice
from hayai_postgres.calendar import PostgresCalendar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hayai.pools import Pool
    from hayai.schedule import Schedule
    from hayai.testing.clock import MovableClock

TABLES = ("schedule", "appointment", "occupancy", "booking_request")


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


async def test_a_booking_goes_with_the_transaction_that_it_joined(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """Rolled back, nothing is left of it, not even its key; the slot is free at once."""
    held_ids: list[str] = []
    with suppress(ZeroDivisionError):
        async with pool.transaction(schedule.tenant):
            booked = await calendar.hold(schedule.tenant, "whitening", at(9), customer=Customer(person="p"), key="k")
            held_ids.append(booked.id)
            raise ZeroDivisionError
    with pytest.raises(AppointmentGone):
        await calendar.find(schedule.tenant, held_ids[0])
    again = await calendar.hold(schedule.tenant, "whitening", at(9), customer=Customer(person="p"), key="k")
    assert again.id not in held_ids


async def test_a_refusal_leaves_the_joined_transaction_usable(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """A handler may catch the no and book an alternative, all in one commit."""
    await held(calendar, schedule, at(9))
    async with pool.transaction(schedule.tenant):
        with pytest.raises(SlotTaken) as refused:
            await held(calendar, schedule, at(9))
        booked = await held(calendar, schedule, refused.value.alternatives[0])
    assert (await calendar.find(schedule.tenant, booked.id)).status == "held"


async def test_who_wants_a_slot_waits_for_the_transaction_that_may_take_it(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """A booking that is rolled back makes nobody a loser: the one who waited gets the slot."""
    waiting: list[asyncio.Task[Appointment]] = []
    with suppress(ZeroDivisionError):
        async with pool.transaction(schedule.tenant):
            await held(calendar, schedule, at(9))
            waiting.append(asyncio.create_task(held(calendar, schedule, at(9))))
            await asyncio.sleep(0.1)
            assert not waiting[0].done()
            raise ZeroDivisionError
    assert (await waiting[0]).starts_at == at(9)


async def test_who_loses_a_resource_takes_another_that_is_free(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """It chose the chair that a transaction still open has taken, waited, and then sits down on the other."""
    async with pool.transaction(schedule.tenant):
        first = await held(calendar, schedule, at(9), "checkup")
        waiting = asyncio.create_task(held(calendar, schedule, at(9), "checkup"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert (first.resources, (await waiting).resources) == (("chair-1",), ("chair-2",))


async def test_a_confirmation_that_waited_for_a_move_confirms_the_moved_one(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """It does not answer with the old time, nor lose the change."""
    booked = await held(calendar, schedule, at(9))
    async with pool.transaction(schedule.tenant):
        await calendar.move(schedule.tenant, booked.id, at(13), key="move")
        waiting = asyncio.create_task(calendar.confirm(schedule.tenant, booked.id))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    confirmed = await waiting
    assert (confirmed.status, confirmed.starts_at, confirmed.version) == ("confirmed", at(13), 3)
    assert await calendar.find(schedule.tenant, booked.id) == confirmed


async def test_a_move_that_waited_for_a_cancellation_moves_nothing(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """The appointment is gone, and neither its old nor the new place is kept."""
    booked = await held(calendar, schedule, at(9))
    async with pool.transaction(schedule.tenant):
        await calendar.cancel(schedule.tenant, booked.id)
        waiting = asyncio.create_task(calendar.move(schedule.tenant, booked.id, at(13), key="move"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    with pytest.raises(AppointmentGone, match="was cancelled"):
        await waiting
    for start in (at(9), at(13)):
        await held(calendar, schedule, start)


async def test_the_same_key_at_the_same_time_waits_for_the_first(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """And gets its appointment, once that is committed."""

    def ask() -> Coroutine[Any, Any, Appointment]:
        return calendar.hold(schedule.tenant, "checkup", at(9), customer=Customer(person="p"), key="k")

    async with pool.transaction(schedule.tenant):
        first = await ask()
        waiting = asyncio.create_task(ask())
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert await waiting == first


async def test_row_level_security_hides_every_table_of_another_tenant(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """Neither rows to read nor to change; and a row of another tenant cannot be written."""
    await held(calendar, schedule, at(9))
    async with pool.transaction("another") as connection:
        for table in TABLES:
            assert await connection.fetchval(f"select count(*) from hayai.{table}") == 0
        assert await connection.execute("update hayai.appointment set status = 'cancelled'") == "UPDATE 0"
        assert await connection.execute("delete from hayai.occupancy") == "DELETE 0"
        with pytest.raises(Exception, match="row-level security"):
            async with connection.transaction():
                await connection.execute(
                    "insert into hayai.schedule (tenant, digest, body) values ($1, '', '{}')", schedule.tenant + "x"
                )
    async with pool.unbound() as connection:
        for table in TABLES:
            assert await connection.fetchval(f"select count(*) from hayai.{table}") == 0
    with pytest.raises(KeyNotOpaque):
        await calendar.find("", "x")


async def test_the_constraint_holds_against_writers_that_ask_nobody(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """A hand-written row counts as busy, and a second one on the same place is refused by Postgres itself."""
    booked = await held(calendar, schedule, at(9))
    columns = "tenant, resource, kept_from, kept_until, appointment"
    add = f"insert into hayai.occupancy ({columns}) values ($1, 'hygienist', $2, $3, $4)"
    async with pool.transaction(schedule.tenant) as connection:
        await connection.execute(add, schedule.tenant, at(13), at(14), booked.id)
    with pytest.raises(SlotTaken):
        await held(calendar, schedule, at(13))
    with pytest.raises(Exception, match="one_at_a_time"):
        async with pool.transaction(schedule.tenant) as connection:
            await connection.execute(add, schedule.tenant, at(13, 30), at(15), booked.id)


async def test_installing_at_once_and_again_is_harmless(calendar: PostgresCalendar, pool: Pool) -> None:
    """One row, written once for equal schedules; what another process installed is seen at the next call."""
    schedule = practice()
    await asyncio.gather(*(calendar.install(schedule) for _ in range(8)))
    async with pool.transaction(schedule.tenant) as connection:
        first = await connection.fetch("select tenant, digest, installed_at from hayai.schedule")
    await calendar.install(schedule)
    async with pool.transaction(schedule.tenant) as connection:
        assert await connection.fetch("select tenant, digest, installed_at from hayai.schedule") == first
    assert len(first) == 1
    elsewhere = PostgresCalendar(Settings(), pool=pool)
    assert await calendar.next_open(schedule.tenant, "checkup", at(9), 1)
    await elsewhere.install(schedule.model_copy(update={"hours": {}}))
    assert await calendar.next_open(schedule.tenant, "checkup", at(9), 1) == []


async def test_what_postgres_cannot_hold_does_not_fail_a_booking(
    calendar: PostgresCalendar, schedule: Schedule
) -> None:
    """NUL and half a surrogate pair in a name, in ids that are looked up, in a key."""
    odd = Customer(person="p\0", name="A\0da \ud800")
    booked = await calendar.hold(schedule.tenant, "checkup", at(9), customer=odd, key="k\0")
    assert (await calendar.find(schedule.tenant, booked.id)).customer.name == "A\ufffdda \ufffd"
    window = Window(start=at(0), end=at(0) + timedelta(days=1))
    assert len(await calendar.appointments(schedule.tenant, window, person="p\0")) == 1
