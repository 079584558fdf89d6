"""A plugin that ends its process, one that asks for more memory than there is, one that blocks: the others go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.chaos.handlers import TENANT, word
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.world import World

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from tests.chaos.nursery import Child

_STREAM = Stream("taken", publishers=10, keys=10, rate=150)
_BLOCKED_SECONDS = 1.5
"""Shorter than a lease is held without being renewed."""
_ERRORS = {"exit": "PermanentError", "huge": "MemoryError"}
_MOST_DEATHS = 7
"""For each event that kills: six under suspicion, and the first, of which nobody knows."""


async def run(plan: Plan) -> Report:
    """One event of each fault on a key of its own, sound ones behind it, under load; the dead are started again."""
    report, rounds = Report("plugins"), plan.pick(1, 10)
    async with World() as world:
        crew = await world.crew(3, sorts=("ledgered", "counting"), policy={"defects": 1})
        async with world.publisher() as bus:
            async with Load(bus, world.oracle, "step", _STREAM):
                keeping = asyncio.create_task(_keep(world, crew))
                await asyncio.sleep(2)
                for turn in range(rounds):
                    for fault in ("exit", "huge", "block"):
                        await _plant(world, bus, fault, f"{fault}-{turn}")
                    found = await _letters(bus, rounds=turn + 1)
                keeping.cancel()
            tally = await world.settled()
        deaths = len(crew) - 3
        report.show("processes that an event ended, started again each time", deaths)
        report.demand("more of them than an event may end", max(0, deaths - _MOST_DEATHS * rounds))
        for fault, error in _ERRORS.items():
            report.demand(f"{fault}: dead letters missing or too many", abs(found.count(error) - rounds))
        tally.judge(report, gap=5)
    return report


async def _plant(world: World, bus: Bus, fault: str, key: str) -> None:
    """Publish the event that goes wrong so, and three sound ones of its key."""
    for number in range(4):
        goes_wrong = fault if number == 0 else ""
        event = word("step", "taken")(number=number, fault=goes_wrong, seconds=_BLOCKED_SECONDS if goes_wrong else 0)
        await bus.publish(event, tenant=TENANT, key=key)
        if goes_wrong not in _ERRORS:  # a blocking handler comes to its end, and its event is none to be lost
            world.oracle.tell("acked", "step.taken", key, number)


async def _keep(world: World, crew: list[Child]) -> None:
    """Start another worker for each that ended, as whoever supervises them would."""
    missed: set[int] = set()
    while True:
        for each in [each for each in crew if not each.lives and each.pid not in missed]:
            missed.add(each.pid)
            crew.append(world.fork(world.spec))
        await asyncio.sleep(0.2)


async def _letters(bus: Bus, *, rounds: int, seconds: float = 60) -> list[str]:
    """The errors of all dead letters, once there are as many as there should be or the time is over."""
    deadline = asyncio.get_running_loop().time() + seconds
    errors: list[str] = []
    while len(errors) < rounds * len(_ERRORS) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.3)
        errors = [letter.error for _, letter in await bus.dead_letters(limit=1000)]
    return errors
