"""The receptionist with a language model: its tools on a calendar, and the rules that take over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hayai.business import load_business
from hayai.errors import Unavailable
from hayai.ports.calendar import Customer
from hayai.schedule import Window
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryCalendar
from hayai.testing.memory_models import ScriptedModels, calls, says
from hayai.testing.rehearsal import Rehearsal, results
from hayai.vocabulary.appointments import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from hayai.vocabulary.people import HandedToHuman
from hayai_receptionist.agent import receptionist

DENTIST = load_business("hayai_receptionist:practices/dentist.toml")
ZONE = ZoneInfo(DENTIST.timezone)
NOW = datetime(2026, 11, 23, 10, tzinfo=ZONE)  # a Monday
TUESDAY = datetime(2026, 11, 24, 15, tzinfo=ZONE)


@pytest.fixture
async def desk() -> Rehearsal:
    """The dentist's, with an empty calendar and a model that says nothing yet."""
    clock = MovableClock(NOW)
    calendar = MemoryCalendar(clock=clock)
    await calendar.install(DENTIST.schedule)
    return Rehearsal(receptionist, ScriptedModels(), DENTIST, clock, {"calendar": calendar})


def _script(desk: Rehearsal, *steps: Any) -> ScriptedModels:
    desk.models = ScriptedModels(*steps)
    return desk.models


async def _appointments(desk: Rehearsal) -> list[tuple[str, str, datetime]]:
    calendar: Any = desk.ports["calendar"]
    found = await calendar.appointments(DENTIST.tenant, Window(start=NOW, end=NOW + timedelta(days=60)))
    return [(each.customer.person, each.status, each.starts_at) for each in found]


async def _of_bob(desk: Rehearsal) -> str:
    calendar: Any = desk.ports["calendar"]
    bob = Customer(person="bob", name="Bob Brown", contact="bob@example.org")
    held = await calendar.hold(DENTIST.tenant, "cleaning", TUESDAY + timedelta(days=1), customer=bob, key="bobs")
    return str((await calendar.confirm(DENTIST.tenant, held.id)).id)


def _book(start: str = "2026-11-24T15:00") -> Any:
    return calls("book", service="cleaning", starts_at=start, name="Ada Lovelace")


async def test_a_booking_from_the_first_word_to_the_last(desk: Rehearsal) -> None:
    """Looked up, offered, booked, moved and cancelled; each in the calendar and as an event."""
    _script(
        desk,
        calls("free_times", service="cleaning", first_day="2026-11-24", last_day="2026-11-24"),
        says("I have Tuesday at 3 PM. Shall I book it, and what is your name?"),
        _book(),
        says("You are booked for Tuesday, 24 November at 3 PM."),
    )
    assert "3 PM" in (await desk.hear("A cleaning tomorrow afternoon?")).text
    booked = await desk.hear("Yes, Ada Lovelace")
    assert booked.text == "You are booked for Tuesday, 24 November at 3 PM."
    event = booked.events[0]
    assert isinstance(event, AppointmentBooked)
    assert await _appointments(desk) == [("ada", "confirmed", TUESDAY)]
    _script(
        desk,
        calls("move", appointment=event.appointment, starts_at="2026-11-24T16:00"),
        says("It is moved to 4 PM on Tuesday."),
        calls("cancel", appointment=event.appointment),
        says("It is cancelled."),
    )
    moved = (await desk.hear("An hour later please")).events[0]
    assert isinstance(moved, AppointmentMoved)
    assert (moved.moved_from, moved.starts_at) == (TUESDAY, TUESDAY + timedelta(hours=1))
    cancelled = await desk.hear("Cancel it")
    assert isinstance(cancelled.events[0], AppointmentCancelled)
    assert cancelled.text == "It is cancelled."
    assert await _appointments(desk) == []


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (calls("services"), "cleaning: "),
        (calls("about_us"), "Hours: "),
        (calls("opening_hours", day="2026-11-29"), "closed"),
        (calls("free_times", service="cleaning", first_day="2026-11-24", last_day="2026-11-24"), "2026-11-24T"),
        (calls("free_times", service="cleaning", first_day="2026-11-29", last_day="2026-11-20"), "Nothing is free"),
        (calls("free_times", service="unicorn", first_day="2026-11-24", last_day="2026-11-24"), "There are: "),
        (calls("my_appointments"), "None."),
        (_book("2026-11-22T15:00"), ""),
        (_book("2026-11-24T03:00"), "Free a moment ago"),
        (calls("book", service="cleaning", starts_at="2026-11-24T15:00+99:00", name="x"), "arguments are wrong"),
        (calls("move", appointment="nonsense", starts_at="2026-11-24T15:00"), "no such appointment"),
        (calls("cancel", appointment=""), "no such appointment"),
    ],
)
async def test_what_a_tool_tells_the_model(desk: Rehearsal, call: Any, told: str) -> None:
    """The house's own words; a refusal is one as well, and nothing is booked."""
    models = _script(desk, call, says("Well."))
    await desk.hear("Hello")
    (result,) = results(models.asked[-1])
    assert told in result
    assert await _appointments(desk) == []


async def test_a_look_into_the_calendar_has_an_end(desk: Rehearsal) -> None:
    """Two weeks at most, and a dozen starts a day."""
    models = _script(
        desk, calls("free_times", service="cleaning", first_day="2026-11-24", last_day="2030-01-01"), says("Well.")
    )
    await desk.hear("Hello")
    lines = results(models.asked[-1])[0].splitlines()
    assert 5 < len(lines) <= 14
    assert all(each.count("(2026-") <= 12 for each in lines)


@pytest.mark.parametrize("tool", ["cancel", "move"])
async def test_somebody_elses_appointment_is_out_of_reach(desk: Rehearsal, tool: str) -> None:
    """Whatever the model is talked into, for it there is none; nor does it learn whose it is."""
    theirs = await _of_bob(desk)
    before = await _appointments(desk)
    more = {"starts_at": "2026-11-24T15:00"} if tool == "move" else {}
    models = _script(desk, calls(tool, appointment=theirs, **more), says("I cannot find it."))
    await desk.hear(f"I am Bob, {tool} {theirs}")
    assert "no such appointment" in results(models.asked[-1])[0]
    assert await _appointments(desk) == before
    assert "Brown" not in str([each.model_dump() for each in models.asked])


async def test_a_person_is_asked_for(desk: Rehearsal) -> None:
    """By an event, in words of the house."""
    _script(desk, calls("hand_over", reason="complains"), says("A colleague will call you."))
    (handed, *_) = (await desk.hear("I want your boss")).events
    assert isinstance(handed, HandedToHuman)
    assert handed.reason == "complains"


async def test_the_rules_take_over_and_give_back(desk: Rehearsal) -> None:
    """Nobody is greeted twice, and what the rules hold is free again when the model is back."""
    _script(desk, says("Hello."), *[Unavailable("away")] * 9)
    await desk.hear("Hi")
    asked = await desk.hear("A cleaning on Tuesday at 3 pm")
    assert DENTIST.greeting not in asked.text
    assert await _appointments(desk) == [("ada", "held", TUESDAY)]
    _script(desk, _book(), says("You are booked for Tuesday at 3 PM."))
    await desk.hear("Ada Lovelace", id_="event-back")
    assert await _appointments(desk) == [("ada", "confirmed", TUESDAY)]


async def test_the_rules_greet_where_there_is_no_model(desk: Rehearsal) -> None:
    """As ever."""
    desk.models = None
    assert DENTIST.greeting in (await desk.hear("Hi")).text


async def test_a_price_is_the_houses(desk: Rehearsal) -> None:
    """Not the model's."""
    _script(desk, says("A cleaning is $1."), calls("services"), lambda prompt: says(f"It is {_price(prompt)}."))
    heard = await desk.hear("What is a cleaning?")
    assert "$1." not in heard.text
    assert "$" in heard.text


def _price(prompt: Any) -> str:
    line = next(each for each in results(prompt)[0].splitlines() if each.startswith("cleaning:"))
    return line.rpartition(", ")[2]
