"""HandlingContract: what reaches a handler, in which order, and what follows from it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai.handlers import Keyed, Policy
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.tokens import derived, fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus
    from hayai.handlers import Context, Returned

    Plant = Callable[[str, bytes], Awaitable[None]]


class HandlingContract:
    """What reaches a handler, in which order, and what follows from it."""

    async def test_an_event_reaches_its_handler_in_its_envelope(self, bus: Bus) -> None:
        """What the handler is told is what was published, and the caller holds the same envelope."""
        ears = Ears()
        name = await ears.listen(bus)
        sent = await bus.publish(BellRung(number=7, who="Ada"), tenant="acme", conversation="talk1")
        await ears.until(1)
        (context,) = ears.contexts
        assert ears.events == [BellRung(number=7, who="Ada")]
        assert context.envelope == sent
        assert (context.tenant, context.conversation, context.handler, context.attempt) == ("acme", "talk1", name, 1)

    async def test_every_handler_gets_every_event(self, bus: Bus) -> None:
        """Two handlers of one event do not share it out between them."""
        one, two = Ears(), Ears()
        await one.listen(bus)
        await two.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await asyncio.gather(one.until(1), two.until(1))

    async def test_the_same_id_is_stored_once(self, bus: Bus) -> None:
        """A publisher that does not know whether it succeeded may publish again."""
        ears, again = Ears(), fresh()
        await ears.listen(bus)
        for _ in range(3):
            await bus.publish(BellRung(number=1), tenant="acme", key="k", id=again)
        await bus.publish(BellRung(number=2), tenant="acme", key="k")
        await ears.until(2)
        assert ears.numbers == [1, 2]

    async def test_one_event_of_a_key_at_a_time_in_order_and_many_keys_at_once(self, bus: Bus) -> None:
        """Every key's events come in order and never overlap, while different keys do."""
        active: dict[str, int] = {}
        most = {"one key": 0, "keys": 0}

        async def work(_event: BellRung, context: Context) -> None:
            key = context.envelope.subject
            active[key] = active.get(key, 0) + 1
            most["one key"] = max(most["one key"], active[key])
            most["keys"] = max(most["keys"], sum(1 for each in active.values() if each))
            await asyncio.sleep(0.005)
            active[key] -= 1

        ears = Ears(work)
        await ears.listen(bus)
        for number in range(10):
            await asyncio.gather(*(bus.publish(BellRung(number=number), tenant="acme", key=f"k{k}") for k in range(8)))
        await ears.until(80)
        handled = {
            f"k{k}": [
                e.number for e, c in zip(ears.events, ears.contexts, strict=True) if c.envelope.subject == f"k{k}"
            ]
            for k in range(8)
        }
        assert handled == {f"k{k}": list(range(10)) for k in range(8)}
        assert most["one key"] == 1
        assert most["keys"] > 1

    async def test_the_same_key_of_two_tenants_is_two_keys(self, bus: Bus) -> None:
        """A tenant whose handler hangs does not hold up another's."""
        released = asyncio.Event()

        async def work(_event: BellRung, context: Context) -> None:
            if context.tenant == "slow":
                await released.wait()

        ears = Ears(work)
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="slow", key="k")
        await bus.publish(BellRung(number=2), tenant="quick", key="k")
        await ears.until(1)
        assert ears.numbers == [2]
        released.set()
        await ears.until(2)

    async def test_no_more_keys_at_once_than_the_policy_says(self, bus: Bus) -> None:
        """A concurrency of two runs two."""
        running, most = 0, 0

        async def work(_event: BellRung, _context: Context) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

        ears = Ears(work)
        await ears.listen(bus, policy=Policy(concurrency=2))
        await asyncio.gather(*(bus.publish(BellRung(number=n), tenant="acme") for n in range(12)))
        await ears.until(12)
        assert most == 2

    async def test_a_slow_handler_does_not_delay_another(self, bus: Bus) -> None:
        """Handlers have a queue each."""
        released = asyncio.Event()

        async def work(_event: BellRung, _context: Context) -> None:
            await released.wait()

        slow, quick = Ears(work), Ears()
        await slow.listen(bus)
        await quick.listen(bus)
        for number in range(5):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await quick.until(5)
        assert slow.events == []
        released.set()
        await slow.until(5)

    async def test_what_a_handler_returns_is_published_with_its_cause(self, bus: Bus) -> None:
        """Follow-ups inherit tenant, key and conversation, and their ids repeat whenever the event is handled again."""

        async def open_doors(event: BellRung, _context: Context) -> Returned:
            return [DoorOpened(number=event.number), Keyed(DoorOpened(number=event.number + 1), "back")]

        ears, doors = Ears(open_doors), Ears()
        name = await ears.listen(bus)
        await doors.listen(bus, DoorOpened)
        cause = await bus.publish(BellRung(number=1), tenant="acme", conversation="talk")
        await doors.until(2)
        assert doors.numbers == [1, 2]
        assert [context.envelope.id for context in doors.contexts] == [
            derived(cause.id, name, "door.opened", meaning) for meaning in ("", "back")
        ]
        for context in doors.contexts:
            told = context.envelope
            assert (told.cause, told.tenant, told.subject, told.conversation) == (cause.id, "acme", "talk", "talk")
