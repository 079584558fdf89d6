"""ChannelContract: what every channel keeps to, whatever its wire."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest
from fastapi import APIRouter

from hayai.envelope import wrap
from hayai.errors import PermanentError, TransientError
from hayai.handlers import Context
from hayai.ports.base import Settings
from hayai.testing.house import SMILE_DENTAL, House, standing_house
from hayai.tokens import token
from hayai.vocabulary.messages import ReplyReady

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.channel import Channel
    from hayai.testing.clock import MovableClock

__all__ = ["SMILE_DENTAL", "ChannelContract", "House", "Outside", "standing_house"]


class Outside(ABC):
    """The far end of the channel's wire: a customer, and the network between. A test's author plays it."""

    @abstractmethod
    async def write(self, id: str, text: str) -> bool:  # noqa: A002 - the sender's id
        """Send a message of the business's customer, always in the same conversation, with the sender's own id of it.

        True once the channel acknowledged it; False when it said "send it again later". Waits for either.
        """

    @abstractmethod
    async def heard(self) -> list[str]:
        """The texts that have reached the customer so far, in order."""

    async def go_silent(self) -> bool:
        """Stop answering deliveries; False where the channel waits for nobody when it delivers."""
        return False

    async def refuse(self) -> bool:
        """Refuse deliveries for good (a number that does not exist); False where that cannot happen."""
        return False


class ChannelContract:
    """Inherit, and give two fixtures: `channel`, started, built on `house`; and `outside`, the far end of its wire.

    `Channel.handlers()` is run on the house's bus by the contract.
    """

    @pytest.fixture
    async def house(self, clock: MovableClock) -> AsyncIterator[House]:
        """What stands around the channel, by the clock that the test moves."""
        async with standing_house(clock) as house:
            yield house

    @pytest.fixture(autouse=True)
    async def _runs(self, house: House, channel: Channel) -> None:
        await house.run(channel.handlers())

    async def test_it_is_an_adapter_with_a_name_and_a_door(self, channel: Channel) -> None:
        """The name can head routes and consumers, the settings are typed, the router has routes."""
        assert token(channel.name, what="channel name") == channel.name
        assert issubclass(type(channel).Settings, Settings)
        router = channel.router()
        assert isinstance(router, APIRouter)
        assert router.routes

    async def test_a_message_is_recorded_and_published_before_it_is_acknowledged(
        self, house: House, outside: Outside, channel: Channel
    ) -> None:
        """Once the sender has its acknowledgement, the transcript has the line and the bus has the event."""
        assert await outside.write("message-1", "A cleaning, please.")
        await house.bus.settle()
        ((received, envelope),) = house.received
        assert (received.channel, received.text) == (channel.name, "A cleaning, please.")
        assert envelope.tenant == "smile-dental"
        (line,) = await house.lines()
        assert (line.id, line.speaker, line.text) == (envelope.id, "customer", "A cleaning, please.")

    async def test_no_acknowledgement_while_the_bus_is_away(self, house: House, outside: Outside) -> None:
        """The sender is asked to send again; when the bus is back the same message is there once."""
        house.bus.broken = True
        assert not await outside.write("message-1", "Are you there?")
        house.bus.broken = False
        assert not house.received
        assert await outside.write("message-1", "Are you there?")
        await house.bus.settle()
        assert [received.text for received, _ in house.received] == ["Are you there?"]
        assert [line.text for line in await house.lines()] == ["Are you there?"]

    async def test_the_same_message_sent_again_counts_once(self, house: House, outside: Outside) -> None:
        """A sender that did not hear the acknowledgement repeats itself; both times it is acknowledged."""
        assert await outside.write("message-1", "Hello")
        assert await outside.write("message-1", "Hello")
        await house.bus.settle()
        assert len(house.received) == 1
        assert len(await house.lines()) == 1

    async def test_the_same_text_under_another_id_counts_again(self, house: House, outside: Outside) -> None:
        """Somebody may say yes twice."""
        assert await outside.write("message-1", "Yes")
        assert await outside.write("message-2", "Yes")
        await house.bus.settle()
        assert [line.position for line in await house.lines()] == [1, 2]

    async def test_messages_stay_in_order_under_one_key(self, house: House, outside: Outside) -> None:
        """What one customer writes is one conversation, and reaches the handlers as it was written."""
        said = [f"line {number}" for number in range(5)]
        for number, text in enumerate(said):
            assert await outside.write(f"message-{number}", text)
        await house.bus.settle()
        assert [received.text for received, _ in house.received] == said
        assert len({(envelope.conversation, envelope.subject) for _, envelope in house.received}) == 1

    async def test_ids_are_opaque_and_logs_are_silent(
        self, house: House, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No id holds what was said, and no log line of ours does, whatever its level."""
        with caplog.at_level(logging.DEBUG):
            assert await outside.write("message-1", "mysecretword")
            await house.bus.settle()
            await house.reply("anothersecretword", channel=house.received[0][0].channel)
        received, envelope = house.received[0]
        for value in (envelope.id, envelope.subject, envelope.conversation, received.person):
            assert value is not None
            assert token(value, what="id") == value
            assert "mysecretword" not in value
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("hayai")]
        assert not [told for told in ours if "secretword" in told]

    async def test_an_answer_is_recorded_and_reaches_the_customer(
        self, house: House, outside: Outside, channel: Channel
    ) -> None:
        """The reply stands in the transcript, is heard outside, and the bus is told that it was delivered."""
        assert await outside.write("message-1", "Hello")
        await house.bus.settle()
        reply = await house.reply("Good morning!", channel=channel.name)
        assert await outside.heard() == ["Good morning!"]
        line = (await house.lines())[-1]
        assert (line.id, line.speaker, line.text, line.choices) == (reply.id, "agent", "Good morning!", ("Yes", "No"))
        assert [(event.channel, event.reply) for event, _ in house.delivered] == [(channel.name, reply.id)]

    async def test_an_answer_for_another_channel_is_left_alone(self, house: House, outside: Outside) -> None:
        """Neither delivered nor recorded here."""
        assert await outside.write("message-1", "Hello")
        await house.bus.settle()
        await house.reply("Not for here", channel="some-other-channel")
        assert await outside.heard() == []
        assert [line.text for line in await house.lines()] == ["Hello"]
        assert not house.delivered

    async def test_an_answer_that_is_handled_twice_is_recorded_once(
        self, house: House, outside: Outside, channel: Channel
    ) -> None:
        """The bus delivers at least once."""
        await self._answered_directly(house, outside, channel, times=2)
        assert [line.text for line in await house.lines()] == ["Hello", "Good morning!"]

    async def test_a_far_end_that_does_not_answer_is_worth_another_try(
        self, house: House, outside: Outside, channel: Channel
    ) -> None:
        """Delivering raises a TransientError, so that the bus tries again."""
        if not await outside.go_silent():
            pytest.skip("This channel waits for nobody when it delivers.")
        with pytest.raises(TransientError):
            await self._answered_directly(house, outside, channel)

    async def test_a_far_end_that_refuses_is_not_asked_again(
        self, house: House, outside: Outside, channel: Channel
    ) -> None:
        """Delivering raises a PermanentError, so that the answer is kept as a dead letter."""
        if not await outside.refuse():
            pytest.skip("Nobody can refuse what this channel delivers.")
        with pytest.raises(PermanentError):
            await self._answered_directly(house, outside, channel)

    async def test_stopping_twice_is_no_error(self, channel: Channel) -> None:
        """A runtime that shuts down in a hurry may stop it twice."""
        await channel.stop()
        await channel.stop()

    async def _answered_directly(self, house: House, outside: Outside, channel: Channel, *, times: int = 1) -> None:
        """Run the outbound handler without the bus around it, so that its error is seen."""
        if not house.received:
            assert await outside.write("message-1", "Hello")
            await house.bus.settle()
        event, cause = house.received[-1]
        ready = ReplyReady(channel=channel.name, person=event.person, text="Good morning!")
        answer = wrap(
            ready, tenant=cause.tenant, source="/contract", codec=house.bus.codec, cause=cause, now=house.clock()
        )
        (deliver,) = (each for each in channel.handlers() if each.event is ReplyReady)
        for attempt in range(1, times + 1):
            context = Context(answer, deliver.name, attempt, house.tier, house.clock, _streams_nowhere)
            await house.handle(deliver, ready, context)


async def _streams_nowhere(piece: str) -> None:
    del piece
