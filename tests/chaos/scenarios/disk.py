"""The disk of the broker, or that of Postgres, is full under load, and has room again a while later."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import hayai
from hayai.errors import Unavailable
from hayai.local.stack import LocalStack
from hayai.pools import Pool
from hayai.testing.postgres_server import PostgresServer
from hayai.testing.servers import NatsServer
from tests.chaos.diskfull import SmallDisk
from tests.chaos.handlers import TENANT, word
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.scenarios.postgres import SYNCED
from tests.chaos.scenarios.power import SMALL
from tests.chaos.stock import take_stock
from tests.chaos.world import World
from tests.chaos.writers import Writers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    Work = Callable[[], Awaitable[None]]

TOLD = 10.0
"""Seconds until whoever writes is told that there is no room."""
HEALED = 60.0
"""Seconds until everything is taken again once there is."""
_LONGEST = 120.0
_LARGE = "insert into chaos.line (name, key, number) select 'probe', 'p', generate_series(1, 5000)"
"""Needs new room soon, which Postgres has put by for smaller rows."""
_STREAMS = (Stream("taken", publishers=10, rate=100), Stream("asked", publishers=10, rate=50))


class Supervised(NatsServer):
    """The nats-server of a local stack, which starts it, and starts it again."""

    def __init__(self, stack: LocalStack) -> None:
        super().__init__()
        self._stack = stack

    @property
    def url(self) -> str:
        """With its password."""
        return self._stack.environment()["NATS_URL"]

    def start(self) -> None:
        """The stack has."""

    def stop(self) -> None:
        """The stack will."""


async def broker(plan: Plan) -> Report:
    """Publishers are told, nothing acknowledged is lost, and the local stack's supervisor mends it by itself.

    nats-server writes no more after an error of the disk, even when there is room again, until it is started anew.
    """
    report, hold = Report("disk-broker"), plan.pick(2, 60)
    given = {"DATABASE_URL": "elsewhere", "DATABASE_OWNER_URL": "elsewhere"}
    with SmallDisk(400) as disk:
        async with LocalStack(disk.place / "data", environment=given) as stack, World(nats=Supervised(stack)) as world:
            await world.crew(4, bus={**world.spec.bus, **SMALL})
            async with (
                world.publisher() as bus,
                hayai.connect(world.nats.url, publish_deadline=3) as hasty,
                Load(bus, world.oracle, "step", *_STREAMS),
            ):

                async def publish() -> None:
                    await hasty.publish(word("probe", "sent")(number=0), tenant=TENANT)

                await _filled_and_cleared(report, disk, publish, hold, hasty.check)
            found = await world.settled()
            report.require("times that the supervisor started it again", stack.restarts["nats"], least=1)
            report.show("events refused", found.refused)
            found.judge(report)
            await take_stock(world, report)
    return report


async def postgres(plan: Plan) -> Report:
    """What was committed stays, effects stay single, and all goes on by itself; a supervisor starts what ended."""
    report, hold = Report("disk-postgres"), plan.pick(5, 60)
    with SmallDisk(220) as disk:
        async with World(postgres=PostgresServer(SYNCED, data=disk.place / "data")) as world, _kept(world) as starts:
            crew = await world.crew(4)
            pool = Pool(world.database)
            await pool.start()

            async def write() -> None:
                async with pool.transaction(TENANT) as connection:
                    await connection.execute(_LARGE)

            async with (
                world.publisher() as bus,
                Writers(world.database) as writers,
                Load(bus, world.oracle, "step", *_STREAMS),
            ):
                await _filled_and_cleared(report, disk, write, hold)
            await pool.stop()
            found = await world.settled()
            report.show("times that it ended and was started again", len(starts))
            report.demand("workers that ended", sum(not each.lives for each in crew))
            await writers.judge(world, report, gap=hold + TOLD + HEALED)
            found.judge(report)
            await take_stock(world, report)
    return report


async def _filled_and_cleared(
    report: Report, disk: SmallDisk, write: Work, hold: int, check: Work | None = None
) -> None:
    """Fill the disk until `write` is refused and `check` says so, hold that, and clear it until `write` is taken."""
    await asyncio.sleep(3)
    disk.fill()
    seconds, longest = await _until(write, works=False)
    report.show("until a writer is told", f"{seconds:g} s")
    if check is not None:
        late, _ = await _until(check, works=False)
        report.demand("until readiness says so", round(seconds + late, 2), most=TOLD, unit=" s")
    until = time.monotonic() + hold
    while time.monotonic() < until:
        disk.fill()  # what a server gives up in its distress is taken from it too
        with suppress(Unavailable):
            await write()
        await asyncio.sleep(0.1)
    disk.clear()
    seconds, longer = await _until(write, works=True)
    report.demand("until all is taken again", seconds, most=HEALED, unit=" s")
    report.demand("longest wait for an answer, or a refusal", max(longest, longer), most=TOLD, unit=" s")
    await asyncio.sleep(2)


async def _until(write: Work, *, works: bool) -> tuple[float, float]:
    """Seconds until `write` works, or is refused with a sentence, and the longest that it took. Raises TimeoutError."""
    began, longest = time.monotonic(), 0.0
    async with asyncio.timeout(_LONGEST):
        while True:
            asked, taken = time.monotonic(), False
            with suppress(Unavailable):
                await write()
                taken = True
            longest = max(longest, time.monotonic() - asked)
            if taken == works:
                return round(time.monotonic() - began, 2), round(longest, 2)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _kept(world: World) -> AsyncGenerator[list[float]]:
    """Start Postgres again when it has ended, as any supervisor does; when that was."""
    starts: list[float] = []

    async def keep() -> None:
        while True:
            await asyncio.sleep(0.5)
            if not world.postgres.is_running:
                with suppress(RuntimeError):  # there is no room yet
                    await asyncio.to_thread(world.postgres.start)
                    starts.append(time.monotonic())

    keeper = asyncio.create_task(keep())
    try:
        yield starts
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
