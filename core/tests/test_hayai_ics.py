"""ICS files that other calendars read: an independent reading of RFC 5545 on what we write, line by line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from hayai.errors import ResourceUnknown
from hayai.ics import booking, feed
from hayai.ports.calendar import Appointment, Customer
from hayai.testing.practice import at, practice

SCHEDULE = practice()
NOW = at(8)


def appointment(**changes: Any) -> Appointment:
    """A confirmed cleaning on Monday at nine."""
    usual = {
        "id": "a1",
        "tenant": "t1",
        "service": "cleaning",
        "starts_at": at(9),
        "ends_at": at(9, 45),
        "resources": ("chair-1", "hygienist"),
        "status": "confirmed",
        "customer": Customer(person="p", name="Ada; Lovelace, \nCountess"),
        "version": 3,
    }
    return Appointment(**{**usual, **changes})


def unfolded(ics: bytes) -> list[str]:
    """Content lines as section 3.1 defines them: CRLF ends, folded lines joined, at most 75 octets each."""
    assert ics.endswith(b"\r\n")
    assert b"\n" not in ics.replace(b"\r\n", b"")
    assert max(len(line) for line in ics.split(b"\r\n")) <= 75
    return ics.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def test_a_booking_is_a_calendar_with_one_event_in_utc() -> None:
    """The required properties, and nothing of the customer."""
    lines = unfolded(
        booking(appointment(), SCHEDULE, business="Bright Smile", address="1 Main St, Springfield", now=NOW)
    )
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    assert set(lines) >= {
        "VERSION:2.0",
        "PRODID:-//Hayai//Hayai 1//EN",
        "UID:a1@t1.hayai",
        "DTSTAMP:20260302T130000Z",
        "DTSTART:20260302T140000Z",
        "DTEND:20260302T144500Z",
        "SEQUENCE:2",
        "STATUS:CONFIRMED",
        "SUMMARY:Cleaning\\, Bright Smile",
        "LOCATION:1 Main St\\, Springfield",
    }
    assert "Ada" not in "".join(lines)


@pytest.mark.parametrize(
    ("status", "said"), [("held", "TENTATIVE"), ("cancelled", "CANCELLED"), ("expired", "CANCELLED")]
)
def test_what_became_of_a_booking_shows(status: str, said: str) -> None:
    """A hold is tentative; what is off says so, under the same UID."""
    lines = unfolded(booking(appointment(status=status), SCHEDULE, business="B", now=NOW))
    assert f"STATUS:{said}" in lines
    assert "UID:a1@t1.hayai" in lines
    assert not [line for line in lines if line.startswith("LOCATION")]


def test_a_feed_holds_what_the_resource_is_booked_for() -> None:
    """Others' appointments stay out; names only where they are asked for, escaped."""
    several = [
        appointment(),
        appointment(id="a2", service="gone", starts_at=at(10), ends_at=at(11)),
        appointment(id="a3", resources=("chair-2",)),
    ]
    plain = unfolded(feed(several, SCHEDULE, "hygienist", now=NOW))
    assert [line for line in plain if line.startswith("UID")] == ["UID:a1@t1.hayai", "UID:a2@t1.hayai"]
    assert {"NAME:Dana", "REFRESH-INTERVAL;VALUE=DURATION:PT15M", "SUMMARY:Cleaning", "SUMMARY:gone"} <= set(plain)
    named = unfolded(feed(several, SCHEDULE, "hygienist", now=NOW, names=True))
    assert "SUMMARY:Cleaning: Ada\\; Lovelace\\, \\nCountess" in named


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_what_a_customer_types_stays_one_line_of_text(line_end: str) -> None:
    """A line end makes no property of its own, and what no calendar may hold is left out (RFC 5545, 3.3.11)."""
    name = f"A\x00d\x1ba\x0b\x85{line_end}ATTACH:x\ud800\tZ"
    lines = unfolded(
        feed([appointment(customer=Customer(person="p", name=name))], SCHEDULE, "hygienist", now=NOW, names=True)
    )
    assert "SUMMARY:Cleaning: Ada\\nATTACH:x\tZ" in lines


def test_instants_of_any_zone_are_written_in_utc() -> None:
    """A TZID would name a zone that the file does not describe."""
    berlin, tokyo = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
    moved = appointment(starts_at=at(9).astimezone(berlin), ends_at=at(9, 45).astimezone(tokyo))
    lines = unfolded(booking(moved, SCHEDULE, business="B", now=NOW.astimezone(tokyo)))
    assert set(lines) >= {"DTSTAMP:20260302T130000Z", "DTSTART:20260302T140000Z", "DTEND:20260302T144500Z"}


def test_a_feed_reads_back_as_it_was_written() -> None:
    """Long titles beyond one line, and every event."""
    several = [
        appointment(
            id=f"a{each}", starts_at=at(9) + timedelta(hours=each), customer=Customer(person="p", name="é" * 90)
        )
        for each in range(5)
    ]
    ics = feed(several, SCHEDULE, "chair-1", now=NOW, names=True)
    unfolded(ics)
    read = icalendar.Calendar.from_ical(ics)
    assert [event.decoded("dtstart") for event in read.walk("VEVENT")] == [each.starts_at for each in several]
    assert {event.decoded("dtstart").utcoffset() for event in read.walk("VEVENT")} == {timedelta()}
    assert {str(event["summary"]) for event in read.walk("VEVENT")} == {"Cleaning: " + "é" * 90}


def test_an_unknown_resource_is_said_so() -> None:
    """A feed of nothing would look like a free week."""
    with pytest.raises(ResourceUnknown, match="choose one of chair-1, chair-2, hygienist"):
        feed([], SCHEDULE, "chair-9", now=NOW)
