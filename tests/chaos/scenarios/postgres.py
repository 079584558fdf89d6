"""Postgres dies under load, throws everybody out, and gives way to its replica; all connections come back alone."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from hayai.testing.ledger import describe
from hayai.testing.postgres_server import PostgresServer
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.standby import Behind, followed
from tests.chaos.stock import take_stock
from tests.chaos.switch import Switch
from tests.chaos.world import World
from tests.chaos.writers import Writers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.ports.database import Database

# Not every promise about power: the machine stays on. But what is committed must be on the disk before it is told of.
SYNCED = {"max_connections": "600"}
GAP = 5.0
_STREAMS = (Stream("taken", publishers=10, rate=200), Stream("asked", publishers=10, rate=100))
_STORM = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
 where usename like 'hayai%' and pid <> pg_backend_pid()
"""
_LISTENING = "select count(*) from pg_stat_activity where query like 'LISTEN%' and usename = 'hayai_ledger'"


async def killed(plan: Plan) -> Report:
    """SIGKILL of the postmaster, and storms that end every connection."""
    report, chance, rounds = Report("postgres"), plan.random("postgres"), plan.pick(3, 20)
    async with World(postgres=PostgresServer(SYNCED)) as world:
        pids = {world.postgres.pid}

        async def strike() -> None:
            for turn in range(2 * rounds):
                await asyncio.sleep(chance.uniform(1, 3))
                if turn % 2:
                    await asyncio.to_thread(world.postgres.sql, _STORM)
                else:
                    await asyncio.to_thread(world.postgres.kill)
                    await asyncio.to_thread(world.postgres.start)
                    pids.add(world.postgres.pid)

        await _suffer(world, report, world.database, strike)
        report.require("servers seen, each with a process of its own", len(pids), least=rounds + 1)
    return report


async def promoted(plan: Plan) -> Report:
    """The primary is killed and its synchronous replica takes its place behind the same address."""
    report, chance, rounds = Report("promotion"), plan.random("promotion"), plan.pick(1, 5)
    with ExitStack() as replicas:
        async with World(postgres=PostgresServer(SYNCED)) as world, Switch(world.postgres.port) as switch:
            behind = Behind(world.database, switch.port)
            world.spec = replace(world.spec, database=await describe(behind))

            async def strike() -> None:
                for _ in range(rounds):
                    replica = await asyncio.to_thread(replicas.enter_context, followed(world.postgres))
                    await asyncio.sleep(chance.uniform(2, 4))
                    await asyncio.to_thread(world.postgres.kill)
                    await asyncio.to_thread(replica.promote)
                    world.postgres = replica
                    switch.point(replica.port)
                    await asyncio.sleep(3)

            await _suffer(world, report, behind, strike)
            report.show("promotions", rounds)
    return report


async def _suffer(world: World, report: Report, database: Database, strike: Callable[[], Awaitable[None]]) -> None:
    """Load and writers while it strikes; then the verdict."""
    crew = await world.crew(4)
    async with world.publisher() as bus, Writers(database) as writers, Load(bus, world.oracle, "step", *_STREAMS):
        await asyncio.sleep(2)
        await strike()
        await asyncio.sleep(3)
    found = await world.settled()
    report.demand("workers that ended", sum(not each.lives for each in crew))
    report.require("relays that listen", int(await asyncio.to_thread(world.postgres.sql, _LISTENING)), least=4)
    await writers.judge(world, report, gap=GAP)
    found.judge(report)
    await take_stock(world, report)
