"""Three brokers that keep each event on all of them: the one that leads is killed under load, and comes back."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.cluster import NatsCluster
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.scenarios.power import SMALL
from tests.chaos.stock import take_stock
from tests.chaos.world import World

GAP = 6.0
"""Wished for, and not in our hands: nats-server waits four to nine seconds for a dead leader, as its dice fall."""
BEYOND = 1.0
"""What we may take once there is another leader, in seconds."""
PARTITIONS = 2
_STREAMS = (Stream("taken", publishers=10, rate=100), Stream("asked", publishers=10, rate=50))


async def run(plan: Plan) -> Report:
    """SIGKILL of who leads the stream of events, and of who leads a handler's consumer."""
    report, chance, rounds = Report("cluster"), plan.random("cluster"), plan.pick(1, 10)
    cluster = NatsCluster()
    async with World(nats=cluster, partitions=PARTITIONS) as world:
        await cluster.ready()
        crew = await world.crew(4, bus={**world.spec.bus, **SMALL, "replicas": 3})
        consumer = f"{world.spec.group}_ledgered_{chance.randrange(PARTITIONS)}"
        elections: list[float] = []
        async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
            await asyncio.sleep(2)
            for led in ("", consumer) * rounds:
                await asyncio.sleep(chance.uniform(1, 3))
                elections.append(await _killed(cluster, led))
        found = await world.settled()
        report.show("leaders killed, and back as other servers", len(elections))
        report.show("longest election", f"{max(elections):.2f} s")
        report.demand("workers that ended", sum(not each.lives for each in crew))
        report.demand("events refused", found.refused)
        found.judge(report)
        report.demand(
            "longest gap beyond an election", round(max(0, found.gap - max(elections)), 2), most=BEYOND, unit=" s"
        )
        report.show(f"longest gap (at most {GAP:g} s are wished for)", f"{found.gap:.2f} s")
        await take_stock(world, report)
    return report


async def _killed(cluster: NatsCluster, consumer: str) -> float:
    """Kill the leader, wait for another one, and have the dead one back and caught up; how long the election took."""
    leader = await cluster.leader("EVENTS", consumer)
    died = await asyncio.to_thread(leader.kill)
    began = time.monotonic()
    await cluster.leader("EVENTS", consumer, other=leader)
    election = time.monotonic() - began
    await asyncio.to_thread(leader.restart)
    await cluster.whole("EVENTS")
    assert leader.server_id != died, "it is the same server"
    return election
