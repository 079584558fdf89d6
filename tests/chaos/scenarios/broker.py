"""The broker is killed under load: 500 events a second, 20 publishers, 4 workers."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.world import World

RATE = 500.0
GAP = 3.0
_STREAMS = (Stream("taken", publishers=18, rate=470), Stream("asked", publishers=2, rate=40))


async def run(plan: Plan) -> Report:
    """SIGKILL at random moments; each time another server must answer, and all else lives on."""
    report, chance, kills = Report("broker"), plan.random("broker"), plan.pick(3, 50)
    async with World() as world:
        crew = await world.crew(4)
        async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
            await asyncio.sleep(3)
            ids, outages = {world.nats.server_id}, list[tuple[float, float]]()
            for _ in range(kills):
                died = time.monotonic()
                ids.add(await killed(world))
                outages.append((died, time.monotonic()))
                await asyncio.sleep(chance.uniform(2, 4))
        found = await world.settled()
        report.show("rate before the first kill", f"{_rate(world):.0f} events/s")
        report.show("kills", kills)
        report.require("servers seen, each with an id of its own", len(ids), least=kills + 1)
        report.demand("workers that ended", sum(not each.lives for each in crew))
        report.demand("events refused", found.refused)
        report.show("longest time without a server", f"{max(back - died for died, back in outages):.2f} s")
        # A server that is killed again and again never writes down what it stores, and reads all of it at each start:
        # where there is much to read, that alone takes longer than the gap that is promised for the short form.
        found.judge(report, gap=None if plan.full else GAP)
        report.demand("longest gap beyond it, kill by kill", round(_beyond(world, outages), 2), most=GAP, unit=" s")
    return report


async def killed(world: World) -> str:
    """Kill the server and start it again; the id of the new one."""
    died = await asyncio.to_thread(world.nats.kill)
    await asyncio.to_thread(world.nats.start)
    assert world.nats.server_id != died, "it is the same server"
    return world.nats.server_id


def _beyond(world: World, outages: list[tuple[float, float]]) -> float:
    """The longest time without a handled event, less what of it there was no server."""
    acked = [each.at for each in world.reader.of("acked")]
    handled = sorted(each.at for each in world.reader.of("handled") if acked[0] <= each.at <= acked[-1])
    return max(
        later - sooner - sum(max(0.0, min(later, back) - max(sooner, died)) for died, back in outages)
        for sooner, later in pairwise(handled)
    )


def _rate(world: World) -> float:
    acked = [each.at for each in world.reader.of("acked")]
    return sum(at - acked[0] <= 2 for at in acked) / 2
