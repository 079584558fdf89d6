"""ExpectingContract: an event that is published only where no other of its type and key came first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.envelope import Envelope
from hayai.errors import Conflict, KeyNotOpaque, MessageTooLarge
from hayai.testing.bus_words import BellRung, DoorOpened, Ears, enveloped
from hayai.tokens import fresh

if TYPE_CHECKING:
    from hayai.bus.base import Bus


class ExpectingContract:
    """What last() says, and what publish() does where it holds, and where it does not."""

    async def test_an_event_is_stored_where_the_last_one_is_as_expected(self, bus: Bus) -> None:
        """From the first of a key on, of which none is expected: all are heard."""
        ears, key = Ears(), fresh()
        await ears.listen(bus)
        for number in range(3):
            seen = await bus.last(BellRung, tenant="acme", key=key)
            assert (seen == 0) == (number == 0)
            await bus.publish(BellRung(number=number), tenant="acme", key=key, expected=seen)
        await ears.until(3)
        assert ears.numbers == [0, 1, 2]

    async def test_an_event_is_refused_where_another_came_first(self, bus: Bus, peer: Bus) -> None:
        """From whichever process, expecting or not; nothing is stored, and the sentence says what to do."""
        ears, key = Ears(), fresh()
        await ears.listen(bus)
        await peer.publish(BellRung(number=1), tenant="acme", key=key)
        seen = await bus.last(BellRung, tenant="acme", key=key)
        for stale in (0, seen - 1, seen + 1):
            with pytest.raises(Conflict, match=r"Another bell\.rung\.v2 of this key came first, .* ask last\(\) anew"):
                await bus.publish(BellRung(number=2), tenant="acme", key=key, expected=stale)
        assert await peer.last(BellRung, tenant="acme", key=key) == seen
        await bus.publish(BellRung(number=3), tenant="acme", key=key, expected=seen)
        await ears.until(2)
        assert ears.numbers == [1, 3]

    async def test_events_of_other_keys_types_and_tenants_do_not_matter(self, bus: Bus) -> None:
        """They may come in between."""
        key = fresh()
        await bus.publish(BellRung(), tenant="acme", key=key)
        seen = await bus.last(BellRung, tenant="acme", key=key)
        await bus.publish(BellRung(), tenant="acme", key=fresh())
        await bus.publish(DoorOpened(), tenant="acme", key=key)
        await bus.publish(BellRung(), tenant="globex", key=key)
        assert await bus.last(BellRung, tenant="acme", key=key) == seen
        await bus.publish(BellRung(), tenant="acme", key=key, expected=seen)

    async def test_an_expected_event_that_is_sent_again_is_stored_once_and_is_no_conflict(self, bus: Bus) -> None:
        """Whoever heard nothing of its first try says the same again, also when others have come behind it."""
        ears, key = Ears(), fresh()
        await ears.listen(bus)
        sent = await bus.publish(BellRung(number=1), tenant="acme", key=key, expected=0)
        await bus.publish(BellRung(number=1), tenant="acme", key=key, id=sent.id, expected=0)
        await bus.publish(BellRung(number=2), tenant="acme", key=key)
        await bus.publish(BellRung(number=1), tenant="acme", key=key, id=sent.id, expected=0)
        seen = await bus.last(BellRung, tenant="acme", key=key)
        await bus.publish(BellRung(number=1), tenant="acme", key=key, id=sent.id, expected=seen)
        assert await bus.last(BellRung, tenant="acme", key=key) == seen
        await bus.publish(BellRung(number=3), tenant="acme", key=key)
        await ears.until(3)
        assert ears.numbers == [1, 2, 3]

    async def test_of_many_at_once_that_expect_the_same_one_is_stored(self, bus: Bus, peer: Bus) -> None:
        """The others are told so."""
        key = fresh()
        tries = (
            each.publish(BellRung(number=number), tenant="acme", key=key, expected=0)
            for number in range(10)
            for each in (bus, peer)
        )
        told = await asyncio.gather(*tries, return_exceptions=True)
        (kept,) = (each for each in told if not isinstance(each, Conflict))
        assert isinstance(kept, Envelope)

    async def test_what_is_refused_without_an_expectation_is_refused_with_one(self, bus: Bus) -> None:
        """Too many bytes, and words that are not opaque."""
        with pytest.raises(MessageTooLarge):
            await bus.publish(BellRung(who="x" * 3_000_000), tenant="acme", key="k", expected=0)
        with pytest.raises(KeyNotOpaque):
            await bus.last(BellRung, tenant="acme", key="+44 20 7946 0000")
        with pytest.raises(KeyNotOpaque):
            await bus.send_expected(enveloped(tenant="a.b"), 0)
