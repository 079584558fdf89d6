"""The memory twin keeps the bus's contract."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.bus.memory import MemoryBus, MemorySettings
from hayai.errors import Unavailable
from hayai.testing.bus import BusContract
from hayai.testing.bus_words import BRIEFLY, BellRung, DoorOpened, Ears
from hayai.testing.clock import MovableClock

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
            bus.log.append(subject, body)

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


async def test_what_a_bus_held_that_died_is_anothers_once_the_clock_says_so() -> None:
    """Not before the ack_wait has passed, in its order, and counted as another try."""
    clock = MovableClock()
    bus = MemoryBus(MemorySettings(ack_wait=30), clock=clock)
    peer, taker, begun = MemoryBus(clock=clock, log=bus.log), Ears(), asyncio.Event()

    async def hang(_event: BellRung, _context: Context) -> None:
        begun.set()
        await asyncio.sleep(60)

    ears = Ears(hang)
    await ears.listen(bus)
    taker.name = ears.name
    for number in range(3):
        await bus.publish(BellRung(number=number), tenant="acme", key="k")
    await begun.wait()
    await taker.listen(peer)
    await bus.crash()
    clock.advance(timedelta(seconds=29))
    await peer.settle()
    assert taker.events == []
    clock.advance(timedelta(seconds=1))
    await peer.settle()
    assert taker.numbers == [0, 1, 2]
    assert [context.attempt for context in taker.contexts] == [2, 2, 2]
    with pytest.raises(Unavailable, match="stopped"):
        await bus.publish(BellRung(), tenant="acme")
    await peer.stop()


async def test_a_handler_that_works_for_days_keeps_its_event() -> None:
    """However far a test moves the clock: a bus that is there says so all the while."""
    clock = MovableClock()
    bus = MemoryBus(clock=clock)
    peer, begun, released = MemoryBus(clock=clock, log=bus.log), asyncio.Event(), asyncio.Event()

    async def work(_event: BellRung, _context: Context) -> None:
        begun.set()
        await released.wait()

    ears, taker = Ears(work), Ears()
    await ears.listen(bus)
    await bus.publish(BellRung(), tenant="acme", key="k")
    await begun.wait()
    taker.name = ears.name
    await taker.listen(peer)
    clock.advance(timedelta(days=30))
    await asyncio.sleep(BRIEFLY)
    released.set()
    await peer.settle()
    assert (len(ears.events), taker.events) == (1, [])
    await bus.stop()
    await peer.stop()


async def test_an_id_is_forgotten_when_its_window_is_over() -> None:
    """As on the server: within it the same id is stored once."""
    clock = MovableClock()
    bus, ears = MemoryBus(MemorySettings(duplicate_window=60), clock=clock), Ears()
    await ears.listen(bus)
    for seconds in (0, 59, 1):
        clock.advance(timedelta(seconds=seconds))
        await bus.publish(BellRung(), tenant="acme", id="the-same")
    await bus.settle()
    assert len(ears.events) == 2
    await bus.stop()


async def test_a_full_stream_refuses_with_a_sentence() -> None:
    """What is kept stays; what is new is refused."""
    bus = MemoryBus(MemorySettings(max_bytes=2000))
    await bus.publish(BellRung(who="x" * 200), tenant="acme")
    with pytest.raises(Unavailable, match=r"no room for bell\.rung\.v2 .* raise max_bytes under \[bus\]"):
        await bus.publish(BellRung(who="x" * 2000), tenant="acme")
    await bus.publish(BellRung(), tenant="acme")
    await bus.stop()
