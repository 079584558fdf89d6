"""PiecesContract: ephemeral pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.base import live_topic
from hayai.errors import (
    MessageTooLarge,
)
from hayai.testing.bus_words import BellRung, Ears, soon
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus
    from hayai.handlers import Context

    Plant = Callable[[str, bytes], Awaitable[None]]


class PiecesContract:
    """Ephemeral pieces."""

    async def test_a_piece_reaches_whoever_listens_now(self, bus: Bus, peer: Bus) -> None:
        """On that topic, from entering to leaving, in order; nothing is kept for later."""
        topic = live_topic("acme", fresh())
        await bus.signal(topic, b"before")
        async with bus.listen(topic) as here, peer.listen(topic) as there:
            for piece in (b"one", b"two"):
                await peer.signal(topic, piece)
                await peer.signal(live_topic("acme", fresh()), b"elsewhere")
            for pieces in (here, there):
                assert [await soon(anext(pieces)), await soon(anext(pieces))] == [b"one", b"two"]
        await bus.signal(topic, b"after")

    async def test_a_listener_hears_from_the_first_moment(self, bus: Bus, peer: Bus) -> None:
        """Once the context is entered nothing is missed, also from another process; tried often, for it is a race."""
        for number in range(150):
            topic, piece = live_topic("acme", fresh()), str(number).encode()
            async with peer.listen(topic) as pieces:
                await bus.signal(topic, piece)
                assert await soon(anext(pieces)) == piece

    async def test_a_handler_streams_pieces_to_its_conversation(self, bus: Bus, peer: Bus) -> None:
        """As JSON, to the event's conversation, or to its key where it belongs to none."""

        async def speak(_event: BellRung, context: Context) -> None:
            await context.stream("Good mörning")

        ears, conversation = Ears(speak), fresh()
        await ears.listen(bus)
        known: list[dict[str, Any]] = [{"conversation": conversation}, {"key": conversation}]
        for words in known:
            async with peer.listen(live_topic("acme", conversation)) as pieces:
                await bus.publish(BellRung(), tenant="acme", **words)
                assert json.loads(await soon(anext(pieces))) == {"kind": "piece", "text": "Good mörning"}

    async def test_a_piece_that_is_too_large_is_refused(self, bus: Bus) -> None:
        """As an event is."""
        with pytest.raises(MessageTooLarge, match="in parts"):
            await bus.signal(live_topic("acme", "talk"), b"x" * 3_000_000)
