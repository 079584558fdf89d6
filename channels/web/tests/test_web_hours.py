"""Hours in words, by the business's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from hayai.business import parse_business
from hayai_web.hours import clock_time, differing, open_now, week

SCHEDULE = parse_business(
    {
        "tenant": "smile-dental",
        "name": "Smile Dental",
        "timezone": "America/New_York",
        "hours": {"monday": ["09:00-12:00", "13:30-17:00"], "friday": "18:00-24:00"},
        "exceptions": [
            {"day": "2026-03-30", "reason": "training"},
            {"day": "2026-03-09", "hours": "10:00-11:00"},
            {"day": "2026-06-01"},
        ],
        "services": [{"id": "cleaning", "name": "Cleaning", "minutes": 30, "needs": ["chair"]}],
        "resources": [{"id": "chair-1", "name": "Chair 1", "kind": "chair"}],
    }
).schedule


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (datetime(2026, 3, 2, 13, 59, tzinfo=UTC), "Opens today at 9 am"),
        (datetime(2026, 3, 2, 14, 0, tzinfo=UTC), "Open now until 12 pm"),
        (datetime(2026, 3, 2, 17, 0, tzinfo=UTC), "Opens today at 1:30 pm"),
        (datetime(2026, 3, 2, 21, 59, tzinfo=UTC), "Open now until 5 pm"),
        (datetime(2026, 3, 2, 22, 0, tzinfo=UTC), "Opens Friday at 6 pm"),
        (datetime(2026, 3, 3, 4, 59, tzinfo=UTC), "Opens Friday at 6 pm"),
        (datetime(2026, 3, 6, 4, 0, tzinfo=UTC), "Opens tomorrow at 6 pm"),
        (datetime(2026, 3, 7, 4, 59, tzinfo=UTC), "Open now until midnight"),
        (datetime(2026, 3, 9, 14, 30, tzinfo=UTC), "Open now until 11 am"),
        (datetime(2026, 3, 30, 15, 0, tzinfo=UTC), "Opens Friday at 6 pm"),
    ],
)
def test_the_page_says_whether_it_is_open(now: datetime, told: str) -> None:
    """Lunch, midnight, another day in UTC, a change of the clocks and exceptions are all the business's."""
    assert open_now(SCHEDULE, now) == told


def test_a_business_on_holiday_says_so() -> None:
    """Where no day of the coming week has hours there is nothing better to say."""
    on_holiday = SCHEDULE.model_copy(update={"hours": {}})
    assert open_now(on_holiday, datetime(2026, 4, 2, 14, 0, tzinfo=UTC)) == "Closed this week"


def test_the_week_has_all_its_days() -> None:
    """A day without hours is closed."""
    assert [hours for _, _, hours in week(SCHEDULE)] == [
        "9 am – 12 pm, 1:30 pm – 5 pm",
        *["Closed"] * 3,
        "6 pm – midnight",
        *["Closed"] * 2,
    ]


def test_what_differs_soon_is_told() -> None:
    """The exceptions of the next 30 days, in order."""
    assert list(differing(SCHEDULE, date(2026, 3, 2))) == [
        (date(2026, 3, 9), "10 am – 11 am", ""),
        (date(2026, 3, 30), "Closed", "training"),
    ]


@pytest.mark.parametrize(("at", "told"), [(time(0), "midnight"), (time(12, 5), "12:05 pm"), (time(0, 30), "12:30 am")])
def test_a_time_reads_as_people_say_it(at: time, told: str) -> None:
    """Twelve is noon or midnight."""
    assert clock_time(at) == told
