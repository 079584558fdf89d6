"""Quiet hours: when day begins, in one zone and in several, on nights that are longer or shorter than others."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayai.quiet import next_waking
from hayai.schedule import Opening

DAY = Opening(opens=time(8), closes=time(21))
NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
PLACES = [ZoneInfo(each) for each in ("America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe")]


def local(zone: ZoneInfo, *when: int) -> datetime:
    """That wall time there, in UTC."""
    return datetime(*when, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ((2026, 11, 24, 8, 0), (2026, 11, 24, 8, 0)),
        ((2026, 11, 24, 20, 59), (2026, 11, 24, 20, 59)),
        ((2026, 11, 24, 21, 0), (2026, 11, 25, 8, 0)),
        ((2026, 11, 24, 7, 59), (2026, 11, 24, 8, 0)),
        ((2026, 3, 7, 23, 0), (2026, 3, 8, 8, 0)),  # a night of eight hours
        ((2026, 10, 31, 23, 0), (2026, 11, 1, 8, 0)),  # and one of ten
    ],
)
def test_day_begins_by_the_wall_clock(now: tuple[int, ...], then: tuple[int, ...]) -> None:
    """At eight, however long the night was, and ends when it is nine."""
    assert next_waking(local(NEW_YORK, *now), [NEW_YORK], DAY) == local(NEW_YORK, *then)


def test_hours_to_midnight_know_no_evening() -> None:
    """`24:00` is kept as the next day's first instant."""
    late = local(BERLIN, 2026, 11, 24, 23, 59)
    assert next_waking(late, [BERLIN], Opening(opens=time(0), closes=time(0))) == late


def test_places_without_an_hour_in_common_have_no_day() -> None:
    """None, and no search without end."""
    morning = Opening(opens=time(8), closes=time(9))
    assert next_waking(local(BERLIN, 2026, 11, 24, 8), [BERLIN, NEW_YORK], morning) is None


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    zones=st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True),
)
def test_it_is_the_first_instant_that_is_day_everywhere(now: datetime, zones: list[ZoneInfo]) -> None:
    """No minute before it is day in all of them, and it is itself."""
    found = next_waking(now, zones, DAY)
    minute = now
    while not all(time(8) <= minute.astimezone(each).time() < time(21) for each in zones):
        minute += timedelta(minutes=1)
        if minute > now + timedelta(days=2):
            assert found is None
            return
    assert found is not None
    assert found <= minute < found + timedelta(minutes=1)
