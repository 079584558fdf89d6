"""The power goes under load: of the broker, of Postgres, and of a broker that syncs as nats-server does by default."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from hayai.testing.postgres_server import PostgresServer
from hayai.testing.servers import NatsServer
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.power import Disk, cut_broker, cut_postgres
from tests.chaos.stock import missing, take_stock
from tests.chaos.world import World
from tests.chaos.writers import Writers

if TYPE_CHECKING:
    from random import Random

SMALL: dict[str, Any] = {"max_bytes": 64 << 20, "dead_letter_bytes": 16 << 20}
"""What the streams may take on a disk of a test's own."""
SYNCED = {"max_connections": "600"}
"""A Postgres that keeps its promises: everything else as it is when nobody says anything."""
_STREAMS = (Stream("taken", publishers=10, rate=200), Stream("asked", publishers=10, rate=100))


async def broker(plan: Plan) -> Report:
    """Each write is synced: what was acknowledged is in the stream after every loss of power."""
    report, cuts = Report("power-broker"), plan.pick(2, 20)
    with Disk() as disk:
        async with World(nats=NatsServer(store=disk.place / "store")) as world:
            seen = await _under_fire(world, disk, plan.random("power-broker"), cuts)
            found = await world.settled()
            report.require("servers seen, each with an id of its own", len(seen), least=cuts + 1)
            found.judge(report)
            await take_stock(world, report)
    return report


async def default(plan: Plan) -> Report:
    """The contrast, which shows that the method can tell, and that all goes on even where a stream is gone.

    What the broker had acknowledged and not synced is lost, also what the outbox had handed over to it: the outbox
    keeps what is not acknowledged yet, and nothing else.
    """
    report = Report("power-default-sync")
    with Disk() as disk:
        unsynced = f'jetstream {{ store_dir: "{disk.place / "store"}" }}'
        async with World(nats=NatsServer(unsynced, jetstream=False)) as world:
            seen = await _under_fire(world, disk, plan.random("power-default-sync"), 1)
            found = await world.settled(seconds=20)
            back = max(seen.values())
            later = {f"{each.key}.{each.number}" for each in world.reader.of("acked") if each.at > back}
            lost = [name for name in found.lost if name.partition(".")[2] in later]
            report.show("acknowledged", found.acked)
            report.require("acknowledged and not in the stream, as is to be expected", await missing(world), least=1)
            report.show("of these never handled", len(found.lost) - len(lost))
            report.require("acknowledged once the power is back", len(later), least=1)
            report.demand("of these lost", len(lost))
    return report


async def postgres(plan: Plan) -> Report:
    """What was committed is there after every loss of power; acts are done once, and the marks agree with the bus."""
    report, chance, cuts = Report("power-postgres"), plan.random("power-postgres"), plan.pick(2, 20)
    with Disk() as disk:
        async with World(postgres=PostgresServer(SYNCED, data=disk.place / "data")) as world:
            crew = await world.crew(4)
            await asyncio.to_thread(disk.sync)
            pids = {world.postgres.pid}
            async with (
                world.publisher() as bus,
                Writers(world.database) as writers,
                Load(bus, world.oracle, "step", *_STREAMS),
            ):
                for _ in range(cuts):
                    await asyncio.sleep(chance.uniform(1, 3))
                    await asyncio.to_thread(cut_postgres, world.postgres, disk)
                    pids.add(world.postgres.pid)
                await asyncio.sleep(3)
            found = await world.settled()
            report.require("servers seen, each with a process of its own", len(pids), least=cuts + 1)
            report.demand("workers that ended", sum(not each.lives for each in crew))
            await writers.judge(world, report, gap=15)
            found.judge(report)
            await take_stock(world, report)
    return report


async def _under_fire(world: World, disk: Disk, chance: Random, cuts: int) -> dict[str, float]:
    """Load, and the broker's power gone so often; the servers that were seen, and when each was there."""
    await world.crew(4, bus={**world.spec.bus, **SMALL})
    await asyncio.to_thread(disk.sync)
    back = {world.nats.server_id: time.monotonic()}
    async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
        for _ in range(cuts):
            await asyncio.sleep(chance.uniform(1, 3))
            await asyncio.to_thread(cut_broker, world.nats, disk)
            back[world.nats.server_id] = time.monotonic()
        await asyncio.sleep(2)
    return back
