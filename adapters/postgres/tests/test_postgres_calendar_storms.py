"""Many at once on one calendar: one winner a place, quick answers, no overlap, and nothing left that would fit."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.availability.rota import Rota
from hayai.availability.rules import refusal
from hayai.availability.slots import Busy, Visit, by_resource, choose
from hayai.errors import BookingRefused, HoldExpired, OutsideHours, SlotTaken
from hayai.ports.base import Settings
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Window
from hayai.testing.practice import at, practice
from hayai_postgres.books import PostgresBooks
from hayai_postgres.calendar import PostgresCalendar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from hayai.pools import Pool
    from hayai.schedule import Schedule
    from hayai.testing.clock import MovableClock
    from hayai.testing.postgres_server import ServedDatabase

SECONDS = 2.0
"""The bound that every answer keeps, on a machine that has nothing else to do."""
TRACED = 10
"""How much slower a tracer (coverage) may make it."""
STORMS = 3
OVERLAPS = """
select count(*) from hayai.occupancy a join hayai.occupancy b
    on a.tenant = b.tenant and a.resource = b.resource and a.ctid < b.ctid and a.blocked && b.blocked
"""
LIVE = """
select o.resource, o.kept_from, o.kept_until from hayai.occupancy o
  join hayai.appointment a on a.tenant = o.tenant and a.id = o.appointment
 where a.status = 'confirmed' or (a.status = 'held' and a.expires_at > $1)
"""
FULL_APPOINTMENT = """
insert into hayai.appointment
       (tenant, id, service, starts_at, ends_at, resources, status, person, name, contact, version)
values ($1, $2, 'checkup', $3, $4, array[$5], 'confirmed', 'somebody', '', '', 1)
"""
FULL_PLACE = """
insert into hayai.occupancy (tenant, appointment, kept_from, kept_until, resource) values ($1, $2, $3, $4, $5)
"""
Outcome = Appointment | BaseException
Wish = tuple[str, datetime]
"""The id of a service, and a start."""


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


async def storm(attempts: Iterable[Awaitable[Appointment]]) -> list[Outcome]:
    """All outcomes; any that is no appointment and no refusal fails the test, as does one that takes too long."""
    outcomes, slowest = await timed(attempts)
    assert slowest < bound()
    return outcomes


def bound() -> float:
    """The seconds that an answer may take here and now: the more, the more others compete for each processor."""
    crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return SECONDS * crowded * (TRACED if sys.gettrace() else 1)


async def timed(attempts: Iterable[Awaitable[Appointment]]) -> tuple[list[Outcome], float]:
    """All outcomes, and the seconds that the slowest took."""

    async def one(attempt: Awaitable[Appointment]) -> tuple[Outcome, float]:
        begun = time.perf_counter()
        try:
            outcome: Outcome = await attempt
        except BookingRefused as error:
            outcome = error
        return outcome, time.perf_counter() - begun

    answers = await asyncio.gather(*map(one, attempts))
    slowest = max(seconds for _, seconds in answers)
    print(f"{Counter(type(each).__name__ for each, _ in answers)}, slowest {slowest:.2f} s")
    return [each for each, _ in answers], slowest


def hold(
    calendar: PostgresCalendar, schedule: Schedule, service: str, start: datetime, key: object
) -> Awaitable[Appointment]:
    """An attempt by somebody of their own."""
    return calendar.hold(schedule.tenant, service, start, customer=Customer(person=f"p{key}"), key=f"hold {key}")


def winners(outcomes: Iterable[Outcome]) -> list[Appointment]:
    """Those who got what they asked for."""
    return [each for each in outcomes if isinstance(each, Appointment)]


def visit_of(schedule: Schedule, service: str) -> Visit:
    """A service of the practice, with any resources."""
    return Visit(schedule, next(each for each in schedule.services if each.id == service))


async def check_sound(pool: Pool, schedule: Schedule) -> None:
    """No two stored rows overlap."""
    async with pool.transaction(schedule.tenant) as connection:
        assert await connection.fetchval(OVERLAPS) == 0


async def check_full(pool: Pool, schedule: Schedule, refused: Iterable[Wish], now: datetime) -> None:
    """None of the refused could still be added; a hold that has run out by `now` is in nobody's way.

    Whoever was refused found somebody in the way who had committed: they still are, where nobody cancels or moves.
    """
    await check_sound(pool, schedule)
    async with pool.transaction(schedule.tenant) as connection:
        busy = by_resource(Busy(*row) for row in await connection.fetch(LIVE, now))
    for service, start in refused:
        visit = visit_of(schedule, service)
        assert choose(visit, start, Rota(schedule, *visit.span(start)), busy) is None


def least_booked(schedule: Schedule, wishes: Iterable[Wish]) -> int:
    """So many bookings at least are in every set of them that leaves no place for another of the wishes.

    Counts wishes of which no one booking shuts out two (nor books one and shuts out another): each of them is booked,
    or refused for a booking that is in the way of no other.
    """
    visits = [(visit_of(schedule, service), start) for service, start in wishes]
    alone: list[tuple[Visit, datetime]] = []
    for wish in sorted(visits, key=lambda each: each[0].blocked(each[1])[1]):
        if not any(in_the_way(one, wish) and in_the_way(one, other) for one in visits for other in alone):
            alone.append(wish)
    return len(alone)


def in_the_way(one: tuple[Visit, datetime], other: tuple[Visit, datetime]) -> bool:
    """Whether two could want one resource at one instant, buffers included."""
    (a, b), (c, d) = (visit.blocked(start) for visit, start in (one, other))
    return a < d and c < b and not set(one[0].service.needs).isdisjoint(other[0].service.needs)


@pytest.mark.parametrize(("service", "places"), [("whitening", 1), ("cleaning", 1), ("checkup", 2)])
async def test_of_200_on_one_slot_as_many_win_as_there_are_places(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, clock: MovableClock, service: str, places: int
) -> None:
    """One resource; two chairs and one hygienist together; two chairs. The others get two alternatives at least."""
    outcomes = await storm(hold(calendar, schedule, service, at(10), each) for each in range(200))
    assert len(winners(outcomes)) == places
    lost = [each for each in outcomes if isinstance(each, SlotTaken)]
    assert len(lost) == 200 - places
    assert all(len(each.alternatives) >= 2 for each in lost)
    await check_full(pool, schedule, [(service, at(10))], clock())


@pytest.mark.parametrize("services", [["whitening"], ["checkup", "cleaning", "whitening"]])
async def test_200_staggered_attempts_fill_the_day_without_overlap(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, clock: MovableClock, services: list[str]
) -> None:
    """Starts two minutes apart, shuffled: what is booked fits together, and no refused attempt could still be added."""
    chance = random.Random(7)
    wishes = [(chance.choice(services), at(9) + timedelta(minutes=each * 2)) for each in range(200)]
    chance.shuffle(wishes)
    outcomes = await storm(hold(calendar, schedule, *wish, key) for key, wish in enumerate(wishes))
    possible = [wish for wish in wishes if refusal(visit_of(schedule, wish[0]), wish[1], clock()) is None]
    refused = [wish for wish, each in zip(wishes, outcomes, strict=True) if isinstance(each, SlotTaken)]
    assert len(winners(outcomes)) + len(refused) == len(possible)
    assert len(winners(outcomes)) >= least_booked(schedule, possible) >= 2
    await check_full(pool, schedule, refused, clock())


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
        wishes = ((at(10) + timedelta(days=each % 3), each) for each in range(200))
        outcomes, seconds = await timed(hold(calendar, schedule, service, *each) for each in wishes)
        for each in outcomes:
            assert isinstance(each, SlotTaken | OutsideHours)
            assert len(each.alternatives) >= 2
            assert min(each.alternatives) > at(0) + timedelta(days=74)
        if seconds < bound():
            return
    pytest.fail(f"The slowest answer took {seconds:.1f} s, {STORMS} times over.")


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
        books, window = PostgresBooks(connection, schedule.tenant, {}), Window(start=at(9), end=at(17))
        room = visit_of(schedule, "whitening").room
        told = await books.busy(["hygienist"], window, at(0), room=room)
        exact = await books.busy(["hygienist"], window, at(0), but="gap 1")
    assert room == timedelta(minutes=90)
    assert sorted((each.start, each.end) for each in told) == [(at(9), at(13)), (at(14, 30), at(17))]
    assert sorted((each.start, each.end) for each in exact) == [kept[0], kept[2]]
    assert [each.starts_at for each in await calendar.open_slots(schedule.tenant, "whitening", window)] == []


async def test_the_slot_of_a_hold_that_runs_out_goes_to_one_of_many(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, clock: MovableClock
) -> None:
    """Its holder confirms while fifty others want it: the slot is the holder's or one other's, never both's."""
    late = await hold(calendar, schedule, "cleaning", at(10), "late")
    clock.advance(schedule.hold)
    attempts = [hold(calendar, schedule, "cleaning", at(10), each) for each in range(50)]
    outcomes = await storm([*attempts, calendar.confirm(schedule.tenant, late.id)])
    assert isinstance(outcomes[-1], HoldExpired)
    assert len(winners(outcomes)) == 1
    assert (await calendar.find(schedule.tenant, late.id)).status == "expired"
    await check_full(pool, schedule, [("cleaning", at(10))], clock())


@pytest.mark.parametrize("seed", range(3))
async def test_confirming_races_with_the_end_of_the_hold(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule, clock: MovableClock, seed: int
) -> None:
    """The holder's clock says that there is time, another's that there is none: whoever commits first is right."""
    held = await hold(calendar, schedule, "whitening", at(10), "holder")

    def ahead() -> datetime:
        return clock() + schedule.hold

    others = PostgresCalendar(Settings(), pool=pool, clock=ahead)
    attempts = [hold(others, schedule, "whitening", at(10), each) for each in range(10)]
    attempts.insert(seed * 3, calendar.confirm(schedule.tenant, held.id))
    assert len(winners(await storm(attempts))) == 1
    await check_full(pool, schedule, [("whitening", at(10))], clock())


async def test_a_storm_of_moves_swaps_and_cancels_leaves_no_overlap(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """Everybody wants everybody else's slot: no deadlock surfaces, and who was refused still has the old one."""
    day = [at(9) + timedelta(hours=each) for each in (0, 1, 2, 4, 5, 6, 7)]
    booked = winners([await hold(calendar, schedule, "cleaning", start, start) for start in day])
    booked += winners([await hold(calendar, schedule, "checkup", start, f"c{start}") for start in day])
    chance = random.Random(7)
    moves = [
        (chance.choice(booked), chance.choice(day) + timedelta(minutes=chance.choice((0, 15)))) for _ in range(150)
    ]
    cancelled = booked[::5]
    outcomes = await storm(
        [calendar.move(schedule.tenant, each.id, start, key=f"move {n}") for n, (each, start) in enumerate(moves)]
        + [calendar.cancel(schedule.tenant, each.id) for each in cancelled]
    )
    assert len(winners(outcomes)) > len(cancelled)
    await check_sound(pool, schedule)
    async with pool.transaction(schedule.tenant) as connection:
        kept = dict(await connection.fetch("select appointment, count(*) from hayai.occupancy group by 1"))
    for each in booked:
        now = await calendar.find(schedule.tenant, each.id)
        assert kept.get(each.id, 0) == (0 if each in cancelled else len(now.resources))


async def test_two_who_swap_their_slots_never_wait_for_each_other(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """Each gives up what the other wants, twenty times at once: both are told no, or one of them got away before."""
    one, two = [await hold(calendar, schedule, "whitening", at(hour), hour) for hour in (9, 13)]
    for turn in range(20):
        swap = ((one.id, at(13)), (two.id, at(9)))
        await storm(calendar.move(schedule.tenant, each, start, key=f"{turn} {each}") for each, start in swap)
    await check_sound(pool, schedule)


async def test_two_transactions_that_book_twice_in_opposite_orders_end(
    calendar: PostgresCalendar, pool: Pool, schedule: Schedule
) -> None:
    """One gets both, the other is told to try the whole again: a transient error, so the bus delivers it again."""
    booked_once: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]

    async def twice(me: int, services: tuple[str, str], start: datetime) -> Appointment:
        async with pool.transaction(schedule.tenant):
            await hold(calendar, schedule, services[0], start, f"{start} 1")
            booked_once[me].set()
            await booked_once[1 - me].wait()
            return await hold(calendar, schedule, services[1], start, f"{start} 2")

    there, back = ("whitening", "checkup"), ("checkup", "whitening")
    done = await asyncio.gather(twice(0, there, at(9)), twice(1, back, at(13)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Appointment", "Unavailable"]
    await check_sound(pool, schedule)
