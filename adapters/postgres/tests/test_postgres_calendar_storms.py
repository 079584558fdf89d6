"""Many at once on one calendar: one winner a place, quick answers, no overlap, and nothing left that would fit."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.availability.rota import Rota
from hayai.availability.rules import refusal
from hayai.availability.slots import Busy, Visit, by_resource, choose
from hayai.errors import HoldExpired, SlotTaken
from hayai.ports.base import Settings
from hayai.ports.calendar import Appointment, Customer
from hayai.testing.practice import at, practice
from hayai.testing.storms import storm, winners
from hayai_postgres.calendar import PostgresCalendar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from hayai.pools import Pool
    from hayai.schedule import Schedule
    from hayai.testing.clock import MovableClock

OVERLAPS = """
select count(*) from hayai.occupancy a join hayai.occupancy b
    on a.tenant = b.tenant and a.resource = b.resource and a.ctid < b.ctid and a.blocked && b.blocked
"""
LIVE = """
select o.resource, o.kept_from, o.kept_until from hayai.occupancy o
  join hayai.appointment a on a.tenant = o.tenant and a.id = o.appointment
 where a.status = 'confirmed' or (a.status = 'held' and a.expires_at > $1)
"""
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


def hold(
    calendar: PostgresCalendar, schedule: Schedule, service: str, start: datetime, key: object
) -> Awaitable[Appointment]:
    """An attempt by somebody of their own."""
    return calendar.hold(schedule.tenant, service, start, customer=Customer(person=f"p{key}"), key=f"hold {key}")


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
