"""At night: what we send of our own accord waits for the customer's morning, and comes once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import pytest
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA

from hayai.vocabulary.messages import MessageDelivered, MessagePostponed, MessageWithheld, ReplyReady
from hayai_consent.agent import consent
from hayai_twilio.simulator.line import THEIRS
from hayai_twilio.zones import zones_of

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.testing.channel import House
    from hayai.testing.clock import MovableClock
    from hayai_twilio.simulator.line import Line
    from hayai_twilio.sms import TwilioSMS

NIGHT = datetime(2026, 11, 25, 3, tzinfo=UTC)  # 22:00 in New York, where the business is
MORNING = datetime(2026, 11, 25, 13, tzinfo=UTC)


@pytest.fixture
async def seen(house: House, channel: TwilioSMS, line: Line, clock: MovableClock) -> list[Event]:
    """What became of replies, with channel and agent at work, at night, after a first message."""
    seen = await house.noted(MessageDelivered, MessagePostponed, MessageWithheld)
    for group in (channel.handlers(), consent):
        await house.run(group)
    clock.set(NIGHT)
    assert await line.text("Hello") == 200
    await house.bus.settle()
    return seen


async def remind(house: House, *, text: str = "Your cleaning is tomorrow at 3.") -> None:
    """Send it of our own accord, and wait for all that follows."""
    event, cause = house.received[-1]
    ready = ReplyReady(channel="sms", person=event.person, text=text, purpose="service")
    await house.bus.publish(ready, tenant=cause.tenant, cause=cause)
    await house.bus.settle()


async def test_a_reminder_waits_for_the_morning(
    house: House, line: Line, clock: MovableClock, seen: list[Event]
) -> None:
    """Nothing at night, one text at eight, one line in the transcript, no dead letter."""
    await remind(house)
    (postponed,) = seen
    assert isinstance(postponed, MessagePostponed)
    assert postponed.until == MORNING
    clock.set(MORNING - timedelta(seconds=1))
    await house.bus.settle()
    assert line.twilio.heard(THEIRS) == []
    clock.set(MORNING)
    await house.bus.settle()
    assert line.twilio.heard(THEIRS) == ["Your cleaning is tomorrow at 3."]
    assert [each.type for each in seen] == ["message.postponed", "message.delivered"]
    assert [each.text for each in await house.lines()] == ["Hello", "Your cleaning is tomorrow at 3."]
    assert await house.bus.dead_letters() == []


async def test_an_answer_is_sent_at_night(house: House, line: Line, seen: list[Event]) -> None:
    """To whoever wrote at night."""
    await house.reply("Good evening!", channel="sms")
    assert line.twilio.heard(THEIRS) == ["Good evening!"]
    assert [each.type for each in seen] == ["message.delivered"]


async def test_a_night_does_not_hold_up_the_conversation(house: House, line: Line, seen: list[Event]) -> None:
    """Who writes while a reminder waits is answered before it."""
    await remind(house)
    await house.reply("Good evening!", channel="sms")
    assert line.twilio.heard(THEIRS) == ["Good evening!"]
    assert [each.type for each in seen] == ["message.postponed", "message.delivered"]


async def test_a_stop_in_the_night_holds_in_the_morning(
    house: House, line: Line, clock: MovableClock, seen: list[Event]
) -> None:
    """What waited is withheld."""
    await remind(house)
    assert await line.text("STOP") == 200
    await house.bus.settle()
    clock.set(MORNING)
    await house.bus.settle()
    assert line.twilio.heard(THEIRS) == []
    assert isinstance(seen[-1], MessageWithheld)
    assert "taken back leave for service" in seen[-1].reason


def test_every_zone_of_a_number_is_one_that_this_machine_knows() -> None:
    """The two come from different hands."""
    assert {each for zones in TIMEZONE_DATA.values() for each in zones} - {UNKNOWN_TIMEZONE} <= available_timezones()


@pytest.mark.parametrize(
    ("address", "zones"),
    [
        ("+12075550142", ("America/New_York",)),
        ("whatsapp:+14155550100", ("America/Los_Angeles",)),
        ("+4915112345678", ("Europe/Berlin",)),
        ("+15550100199", ()),
        ("nobody", ()),
    ],
)
def test_a_number_tells_where_its_owner_may_be(address: str, zones: tuple[str, ...]) -> None:
    """Or nothing, where the business's own clock counts."""
    assert zones_of(address) == zones
