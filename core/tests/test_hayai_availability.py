"""Which starts are free: the clocks' changes, hours, exceptions, buffers, resources, notice and horizon."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hayai.availability.rota import Rota
from hayai.availability.rules import said
from hayai.availability.slots import (
    Busy,
    Visit,
    allowed,
    by_resource,
    choose,
    free_slots,
    nearest,
    pages,
    reach,
    rings,
)
from hayai.availability.spans import Spans
from hayai.availability.wall import instants
from hayai.schedule import DayException, Opening, Resource, Schedule, Service, Window
from hayai.testing.practice import at, practice

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIVE = 5 * MINUTE
ZONES = [
    "America/New_York",
    "America/Havana",  # changes at midnight
    "America/Nuuk",  # falls back over midnight
    "Africa/Cairo",  # changes again since 2023, at midnight
    "Africa/Casablanca",  # stands back for Ramadan
    "Antarctica/Troll",  # two hours at once
    "Asia/Beirut",
    "Australia/Lord_Howe",  # half an hour
    "Europe/Dublin",  # "winter time" is the exception there
    "Europe/London",
    "Pacific/Chatham",  # 12:45 from Greenwich
    "Asia/Kolkata",  # never changes
]


def transitions(zone: str) -> list[datetime]:
    """The first instant after each change of offset from 2020 to 2037, by looking at every half hour."""
    found, known = [], ZoneInfo(zone)
    instant, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
    while instant < end:
        if instant.astimezone(known).utcoffset() != (instant + DAY).astimezone(known).utcoffset():
            found += [
                each
                for each in (instant + 30 * MINUTE * n for n in range(1, 49))
                if (each - MINUTE).astimezone(known).utcoffset() != each.astimezone(known).utcoffset()
            ]
        instant += DAY
    return found


TRANSITIONS = {zone: transitions(zone) for zone in ZONES}


def simple(zone: str, opens: int, closes: int, duration: timedelta, step: timedelta) -> Schedule:
    """Open every day from and to those minutes after midnight; one service, one chair, no notice."""
    opening = Opening(opens=_clock(opens), closes=_clock(closes))
    return Schedule(
        tenant="t",
        timezone=zone,
        hours=dict.fromkeys(range(7), (opening,)),
        services=(Service(id="s", name="S", duration=duration, needs=("chair",)),),
        resources=(Resource(id="c", name="C", kind="chair"),),
        step=step,
        minimum_notice=timedelta(),
    )


def _clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def offered(schedule: Schedule, window: Window) -> list[datetime]:
    """The free starts in an empty calendar."""
    visit = Visit(schedule, schedule.services[0])
    return [each.starts_at for each in free_slots(visit, window, [])]


def expected(schedule: Schedule, window: Window) -> list[datetime]:
    """The same by brute force: look at the wall clock at every fifth minute, and believe nothing else."""
    zone, opening = ZoneInfo(schedule.timezone), schedule.hours[0][0]
    duration, step = schedule.services[0].duration, schedule.step
    opens = timedelta(hours=opening.opens.hour, minutes=opening.opens.minute)
    closes = timedelta(hours=opening.closes.hour, minutes=opening.closes.minute) or DAY
    count = (window.end + duration - window.start) // FIVE
    clock = [
        timedelta(hours=wall.hour, minutes=wall.minute)
        for wall in ((window.start + FIVE * n).astimezone(zone) for n in range(count))
    ]
    is_open = [opens <= each < closes for each in clock]
    length = duration // FIVE
    return [
        window.start + FIVE * n
        for n in range((window.end - window.start) // FIVE)
        if is_open[n] and not (clock[n] - opens) % step and all(is_open[n : n + length])
    ]


def around(instant: datetime) -> Window:
    """A day and a bit on either side."""
    return Window(start=instant - 26 * HOUR, end=instant + 26 * HOUR)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("opens", "closes", "minutes", "step"), [(0, 0, 45, 15), (25, 200, 30, 20)])
def test_offers_are_right_around_every_change_of_the_clocks(
    zone: str, opens: int, closes: int, minutes: int, step: int
) -> None:
    """2020 to 2037: what the wall clock shows decides, a repeated hour counts twice, a skipped one never."""
    schedule = simple(zone, opens, closes, minutes * MINUTE, step * MINUTE)
    for change in TRANSITIONS[zone]:
        assert offered(schedule, around(change)) == expected(schedule, around(change))


@settings(max_examples=150, deadline=None)
@given(
    change=st.sampled_from([(zone, each) for zone, found in TRANSITIONS.items() for each in found]),
    opens=st.integers(0, 287),
    length=st.integers(1, 288),
    duration=st.integers(1, 60),
    step=st.sampled_from([5, 10, 15, 20, 25, 30, 45, 60, 90, 120]),
)
def test_any_hours_are_right_around_any_change(
    change: tuple[str, datetime], opens: int, length: int, duration: int, step: int
) -> None:
    """Openings that begin or end inside a gap or an overlap, appointments longer than either."""
    closes = min(opens + length, 288)
    schedule = simple(change[0], opens * 5, closes * 5, duration * FIVE, step * MINUTE)
    assert offered(schedule, around(change[1])) == expected(schedule, around(change[1]))


def test_the_zones_change_as_often_as_they_should() -> None:
    """So that the two tests above look at something: two changes a year, none in India."""
    assert len(TRANSITIONS["America/New_York"]) == len(TRANSITIONS["Europe/London"]) == 36
    assert TRANSITIONS["Asia/Kolkata"] == []
    assert all(len(found) >= 20 for zone, found in TRANSITIONS.items() if zone != "Asia/Kolkata")


def test_a_wall_time_in_the_gap_is_no_instant_and_one_in_the_overlap_is_two() -> None:
    """New York, 14 March 2027 at 02:30 and 1 November 2026 at 01:30."""
    zone = ZoneInfo("America/New_York")
    assert instants(datetime(2027, 3, 14, 2, 30), zone) == []  # noqa: DTZ001 - wall time
    twice = instants(datetime(2026, 11, 1, 1, 30), zone)  # noqa: DTZ001 - wall time
    assert twice == [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)]


def test_an_hour_that_comes_twice_says_which_is_meant() -> None:
    """The two half past ones of 1 November 2026 in New York, and one like any other."""
    schedule = practice()
    twice = [said(schedule, datetime(2026, 11, 1, hour, 30, tzinfo=UTC)) for hour in (5, 6)]
    assert twice == [f"Sunday, 1 November 2026 at 01:30 {zone}" for zone in ("EDT", "EST")]
    assert said(schedule, at(9, 30)) == "Monday, 2 March 2026 at 09:30"


def test_an_appointment_over_a_change_is_as_long_as_any_other() -> None:
    """An hour from 01:30 in New York ends at 03:30 in spring and at 01:30 in autumn."""
    schedule = simple("America/New_York", 0, 0, HOUR, 30 * MINUTE)
    for start, ends in (
        (datetime(2027, 3, 14, 6, 30, tzinfo=UTC), "03:30"),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "01:30"),
    ):
        visit = Visit(schedule, schedule.services[0])
        slot = next(free_slots(visit, Window(start=start, end=start + MINUTE), []))
        assert slot.ends_at - slot.starts_at == HOUR
        assert f"{slot.ends_at.astimezone(schedule.zone):%H:%M}" == ends


def test_an_appointment_may_cross_midnight_where_both_days_are_open() -> None:
    """24:00 and 00:00 are one instant; the grid begins anew with each opening."""
    schedule = simple("Europe/London", 0, 0, HOUR, 45 * MINUTE)
    night = Window(start=datetime(2026, 1, 5, 22, tzinfo=UTC), end=datetime(2026, 1, 6, 1, tzinfo=UTC))
    assert [f"{each:%H:%M}" for each in offered(schedule, night)] == ["22:30", "23:15", "00:00", "00:45"]


def day(schedule: Schedule, service: str = "whitening", **wanted: Any) -> list[str]:
    """Offers on Monday, 2 March 2026, by New York's clock."""
    busy = wanted.pop("busy", [])
    visit = Visit(schedule, next(each for each in schedule.services if each.id == service), **wanted)
    window = Window(start=at(0), end=at(23))
    return [f"{each.starts_at.astimezone(schedule.zone):%H:%M}" for each in free_slots(visit, window, busy)]


def test_a_resource_is_there_within_both_its_own_hours_and_the_business_s() -> None:
    """From 8 to 10:30 means from 9; on a day without hours of its own it is not there at all."""
    schedule = practice()
    hours = {0: (Opening(opens=time(8), closes=time(10, 30)),)}
    chairs = tuple(each for each in schedule.resources if each.kind == "chair")
    dana = Resource(id="hygienist", name="Dana", kind="hygienist", hours=hours)
    assert day(schedule.model_copy(update={"resources": (*chairs, dana)})) == ["09:00", "09:15", "09:30"]
    away = Resource(id="hygienist", name="Dana", kind="hygienist", hours={1: hours[0]})
    assert day(schedule.model_copy(update={"resources": (*chairs, away)})) == []


def test_an_exception_replaces_the_hours_of_its_day() -> None:
    """Closed, or other hours; also on a day that is closed by its weekday."""
    schedule = practice()
    shut = DayException(day=date(2026, 3, 2))
    late = DayException(day=date(2026, 3, 2), openings=(Opening(opens=time(18), closes=time(20)),))
    assert day(schedule.model_copy(update={"exceptions": (shut,)})) == []
    moved = schedule.model_copy(update={"exceptions": (late,), "hours": {}})
    assert day(moved) == ["18:00", "18:15", "18:30", "18:45", "19:00"]


def test_neighbouring_openings_are_one() -> None:
    """9 to 12 and 12 to 17 leave no seam; each has its own grid."""
    halves = (Opening(opens=time(11), closes=time(12, 10)), Opening(opens=time(12, 10), closes=time(13)))
    schedule = practice().model_copy(update={"hours": {0: halves}})
    assert day(schedule) == ["11:00", "11:15", "11:30", "11:45", "12:00"]


def test_what_is_busy_blocks_with_the_buffers_of_the_new_one() -> None:
    """A whitening needs 10 minutes before and 20 after; touching is no overlap."""
    busy = [Busy("hygienist", at(10, 30), at(12)), Busy("chair-1", at(9), at(17))]
    offers = day(practice(), busy=busy)
    assert offers[0] == "09:00"
    assert "09:15" not in offers
    assert offers[1] == "13:00"


def test_each_kind_is_served_by_whoever_is_free() -> None:
    """Those asked for first and only they for their need, then those kept, then the others in order."""
    schedule = practice()
    both = schedule.services[0].model_copy(update={"needs": ("chair", "chair")})
    rota = Rota(schedule, at(9), at(10))
    taken = {"chair-1": Spans([(at(9), at(9, 30))])}

    def chosen(start: datetime, **wanted: Any) -> tuple[str, ...] | None:
        return choose(Visit(schedule, wanted.pop("service", schedule.services[0]), **wanted), start, rota, taken)

    assert chosen(at(9)) == ("chair-2",)
    assert chosen(at(9, 30)) == ("chair-1",)
    assert chosen(at(9, 30), kept=frozenset({"chair-2"})) == ("chair-2",)
    assert chosen(at(9), asked=frozenset({"chair-1"})) is None
    assert chosen(at(9, 30), asked=frozenset({"chair-2"})) == ("chair-2",)
    assert chosen(at(9), service=both) is None
    assert chosen(at(9, 30), service=both, asked=frozenset({"chair-2"})) == ("chair-1", "chair-2")
    assert chosen(at(9), service=both, asked=frozenset({"chair-1"})) is None


def test_notice_and_horizon_are_inclusive() -> None:
    """A start exactly two hours away and one exactly ninety days away may be had."""
    schedule = practice()
    window = allowed(schedule, Window(start=at(0), end=at(0) + 365 * DAY), at(9))
    assert window.start == at(11)
    assert window.start <= at(9) + schedule.horizon < window.end
    past = allowed(schedule, Window(start=at(0), end=at(1)), at(9))
    assert past.start == past.end


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))), st.integers(0, 60), st.integers(1, 60))
def test_spans_are_sets_of_instants(pairs: list[tuple[int, int]], start: int, length: int) -> None:
    """Compared with a plain set of minutes; disjoint and in order, whatever went in."""
    spans = Spans((at(9) + a * MINUTE, at(9) + b * MINUTE) for a, b in pairs)
    minutes = {each for a, b in pairs for each in range(a, b)}
    asked = set(range(start, start + length))
    between = (at(9) + start * MINUTE, at(9) + (start + length) * MINUTE)
    assert spans.covers(*between) == (asked <= minutes)
    assert spans.touches(*between) == bool(asked & minutes)
    flat = [each for span in spans for each in span]
    assert flat == sorted(set(flat))


_MINUTES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)))


@given(_MINUTES, _MINUTES, st.integers(0, 60))
def test_spans_are_joined_and_taken_away_as_sets_are(
    some: list[tuple[int, int]], others: list[tuple[int, int]], minute: int
) -> None:
    """What is in both, in the one but not the other, and whether an instant is in it: as plain sets have it."""
    one, other = (Spans((at(9) + a * MINUTE, at(9) + b * MINUTE) for a, b in pairs) for pairs in (some, others))
    ones, theirs = ({each for a, b in pairs for each in range(a, b)} for pairs in (some, others))
    instant = at(9) + minute * MINUTE
    assert (instant in one) == (minute in ones)
    assert (instant in one.both(other)) == (minute in ones & theirs)
    assert (instant in one.less(other)) == (minute in ones - theirs)


@given(
    st.lists(st.tuples(st.sampled_from(("chair-1", "chair-2", "hygienist")), st.integers(0, 40), st.integers(1, 25))),
    st.sampled_from(practice().services),
    st.sampled_from(((), ("chair-2",))),
)
def test_what_is_free_is_what_could_be_chosen(
    kept: list[tuple[str, int, int]], service: Service, asked: tuple[str, ...]
) -> None:
    """The starts that are told at once for a whole stretch are those of which each alone is free."""
    schedule = practice()
    visit = Visit(schedule, service, frozenset(asked) if "chair" in service.needs else frozenset())
    window = Window(start=at(8), end=at(8) + 2 * DAY)
    busy = [Busy(who, at(8) + 15 * a * MINUTE, at(8) + 15 * (a + b) * MINUTE) for who, a, b in kept]
    rota, taken = Rota(schedule, window.start, window.end), by_resource(busy)
    alone = [each for each in rota.starts() if window.start <= each < window.end and choose(visit, each, rota, taken)]
    assert [each.starts_at for each in free_slots(visit, window, busy)] == alone


@pytest.mark.parametrize("away", [-900 * DAY, timedelta(), 30 * DAY, 90 * DAY, 900 * DAY])
def test_the_search_for_alternatives_ends_with_all_there_is(away: timedelta) -> None:
    """From around what was wanted, ever wider, nothing twice; also from far outside."""
    limits = Window(start=at(9), end=at(9) + 90 * DAY)
    steps = list(rings(at(9) + away, limits))
    assert len(steps) <= 4
    assert sum((each.end - each.start for step in steps for each in step), timedelta()) == 90 * DAY
    joined = Spans((each.start, each.end) for step in steps for each in step)
    assert list(joined) == [(limits.start, limits.end)]


def test_pages_meet_without_a_seam() -> None:
    """And their reach holds the buffers of the starts at their edges."""
    found = list(pages(Window(start=at(0), end=at(0) + 5 * DAY), 2 * DAY))
    assert [each.start for each in found] == [at(0), at(0) + 2 * DAY, at(0) + 4 * DAY]
    assert [each.end for each in found] == [at(0) + 2 * DAY, at(0) + 4 * DAY, at(0) + 5 * DAY]
    schedule = practice()
    read = reach(Visit(schedule, schedule.services[2]), found[0])
    assert (read.start, read.end) == (at(0) - 10 * MINUTE, at(0) + 2 * DAY + 80 * MINUTE)


def test_the_nearest_come_in_order_of_time() -> None:
    """Chosen by distance, told by time."""
    hours = [at(each) for each in (9, 10, 13, 14, 16)]
    assert nearest(hours, at(12), 3) == [at(10), at(13), at(14)]
