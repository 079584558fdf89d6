"""LeavingContract: what a handler finds that was away, and what a bus gives back that goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.errors import (
    HandlerMisdeclared,
    Unavailable,
)
from hayai.testing.bus_words import BRIEFLY, PATIENCE, BellRung, DoorOpened, Ears

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus
    from hayai.handlers import Context, Returned

    Plant = Callable[[str, bytes], Awaitable[None]]


class LeavingContract:
    """What a handler finds that was away, and what a bus gives back that goes."""

    async def test_a_new_handler_begins_with_the_next_event(self, bus: Bus) -> None:
        """What was published before a handler's first subscription is history: a replay is for that."""
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=2), tenant="acme", key="k")
        await ears.until(1)
        assert ears.numbers == [2]

    async def test_a_handler_that_was_away_gets_what_it_missed(self, bus: Bus, peer: Bus) -> None:
        """Its place is kept under its name, and what was handled is not handled again."""
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        await ears.until(1)
        await bus.drain(PATIENCE)
        for number in (2, 3):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await ears.listen(peer)
        await ears.until(3)
        assert ears.numbers == [1, 2, 3]

    async def test_draining_lets_what_runs_finish_and_gives_the_rest_back(self, bus: Bus, peer: Bus) -> None:
        """The event in work ends here, with its follow-up; those behind it reach the peer at once and in order."""
        entered, released = asyncio.Event(), asyncio.Event()

        async def linger(event: BellRung, _context: Context) -> Returned:
            entered.set()
            await released.wait()
            return DoorOpened(number=event.number)

        ears, doors, taker = Ears(linger), Ears(), Ears()
        taker.name = ears.name
        await ears.listen(bus)
        await doors.listen(peer, DoorOpened)
        for number in range(5):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await entered.wait()
        await asyncio.sleep(BRIEFLY)
        draining = asyncio.create_task(bus.drain(PATIENCE))
        await asyncio.sleep(0)
        released.set()
        await draining
        started = asyncio.get_running_loop().time()
        await taker.listen(peer)
        await asyncio.gather(taker.until(4), doors.until(1))
        assert (ears.numbers, doors.numbers, taker.numbers) == ([0], [0], [1, 2, 3, 4])
        assert asyncio.get_running_loop().time() - started < 1, "given back events came only after the ack_wait"

    async def test_a_handler_that_outlasts_the_drain_is_given_back(self, bus: Bus, peer: Bus) -> None:
        """It is cancelled at the deadline, and the event reaches the peer at once."""
        entered, cancelled = asyncio.Event(), asyncio.Event()

        async def linger(_event: BellRung, _context: Context) -> None:
            entered.set()
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        ears, taker = Ears(linger), Ears()
        taker.name = ears.name
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await entered.wait()
        await bus.drain(0.05)
        assert cancelled.is_set()
        await taker.listen(peer)
        await taker.until(1)
        assert ears.events == []
        assert taker.contexts[0].attempt in {1, 2}, "who leaves a place to one other may have the count begin anew"

    async def test_a_drained_bus_still_publishes(self, bus: Bus) -> None:
        """Only stop() ends that, and says so."""
        await bus.drain(0)
        await bus.publish(BellRung(), tenant="acme")
        await bus.check()
        await bus.stop()
        await bus.stop()
        with pytest.raises(Unavailable, match="stopped"):
            await bus.publish(BellRung(), tenant="acme")
        with pytest.raises(Unavailable, match="stopped"):
            await bus.check()

    async def test_one_name_is_one_handler(self, bus: Bus, peer: Bus) -> None:
        """Neither twice in one process, nor for another event than the one whose place it keeps."""
        ears = Ears()
        await ears.listen(bus)
        with pytest.raises(HandlerMisdeclared, match="runs here already"):
            await ears.listen(bus)
        with pytest.raises(HandlerMisdeclared, match="name of its own"):
            await ears.listen(peer, DoorOpened)
