"""Workers come and go in good order while events flow: partitions move from one to the next, and no key is mixed up."""

from __future__ import annotations

import asyncio
import signal

from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.world import World

_STREAMS = (Stream("taken", publishers=10, keys=3, rate=300), Stream("asked", publishers=4, keys=3, rate=40))


async def run(plan: Plan) -> Report:
    """One worker stays, others come and are told to stop, again and again."""
    report, chance, moves = Report("moving"), plan.random("moving"), plan.pick(8, 100)
    async with World() as world:
        await world.crew(1)
        async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
            for _ in range(moves):
                guests = [world.fork(world.spec) for _ in range(chance.choice((1, 2)))]
                await world.ready(*guests)
                await asyncio.sleep(chance.uniform(0.2, 2))
                for each in guests:
                    each.signal(signal.SIGTERM)
                for each in guests:
                    await each.ended()
        found = await world.settled()
        report.show("comings and goings", moves)

        report.demand("events refused", found.refused)
        found.judge(report, gap=3)
    return report
