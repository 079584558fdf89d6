"""What is told and what is wished, bounds and contrasts: the classes of the language behind single phrases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Understanding, Window

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
TORONTO = ZoneInfo("America/Toronto")
MONTHS = {
    "january": 31, "feb": 29, "march": 31, "april": 30, "may": 31, "june": 30,
    "july": 31, "aug": 31, "september": 30, "oct": 31, "november": 30, "dec": 31,
}  # fmt: skip


def read(text: str, *, zone: ZoneInfo = NEW_YORK, now: str = "2027-03-01T10:15", day: str = "") -> Understanding:
    """Understand a text on a Monday in March, or another moment; `day` is under discussion."""
    context = None
    if day:
        start = datetime.fromisoformat(day).replace(tzinfo=zone)
        context = Window(start, start + timedelta(minutes=1), precise=True)
    return understand(text, now=datetime.fromisoformat(now).replace(tzinfo=zone), hours=Hours(), context=context)


def starts(got: Understanding) -> list[str]:
    """The beginnings of the windows, month to minute."""
    return [f"{w.start:%m-%d %H:%M}" for w in got.windows]


@pytest.mark.parametrize(
    "telling",
    [
        "my wife has hers on tuesday at 2",
        "the plumber comes on tuesday at 9",
        "my boss needs me on tuesday",
        "my kids have football on tuesdays and wednesdays",
        "i've got court on the 9th",
        "i've got a guy coming for the roof tuesday at 9",
        "the landlord is showing the place on tuesday at 10",
        "call me back on wednesday after 5",
        "i'm in chicago until wednesday",
        "i'll be back in town on the 10th",
        "it resets on june 1",
        "we paid on the 2nd",
        "they said the 3rd",
        "originally i wanted tuesday",
    ],
)
@pytest.mark.parametrize("joint", [", so ", ". Could you do ", ", but "])
def test_what_is_told_is_no_wish(telling: str, joint: str) -> None:
    """Whatever joins the telling to the wish, only the wish is read, or a question asked."""
    got = read(f"{telling}{joint}friday at 3")
    assert got.confidence < SURE or starts(got) == ["03-05 15:00"]


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("beyond", [1, 5, 20])
def test_a_day_that_no_month_has_is_asked_about(month: str, beyond: int) -> None:
    """Thus "dec 32" is no December."""
    got = read(f"{month} {MONTHS[month] + beyond}")
    assert got.confidence < SURE
    assert not got.windows


@pytest.mark.parametrize("days", ["the 16th or 17th", "dec 16 or 17", "wednesday or thursday", "the 16th or the 17th"])
@pytest.mark.parametrize("times", ["between 2 and 4", "after 2", "from 2 to 4", "at 2"])
def test_a_time_before_two_days_is_that_of_both(days: str, times: str) -> None:
    """Thus "between 2 and 4 on dec 16 or 17" names the stretch on both."""
    got = read(f"{times} on {days}", now="2026-12-14T10:00")
    assert got.confidence >= SURE, got.reason
    assert starts(got) == ["12-16 14:00", "12-17 14:00"]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("not until friday afternoon", "03-05 12:00", "05-05 00:00"),
        ("after friday morning", "03-05 12:00", "05-05 00:00"),
        ("by friday afternoon", "03-01 10:15", "03-05 17:00"),
        ("before friday afternoon", "03-01 10:15", "03-05 12:00"),
        ("it can wait until friday", "03-05 00:00", "05-05 00:00"),
        ("the earliest i can do is friday", "03-05 00:00", "05-05 00:00"),
        ("i get paid on the 5th so any time after that", "03-06 00:00", "05-06 00:00"),
        ("the lease ends on the 5th so it has to be before that", "03-01 10:15", "03-05 00:00"),
    ],
)
def test_an_open_end_hangs_on_the_part_of_the_day_that_was_said(text: str, first: str, last: str) -> None:
    """One stretch from or up to a moment, not that part of every day."""
    (window,) = read(text).windows
    assert (f"{window.start:%m-%d %H:%M}", f"{window.end:%m-%d %H:%M}") == (first, last)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i don't want 9 on the 5th, i want 9:30", ["03-05 09:30"]),
        ("friday, not thursday at 2", ["03-05 14:00"]),
        ("friday at 2... actually make it 3", ["03-05 15:00"]),
        ("friday at 2, scrap that, 3", ["03-05 15:00"]),
        ("can i swap my 9:30 on friday for 10:30", ["03-05 10:30"]),
        ("wednesday or thursday, either one at 3", ["03-03 15:00", "03-04 15:00"]),
        ("wednesday all day or thursday until noon", ["03-03 00:00", "03-04 00:00"]),
        ("not this friday but the next one at 10", ["03-12 10:00"]),
    ],
)
def test_a_contrast_changes_only_what_it_names(text: str, expected: list[str]) -> None:
    """The day or the hour that was not named again stays."""
    got = read(text)
    assert got.confidence >= SURE, got.reason
    assert starts(got) == expected


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("3/9 at 2", NEW_YORK, ["03-09 14:00"]),
        ("9/3 at 2", LONDON, ["03-09 14:00"]),
        ("3/9 at 2", TORONTO, None),
        ("3/4 at 2", NEW_YORK, None),
        ("5/3 at 2", NEW_YORK, None),
        ("2/3 at 2", NEW_YORK, None),
        ("4/5 at 2", NEW_YORK, None),
    ],
)
def test_a_slash_date_is_read_where_the_order_is_certain_and_near(
    text: str, zone: ZoneInfo, expected: list[str] | None
) -> None:
    """The order of the country and nearness agree, or it is a question."""
    got = read(text, zone=zone, now="2027-03-01T10:15" if "4/5" not in text else "2027-04-12T10:00")
    assert (starts(got) if got.confidence >= SURE else None) == expected


@pytest.mark.parametrize("year", [2026, 2027, 2028, 2029])
@pytest.mark.parametrize(("name", "month", "day"), [("christmas", 12, 25), ("july 20th", 7, 20)])
def test_a_weekend_or_weekday_beside_a_date_is_the_nearest_to_it(year: int, name: str, month: int, day: int) -> None:
    """By the calendar, whatever the year."""
    there = date(year, month, day)
    before = there - timedelta((there.weekday() - 4) % 7 or 7)
    after = there + timedelta((0 - there.weekday()) % 7 or 7)
    saturday = there - timedelta((there.weekday() - 5) % 7 or 7)
    saturday -= timedelta(7 if there.weekday() == 6 else 0)
    for text, expected in (
        (f"the last friday before {name}", before),
        (f"the monday after {name}", after),
        (f"the weekend before {name}", saturday),
    ):
        got = read(text, now=f"{year}-02-02T10:00")
        assert got.windows[0].start.date() == expected, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thursday instead, same time", "03-11 15:00"),
        ("the thursday of that week at 9", "03-11 09:00"),
        ("the following week, same day same time", "03-16 15:00"),
        ("a week later at 9", "03-16 09:00"),
        ("move it up an hour", "03-09 14:00"),
        ("the same but on friday", "03-05 15:00"),
    ],
)
def test_a_change_leans_on_the_appointment_under_discussion(text: str, expected: str) -> None:
    """Said while the 9th at three is discussed."""
    got = read(text, day="2027-03-09T15:00")
    assert got.confidence >= SURE, got.reason
    assert starts(got) == [expected]
