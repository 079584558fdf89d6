"""The safety net: what may have changed a time and was not read is asked about; ordinary talk beside a time is not."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Understanding, Window

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 10, 0, tzinfo=ZONE)
TUESDAY = Window(datetime(2026, 11, 24, 15, tzinfo=ZONE), datetime(2026, 11, 24, 15, 1, tzinfo=ZONE), precise=True)


def read(text: str, context: Window | None = None) -> Understanding:
    """Understand a text in the office's week."""
    return understand(text, now=NOW, hours=Hours(), context=context)


@pytest.mark.parametrize(
    "text",
    [
        "Thursday pre 10",
        "Friday's impossible for me",
        "every other friday at 2",
        "penultimate friday of the month",
        "either side of lunch on friday",
        "this time next week",
        "friday at 3 unless thursday is free",
        "friday from 4 til 2",
        "dec 5 or 6pm",
        "friday at 3, or was it 4",
        "sat 11... no sorry, never mind",
        "Tuesday at 9 is too early",
        "Friday at 3, not sure yet",
        "mornings are better for me",
        "anything but Mondays",
        "the whole 40th of november",
        "I finish work at 4 tomorrow, so 4.30?",
        "my exam is on friday at 2",
        "next week but 2-3 only",
        "after work one day",
        "any weekday bar tuesday at 10",
        "as late as possible on thursday",
        "not too late on thursday",
        "whenever the kids are at school on Friday",
    ],
)
def test_what_may_have_turned_a_time_is_asked_about(text: str) -> None:
    """A negation, a relation, a second reading or a telling that no rule has read."""
    got = read(text)
    assert got.confidence < SURE, got.windows
    assert got.question


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("Hi, it's Ann, no rush at all, Friday at 3 would be lovely", ["11-20 15:00"]),
        ("if it isn't too much trouble, tomorrow at 11", ["11-19 11:00"]),
        ("I don't mind who I see, Monday at 9:30 please", ["11-23 09:30"]),
        ("my tooth broke on Sunday, can I come today at 4?", ["11-18 16:00"]),
        ("the lease runs out on the 30th so could I come on Thursday at 2", ["11-19 14:00"]),
        ("a table for 2 on Friday at 3", ["11-20 15:00"]),
        ("I was last in on Monday. Could you do Thursday the 26th at noon?", ["11-26 12:00"]),
        ("groom for rex friday 2pm", ["11-20 14:00"]),
        ("cleaning on dec 16 or 17", ["12-16 00:00", "12-17 00:00"]),
        ("not the 20th - the 27th at 10", ["11-27 10:00"]),
        ("early friday afternoon", ["11-20 12:00"]),
        ("any time on the 23rd bar the morning", ["11-23 12:00"]),
        ("the 24th not at 3 but at 4", ["11-24 16:00"]),
        ("in two fridays", ["11-27 00:00"]),
        ("friday at 3 or later", ["11-20 15:00"]),
        ("nothing before 11 or after 3 on friday", ["11-20 11:00"]),
    ],
)
def test_ordinary_talk_beside_a_time_is_not_asked_about(text: str, starts: list[str]) -> None:
    """Tellings, courtesies and names change nothing."""
    got = read(text)
    assert got.confidence >= SURE, got
    assert [f"{w.start:%m-%d %H:%M}" for w in got.windows] == starts


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("oh go on then, 4", "11-24 16:00"),
        ("make it quarter past", "11-24 15:15"),
        ("same time the week after", "12-01 15:00"),
        ("same time but thursday", "11-19 15:00"),
        ("later that week", "11-25 00:00"),
        ("the monday after", "11-30 00:00"),
        ("move it an hour back", "11-24 16:00"),
    ],
)
def test_replies_lean_on_the_time_under_discussion(text: str, start: str) -> None:
    """Said while Tuesday at three is discussed."""
    got = read(text, TUESDAY)
    assert got.confidence >= SURE, got
    assert f"{got.windows[0].start:%m-%d %H:%M}" == start


def test_an_hour_outside_of_opening_is_read_as_the_one_nearest_to_it() -> None:
    """Thus "5:15" on a day that closes at five is an afternoon, which the calendar calls closed."""
    got = read("friday at 5:15")
    assert got.confidence >= SURE
    assert got.windows[0].start.hour == 17
