"""The memory twin keeps the bus's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.bus.memory import MemoryBus
from hayai.testing.bus import BusContract
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from hayai.handlers import Context


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    """A started bus."""
    bus = MemoryBus()
    await bus.start()
    yield bus
    await bus.stop()


class TestMemoryBus(BusContract):
    """BusContract, in memory."""

    @pytest.fixture
    async def peer(self, bus: MemoryBus) -> AsyncIterator[MemoryBus]:
        """Another bus on the same log."""
        peer = MemoryBus(log=bus.log)
        await peer.start()
        yield peer
        await peer.stop()

    @pytest.fixture
    def plant(self, bus: MemoryBus) -> Callable[[str, bytes], Awaitable[None]]:
        """Bytes straight into the log."""

        async def plant(subject: str, body: bytes) -> None:
            bus.log.append(subject, body, id=fresh())

        return plant


async def test_a_listener_that_is_slow_keeps_the_newest_pieces(bus: MemoryBus) -> None:
    """Pieces are hints: an old one is worth less than memory."""
    async with bus.listen("live.acme.talk") as pieces:
        for number in range(1500):
            await bus.signal("live.acme.talk", str(number).encode())
        assert await anext(pieces) == b"476"


async def test_settle_waits_for_what_follows_and_for_another_try(bus: MemoryBus) -> None:
    """A test that publishes and settles sees everything that came of it, without a sleep."""

    async def open_door(event: BellRung, context: Context) -> DoorOpened:
        if context.attempt == 1:
            raise ValueError
        return DoorOpened(number=event.number)

    bells, doors = Ears(open_door), Ears()
    await bells.listen(bus)
    await doors.listen(bus, DoorOpened)
    await bus.settle()
    for number in range(20):
        await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number % 3}")
    await bus.settle()
    assert sorted(doors.numbers) == list(range(20))


async def test_settle_does_not_wait_for_a_handler_that_is_away(bus: MemoryBus) -> None:
    """Events that nobody is there to handle are no work."""
    ears = Ears()
    await ears.listen(bus)
    await bus.drain(0)
    await bus.publish(BellRung(), tenant="acme")
    await bus.settle()
    assert ears.events == []


async def test_two_buses_share_the_work_of_one_handler(bus: MemoryBus) -> None:
    """As two processes do: every event is handled by one of them."""
    peer, ears = MemoryBus(log=bus.log), Ears()
    await ears.listen(bus)
    await ears.listen(peer)
    for number in range(10):
        await bus.publish(BellRung(number=number), tenant="acme")
    await bus.settle()
    assert sorted(ears.numbers) == list(range(10))
    await peer.stop()
