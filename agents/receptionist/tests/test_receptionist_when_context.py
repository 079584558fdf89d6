"""Words that lean on the window under discussion, and what the answer says beside its windows."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Understanding, Window

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 10, 0, tzinfo=ZONE)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A wall time in the year of these tests."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


TUESDAY_AT_THREE = Window(at(24, 15), at(24, 15, 1), precise=True)
ALL_TUESDAY = Window(at(24, 0), at(25, 0), precise=False)
NEXT_WEEK = Window(at(23, 0), at(30, 0), precise=False)


def read(text: str, context: Window | None = None) -> Understanding:
    """Understand a text in the office's week."""
    return understand(text, now=NOW, hours=Hours(), context=context)


@pytest.mark.parametrize(
    ("text", "start", "precise"),
    [
        ("make it half an hour later", at(24, 15, 30), True),
        ("an hour earlier please", at(24, 14), True),
        ("same day at 4", at(24, 16), True),
        ("at 4", at(24, 16), True),
        ("4:30", at(24, 16, 30), True),
        ("3", at(24, 15), True),
        ("the day after", at(25, 0), False),
        ("the next day at 11", at(25, 11), True),
        ("the day before", at(23, 0), False),
        ("same time on Thursday", at(19, 15), True),
        ("Thursday at the same time", at(19, 15), True),
        ("a week later", at(1, 15, month=12), True),
        ("two days later", at(26, 15), True),
        ("push it back an hour", at(24, 16), True),
        ("could we bring it forward by 30 minutes", at(24, 14, 30), True),
        ("a bit later", at(24, 15, 1), False),
        ("in the morning", at(24, 6), False),
        ("the week after", at(30, 0), False),
        ("Friday", at(20, 0), False),
        ("tomorrow at 9", at(19, 9), True),
        ("the same day in the afternoon", at(24, 12), False),
        ("rather the 30th", at(30, 0), False),
        ("the following Friday", at(27, 0), False),
    ],
)
def test_words_lean_on_the_window_under_discussion(text: str, start: datetime, precise: bool) -> None:
    """Said while Tuesday at three is discussed."""
    got = read(text, TUESDAY_AT_THREE)
    assert got.confidence >= SURE, got
    assert (got.windows[0].start, got.windows[0].precise) == (start, precise)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("Tuesday", [at(24, 0)]),
        ("Friday", [at(27, 0)]),
        ("at 4 on Thursday", [at(26, 16)]),
        ("any day after 3", [at(d, 15) for d in range(23, 28)]),
        ("mornings", [at(d, 6) for d in range(23, 28)]),
        ("not Monday", [at(24, 0)]),
        ("earlier", []),
    ],
)
def test_a_week_under_discussion_holds_the_weekdays(text: str, starts: list[datetime]) -> None:
    """Said while next week is discussed, "Friday" is that week's."""
    got = read(text, NEXT_WEEK)
    assert [w.start for w in got.windows] == starts or (not starts and got.question)


@pytest.mark.parametrize("text", ["half an hour later", "same time on Thursday", "the day after", "the week after"])
def test_without_anything_under_discussion_it_asks(text: str) -> None:
    """A word that leans on nothing is a question."""
    got = read(text)
    assert got.confidence < SURE
    assert got.question


@pytest.mark.parametrize("text", ["an hour later", "half an hour earlier"])
def test_an_hour_later_than_a_whole_day_is_a_question(text: str) -> None:
    """Only a clock time can be moved by an hour."""
    assert read(text, ALL_TUESDAY).question


def test_a_conflict_offers_both_days_at_the_time_named() -> None:
    """Thus "Monday the 5th" when the 5th is a Saturday."""
    got = read("Monday the 5th at 2")
    assert got.question == "The 5th is a Saturday. Do you mean Saturday, 5 December or Monday, 7 December?"
    assert [c.start for c in got.choices] == [at(5, 14, month=12), at(7, 14, month=12)]
    assert all(c.precise for c in got.choices)


def test_next_weekday_offers_both_weeks() -> None:
    """Thus "next Tuesday" on a Wednesday is asked about, the nearer one first."""
    got = read("next Tuesday")
    assert [c.start.day for c in got.choices] == [24, 1]
    assert got.windows[0] == got.choices[0]


def test_am_or_pm_is_asked_when_neither_is_within_hours() -> None:
    """Thus "at 7" in an office from nine to five."""
    got = read("tomorrow at 7")
    assert [c.start.hour for c in got.choices] == [7, 19]
    assert got.question
    assert "7:00 am" in got.question
    assert "7:00 pm" in got.question


def test_the_past_is_said_to_be_past() -> None:
    """An explicit past day is returned, with a question that says so."""
    got = read("yesterday at 3")
    assert got.windows[0].start == at(17, 15)
    assert got.question
    assert "in the past" in got.question


@pytest.mark.parametrize(
    ("text", "leftover"),
    [
        ("hi I'm Bob, a cleaning on Friday at 3 please", "hi I'm Bob, a cleaning please"),
        ("Tuesday or Wednesday, my name is Ann", "my name is Ann"),
        ("do you take Delta Dental?", "do you take Delta Dental?"),
        ("a 60 minute massage tomorrow", "a 60 minute massage"),
    ],
)
def test_the_leftover_keeps_what_is_not_time(text: str, leftover: str) -> None:
    """Names and services stay for whoever reads on."""
    assert read(text).leftover == leftover


@pytest.mark.parametrize(
    ("text", "has_date", "has_time"),
    [
        ("Friday at 3", True, True),
        ("Friday", True, False),
        ("at 3", False, True),
        ("in the morning", False, True),
        ("in an hour", True, True),
        ("hello", False, False),
    ],
)
def test_it_tells_whether_a_date_and_a_time_were_named(text: str, has_date: bool, has_time: bool) -> None:
    """So that the caller can ask for what is missing."""
    got = read(text)
    assert (got.has_date, got.has_time) == (has_date, has_time)


def test_the_reason_repeats_no_customer_text() -> None:
    """Names never reach the log."""
    got = read("I'm Barnaby Quux, every Tuesday-ish at 3 or whatever")
    assert "Barnaby" not in got.reason
    assert "Quux" not in got.reason


def test_a_repeated_hour_is_its_first_until_that_is_over() -> None:
    """The night the clocks go back, 1:30 comes twice."""
    hours = Hours()
    before = datetime(2026, 11, 1, 0, 30, tzinfo=ZONE)
    first = understand("today at 1:30am", now=before, hours=hours).windows[0].start
    between = datetime(2026, 11, 1, 1, 45, tzinfo=ZONE)
    second = understand("today at 1:30am", now=between, hours=hours).windows[0].start
    assert (first.fold, second.fold) == (0, 1)


def test_a_skipped_hour_is_a_question() -> None:
    """The night the clocks go forward, 2:30 does not come."""
    got = understand("Sunday at 2:30am", now=datetime(2027, 3, 12, 9, tzinfo=ZONE), hours=Hours())
    assert got.question
    assert "clocks go forward" in got.question
