"""The receptionist as the bus runs it: delivered again, crashed in mid-turn, without a calendar, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hayai.errors import Unavailable
from hayai.ports.conversations import Memory
from hayai.vocabulary.appointments import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from hayai.vocabulary.people import HandedToHuman
from hayai_receptionist.agent import receptionist

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hayai.event import Event
    from hayai_receptionist.clerk import Clerk, OpenClerk

READY = ("I'm Ada, 207 555 0188. A cleaning tomorrow at 3",)
BOOKED = (*READY, "yes")
TURNS: list[tuple[tuple[str, ...], str, type[Event] | None]] = [
    ((), READY[0], None),
    (READY, "yes", AppointmentBooked),
    (READY, "yes but at 4", None),
    (READY, "forget it", None),
    ((*BOOKED, "move it to 4"), "yes", AppointmentMoved),
    ((*BOOKED, "cancel my appointment"), "yes", AppointmentCancelled),
    (BOOKED, "can I speak to a person?", HandedToHuman),
]
IDS = [text for _, text, _ in TURNS]


async def opening(open_clerk: OpenClerk, before: tuple[str, ...]) -> Clerk:
    """A clerk to whom `before` was said already."""
    clerk = await open_clerk()
    for text in before:
        await clerk.hear(text)
    return clerk


def test_it_is_one_durable_consumer() -> None:
    """The name of its consumer is part of the contract with the streams that exist."""
    assert [each.name for each in receptionist] == ["receptionist_answer"]


@pytest.mark.parametrize(("before", "text", "event"), TURNS, ids=IDS)
async def test_the_same_event_again_repeats_its_outcome(
    before: tuple[str, ...], text: str, event: type[Event] | None, open_clerk: OpenClerk
) -> None:
    """Delivered again, a message has the same follow-ups, and the calendar does not change."""
    clerk = await opening(open_clerk, before)
    first = await clerk.hear(text, id_="again")
    stored, talk = await clerk.kept(), await clerk.talk()
    second = await clerk.hear(text, id_="again")
    assert (second.text, second.choices, second.events) == (first.text, first.choices, first.events)
    assert [type(each) for each in first.events] == ([event] if event else [])
    assert await clerk.kept() == stored
    assert await clerk.talk() == talk
    assert second.pieces == ""


def failing_once(of: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """`of`, whose first call raises Unavailable before it does anything."""
    failed: list[bool] = []

    async def call(*arguments: Any) -> None:
        if not failed:
            failed.append(True)
            raise Unavailable("The memory does not answer: try again.")
        await of(*arguments)

    return call


@pytest.mark.parametrize(("before", "text", "event"), TURNS, ids=IDS)
async def test_a_turn_that_crashed_before_it_was_remembered_ends_the_same(
    before: tuple[str, ...],
    text: str,
    event: type[Event] | None,
    open_clerk: OpenClerk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the calendar did already is found again by its idempotency key: same answer, one appointment."""
    smooth, rough = await opening(open_clerk, before), await opening(open_clerk, before)
    monkeypatch.setattr(rough.conversations, "remember", failing_once(rough.conversations.remember))
    with pytest.raises(Unavailable):
        await rough.hear(text, id_="again")
    answered, expected = await rough.hear(text, id_="again"), await smooth.hear(text, id_="again")
    assert answered.text == expected.text
    assert [each.model_dump(exclude={"appointment"}) for each in answered.events] == [
        each.model_dump(exclude={"appointment"}) for each in expected.events
    ]
    assert [(each.status, each.starts_at) for each in await rough.kept()] == [
        (each.status, each.starts_at) for each in await smooth.kept()
    ]


async def test_without_a_calendar_the_message_is_left_to_the_bus(
    open_clerk: OpenClerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unavailable reaches the bus, and nothing is remembered of the turn."""
    clerk = await open_clerk()

    async def gone(*_: Any, **__: Any) -> None:
        raise Unavailable("The calendar does not answer: try again.")

    monkeypatch.setattr(clerk.calendar, "hold", gone)
    with pytest.raises(Unavailable):
        await clerk.hear(READY[0])
    memory: Memory | None = await clerk.conversations.recall(clerk.business.tenant, "talk-1", "receptionist")
    assert memory is None


async def test_a_person_has_the_same_appointments_in_another_conversation(open_clerk: OpenClerk) -> None:
    """The calendar knows the person, not the talk."""
    clerk = await opening(open_clerk, BOOKED)
    answered = await clerk.hear("cancel my appointment", conversation="talk-2")
    assert "Shall I cancel Cleaning on Tuesday, 24 November at 3 PM?" in answered.text
    answered = await clerk.hear("yes", conversation="talk-2")
    assert isinstance(answered.events[0], AppointmentCancelled)
    assert not await clerk.kept()


async def test_a_yes_after_the_appointment_went_elsewhere_says_so(open_clerk: OpenClerk) -> None:
    """Cancelled in another talk while a move was being asked about: nothing is claimed to be moved."""
    clerk = await opening(open_clerk, (*BOOKED, "move it to 4"))
    await clerk.hear("cancel my appointment", conversation="talk-2")
    await clerk.hear("yes", conversation="talk-2")
    answered = await clerk.hear("yes")
    assert "I do not see an appointment of yours that I could move" in answered.text
    assert not answered.events


async def test_a_start_that_was_taken_before_the_yes_is_not_claimed(open_clerk: OpenClerk) -> None:
    """A move is asked about without a hold; who comes first keeps the slot, and the old one stays."""
    clerk = await opening(open_clerk, (*BOOKED, "move it to wednesday at 4"))
    await clerk.hear("I'm Grace, 207 555 0100. cleaning wednesday at 4", person="grace", conversation="other")
    await clerk.hear("yes", person="grace", conversation="other")
    answered = await clerk.hear("yes")
    assert "I could not move it. Wednesday, 25 November at 4 PM is not free." in answered.text
    assert len(answered.choices) >= 3
    (booked,) = await clerk.booked("ada")
    assert booked.starts_at.day == 24


async def test_a_service_that_the_business_dropped_is_asked_for_again(open_clerk: OpenClerk) -> None:
    """A business file that changes in the middle of a talk is no error."""
    clerk = await opening(open_clerk, ("a whitening, please",))
    kept = tuple(each for each in clerk.business.schedule.services if each.id != "whitening")
    schedule = clerk.business.schedule.model_copy(update={"services": kept})
    changed = clerk.business.model_copy(update={"schedule": schedule})
    await clerk.calendar.install(schedule)
    clerk.business = clerk.tier.businesses[changed.tenant] = changed
    answered = await clerk.hear("tomorrow at 3")
    assert "What would you like to come in for?" in answered.text


async def test_a_state_that_cannot_be_read_begins_the_talk_anew(open_clerk: OpenClerk) -> None:
    """Another release may have left words that this one does not know; the customer is still answered."""
    clerk = await opening(open_clerk, ("hello",))
    strange = Memory({"stage": "juggling", "offers": 7}, "event-0", [])
    await clerk.conversations.remember(clerk.business.tenant, "talk-1", "receptionist", strange)
    answered = await clerk.hear("my appointments")
    assert "I do not see any appointment of yours." in answered.text
