"""The broker is killed under load: 500 events a second, 20 publishers, 4 workers."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.world import World

RATE = 500.0
_STREAMS = (Stream("taken", publishers=18, rate=470), Stream("asked", publishers=2, rate=40))


async def run(plan: Plan) -> Report:
    """SIGKILL at random moments; each time another server must answer, and all else lives on."""
    report, chance, kills = Report("broker"), plan.random("broker"), plan.pick(3, 50)
    async with World() as world:
        crew = await world.crew(4)
        async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
            await asyncio.sleep(3)
            ids, starts = {world.nats.server_id}, list[float]()
            for _ in range(kills):
                began = time.monotonic()
                ids.add(await killed(world))
                starts.append(time.monotonic() - began)
                await asyncio.sleep(chance.uniform(2, 4))
        found = await world.settled()
        report.show("rate before the first kill", f"{_rate(world):.0f} events/s")
        report.show("kills", kills)
        report.require("servers seen, each with an id of its own", len(ids), least=kills + 1)
        report.demand("workers that ended", sum(not each.lives for each in crew))
        report.demand("events refused", found.refused)
        report.show("longest start of a server", f"{max(starts):.2f} s")
        # A server that is killed again and again never writes down what it stores, and reads all of it at each start:
        # 20 us a message were seen. That is not ours to shorten, and shows only where there is much to read.
        found.judge(report, gap=3 + max(starts) if plan.full else 3)
    return report


async def killed(world: World) -> str:
    """Kill the server and start it again; the id of the new one."""
    died = await asyncio.to_thread(world.nats.kill)
    await asyncio.to_thread(world.nats.start)
    assert world.nats.server_id != died, "it is the same server"
    return world.nats.server_id


def _rate(world: World) -> float:
    acked = [each.at for each in world.reader.of("acked")]
    return sum(at - acked[0] <= 2 for at in acked) / 2
