"""STOP, START and HELP by text: what is heard, what is not sent any more, and who answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.errors import Unavailable
from hayai.vocabulary.consent import PURPOSES, ConsentGiven, ConsentWithdrawn, HelpAsked
from hayai.vocabulary.messages import MessageWithheld, ReplyReady
from hayai.vocabulary.people import HandedToHuman
from hayai_consent.agent import consent
from hayai_twilio.simulator.account import new_sid
from hayai_twilio.simulator.line import OURS, THEIRS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.event import Event
    from hayai.testing.channel import House
    from hayai_twilio.simulator.line import Line
    from hayai_twilio.sms import TwilioSMS

KINDS = (ConsentWithdrawn, ConsentGiven, HelpAsked, MessageWithheld, HandedToHuman)


@pytest.fixture
async def seen(house: House, channel: TwilioSMS, line: Line) -> list[Event]:
    """What was told of consent, with channel and agent at work, after a first message."""
    seen = await house.noted(*KINDS)
    for group in (channel.handlers(), consent):
        await house.run(group)
    await write(house, line, "Hello")
    return seen


async def write(house: House, line: Line, text: str, *, sid: str | None = None, whatsapp: bool = False) -> None:
    """Text it, and wait for all that follows."""
    prefix = "whatsapp:" if whatsapp else ""
    assert await line.text(text, sid, sender=f"{prefix}{THEIRS}", to=f"{prefix}{OURS}") == 200
    await house.bus.settle()


async def test_a_stop_is_no_message_and_ends_all_texts(house: House, line: Line, seen: list[Event]) -> None:
    """No agent hears of it, and what they say from then on is withheld, without asking Twilio."""
    await write(house, line, "STOP")
    (stopped, confirmed) = seen
    assert isinstance(stopped, ConsentWithdrawn)
    assert (stopped.word, stopped.purposes) == ("stop", PURPOSES)
    assert isinstance(confirmed, MessageWithheld)  # the carrier has told them
    assert [received.text for received, _ in house.received] == ["Hello"]
    reply = await house.reply("Your cleaning is booked.", channel="sms")
    withheld = seen[-1]
    assert isinstance(withheld, MessageWithheld)
    assert withheld.reply == reply.id
    assert "taken back leave for answer" in withheld.reason
    assert line.twilio.heard(THEIRS) == []
    assert await house.bus.dead_letters() == []


async def test_a_start_lets_answers_through_again(house: House, line: Line, seen: list[Event]) -> None:
    """Also as YES, which is START from nobody but those who have stopped; a STOP that comes late changes nothing."""
    stop = new_sid()
    await write(house, line, "YES")
    assert [received.text for received, _ in house.received] == ["Hello", "YES"]
    await write(house, line, "Unsubscribe", sid=stop)
    await write(house, line, "Yes")
    assert [received.text for received, _ in house.received] == ["Hello", "YES"]
    yes = new_sid()
    await write(house, line, "STOP")
    await write(house, line, "Yes", sid=yes)
    await write(house, line, "Yes", sid=yes)  # which comes again, and is understood as it was
    assert [received.text for received, _ in house.received] == ["Hello", "YES"]
    given = next(each for each in seen if isinstance(each, ConsentGiven))
    assert (given.word, given.purposes) == ("yes", ("answer", "service"))
    await write(house, line, "Unsubscribe", sid=stop)
    line.twilio.account.opted_out.clear()  # for the carrier that was no text at all
    await house.reply("Good morning!", channel="sms")
    assert line.twilio.heard(THEIRS) == ["Good morning!"]


async def test_one_person_stops_for_themselves_alone(house: House, line: Line, seen: list[Event]) -> None:
    """Another customer of the same business is answered, and the same one on WhatsApp, where we answer the word."""
    await write(house, line, "STOP", whatsapp=True)
    assert line.twilio.heard(f"whatsapp:{THEIRS}") == [
        "Smile Dental: you will get no more texts from us. Text START to get them again, or call +1 555 010 0199."
    ]
    await house.reply("Good morning!", channel="sms")
    assert line.twilio.heard(THEIRS) == ["Good morning!"]


async def test_help_says_who_we_are(house: House, line: Line, seen: list[Event]) -> None:
    """Where the carrier does not."""
    await write(house, line, "help", whatsapp=True)
    assert isinstance(seen[0], HelpAsked)
    (told,) = line.twilio.heard(f"whatsapp:{THEIRS}")
    assert told.startswith("Smile Dental, 1 Main Street. Reach us at +1 555 010 0199.")
    assert told.endswith("Text STOP to get no more texts.")


async def test_who_texts_cancel_is_called(house: House, line: Line, seen: list[Event]) -> None:
    """They may have meant an appointment, and no text reaches them: a person takes over, by telephone."""
    await write(house, line, "Cancel")
    (handed,) = (each for each in seen if isinstance(each, HandedToHuman))
    assert "call them" in handed.reason
    assert THEIRS in line.twilio.account.opted_out


async def test_a_stop_that_the_carrier_alone_has_heard_is_learnt(house: House, line: Line, seen: list[Event]) -> None:
    """From its refusal: that answer is withheld, and Twilio is not asked about the next one."""
    line.twilio.account.opted_out.add(THEIRS)
    await house.reply("Good morning!", channel="sms")
    line.twilio.account.opted_out.clear()
    await house.reply("Are you there?", channel="sms")
    assert [type(each) for each in seen] == [MessageWithheld, MessageWithheld]
    assert line.twilio.heard(THEIRS) == []


async def test_what_sells_needs_a_yes_of_its_own(house: House, line: Line, seen: list[Event]) -> None:
    """Nobody has asked for it by writing to us, nor by START."""
    await write(house, line, "START")
    event, cause = house.received[-1]
    offer = ReplyReady(channel="sms", person=event.person, text="Half price!", purpose="marketing")
    await house.bus.publish(offer, tenant=cause.tenant, cause=cause)
    await house.bus.settle()
    withheld = seen[-1]
    assert isinstance(withheld, MessageWithheld)
    assert "never gave leave for marketing" in withheld.reason


@pytest.fixture
async def unanswered(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[bool]]:
    """While the list holds something, nobody can say what people want."""
    down: list[bool] = []
    asked = house.tier.consents.standing

    async def standing(*who: str) -> object:
        if down:
            raise Unavailable("The consents do not answer, as this test wants it.")
        return await asked(*who)

    monkeypatch.setattr(house.tier.consents, "standing", standing)
    yield down
    down.clear()


async def test_nothing_is_sent_while_nobody_can_say(
    house: House, line: Line, seen: list[Event], unanswered: list[bool]
) -> None:
    """And it is sent once when somebody can."""
    unanswered.append(True)
    event, cause = house.received[-1]
    reply = ReplyReady(channel="sms", person=event.person, text="Good morning!")
    await house.bus.publish(reply, tenant=cause.tenant, cause=cause)
    await asyncio.sleep(1.5)  # several tries
    assert line.twilio.heard(THEIRS) == []
    unanswered.clear()
    await house.bus.settle()
    assert line.twilio.heard(THEIRS) == ["Good morning!"]
