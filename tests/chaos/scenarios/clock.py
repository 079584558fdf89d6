"""Clocks jump by ten minutes under load, forward and back: those of half the workers, then the database's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai.testing.postgres_server import PostgresServer
from tests.chaos.clockjump import LATEST, WallClock
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.scenarios.postgres import SYNCED
from tests.chaos.stock import take_stock
from tests.chaos.world import World

if TYPE_CHECKING:
    from tests.chaos.nursery import Child

JUMP = 600
_STREAMS = (Stream("taken", publishers=10, rate=200), Stream("asked", publishers=10, rate=100))


async def run(plan: Plan) -> Report:
    """Leases go by counted seconds: a jump moves nothing."""
    report, chance, rounds = Report("clock"), plan.random("clock"), plan.pick(1, 5)
    with WallClock() as theirs, WallClock() as databases:
        postgres = PostgresServer(SYNCED, environment=databases.environment)
        async with World(postgres=postgres) as world:
            crew = [*await world.crew(2), *await _crew_on(world, theirs)]
            jumps = 0
            async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
                await asyncio.sleep(2)
                for clock in (theirs, databases) * rounds:
                    for seconds in (*chance.sample((JUMP, -JUMP), 2), 0):
                        clock.jump(seconds)
                        await asyncio.sleep(LATEST + chance.uniform(0, 2))
                        jumps += 1
            found = await world.settled()
            report.require("jumps", jumps, least=6 * rounds)
            report.require("seconds that the database was seen off", await _off(world, databases), least=JUMP - 5)
            report.demand("workers that ended", sum(not each.lives for each in crew))
            report.demand("events refused", found.refused)
            found.judge(report, gap=5)
            await take_stock(world, report)
    return report


async def _crew_on(world: World, clock: WallClock) -> list[Child]:
    """Two workers that go by that clock."""
    crew = [await world.spawn(world.spec, environment=clock.environment) for _ in range(2)]
    await world.ready(*crew)
    return crew


async def _off(world: World, clock: WallClock) -> float:
    """How far a jump moves the database's clock, in seconds: else none of this has tested anything."""
    ask = "select extract(epoch from clock_timestamp())"
    before = float(await asyncio.to_thread(world.postgres.sql, ask))
    clock.jump(JUMP)
    await asyncio.sleep(LATEST)
    after = float(await asyncio.to_thread(world.postgres.sql, ask))
    clock.jump(0)
    await asyncio.sleep(LATEST)
    return round(after - before, 1)
