"""Circumstances: what goes on around a worker, so that it passes all of its await points and not just the common ones.

Each brings a victim, a worker that may die at any moment, into one circumstance; it returns the processes that it made,
the victim first.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.chaos.handlers import TENANT, word

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from tests.chaos.nursery import Child
    from tests.chaos.verdict import Tally
    from tests.chaos.worker import Spec
    from tests.chaos.world import World

_KEYS = 3
_EVENTS = 4


@dataclass
class Place:
    """One install under fire: where it runs, how its workers are told, and how far its keys are used up."""

    world: World
    spec: Spec
    bus: Bus
    _sent: int = 0

    async def send(self, count: int = _EVENTS, *, seconds: float = 0.0) -> None:
        """Publish so many more events of each sort on each key, which take their handlers so long."""
        numbers = range(self._sent, self._sent + count)
        self._sent += count
        for number in numbers:
            for key in range(_KEYS):
                await self._one(number, f"k{key}", seconds)

    async def made_good(self, made: list[Child], since: int) -> Tally:
        """What it came to after another worker took over from those, who are killed where they still live.

        `since` is the place in the records from which on it is waited for.
        """
        for each in made:
            each.signal(signal.SIGKILL)
        successor = self.world.fork(self.spec)
        await self.world.ready(successor)
        await self.send(1)
        found = await self.world.settled(self.spec, since=since)
        successor.signal(signal.SIGTERM)
        await successor.ended()
        return found

    async def _one(self, number: int, key: str, seconds: float) -> None:
        for verb in ("taken", "asked"):
            event = word(self.spec.noun, verb)(number=number, seconds=seconds)
            await self.bus.publish(event, tenant=TENANT, key=key)
            self.world.oracle.tell("acked", f"{self.spec.noun}.{verb}", key, number)


Circumstance = Callable[[Place, "Spec"], Awaitable[list["Child"]]]


async def working(place: Place, victim: Spec) -> list[Child]:
    """It publishes itself, and handles what others publish."""
    child = place.world.fork(replace(victim, publishes=3))
    await place.world.ready(child, may_die=True)
    await place.send()
    return [child]


async def leaving(place: Place, victim: Spec) -> list[Child]:
    """It is told to stop while its handlers run and more waits for them."""
    child = place.world.fork(victim)
    await place.world.ready(child, may_die=True)
    await place.send(seconds=0.1)
    child.signal(signal.SIGTERM)
    return [child]


async def inheriting(place: Place, victim: Spec) -> list[Child]:
    """It takes over from a worker that died in the middle of its work."""
    before = place.world.fork(place.spec)
    await place.world.ready(before)
    await place.send(seconds=0.5)
    before.signal(signal.SIGKILL)
    child = place.world.fork(victim)
    await place.world.ready(child, may_die=True)
    return [child, before]


async def sharing(place: Place, victim: Spec) -> list[Child]:
    """Another worker comes, and gets half of the partitions; then it goes, and they come back."""
    child = place.world.fork(victim)
    await place.world.ready(child, may_die=True)
    await place.send(seconds=0.05)
    other = place.world.fork(place.spec)
    await place.world.ready(other)
    await asyncio.sleep(1)
    await place.send(seconds=0.05)
    other.signal(signal.SIGTERM)
    return [child, other]


CIRCUMSTANCES: dict[str, Circumstance] = {
    "working": working,
    "leaving": leaving,
    "inheriting": inheriting,
    "sharing": sharing,
}
