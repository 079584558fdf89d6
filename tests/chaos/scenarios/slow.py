"""A handler that takes seconds has a backlog: the others must not notice, and memory must not grow with it."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from tests.chaos.handlers import SORTS
from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.speed import p95, waits
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.nursery import Child

_STEADY = Stream("taken", publishers=10, rate=100)
_GROWTH, _GRACE = 1.2, 0.005
"""How much the others' 95th percentile may grow: a fifth, and what one turn of a busy machine costs, in seconds."""
_MEGABYTES = 50


async def run(plan: Plan) -> Report:
    """Measure the others without the backlog, and with it, in the same processes."""
    report, backlog, seconds = Report("slow"), plan.pick(4_000, 100_000), plan.pick(8, 60)
    async with World(partitions=2) as world:
        crew = await world.crew(2, sorts=(*SORTS, "slow"))
        async with world.publisher() as bus, Load(bus, world.oracle, "step", _STEADY):
            await asyncio.sleep(3)
            without = await _measured(world, seconds)
            before = _memory(crew)
            heap = Stream("heaped", publishers=100, keys=10, rate=1e6, seconds=plan.pick(1, 10))
            async with Load(bus, world.oracle, "step", heap):
                await _until_acked(world, backlog)
            await asyncio.sleep(1)
            with_it = await _measured(world, seconds)
            grown = max(each - was for each, was in zip(_memory(crew), before, strict=True))
            done = len(world.reader.of("handled", "chaos_slow"))
            waiting = len(world.reader.of("acked", "step.heaped")) - done
        found = await world.settled(replace(world.spec, sorts=SORTS))
        report.show("seconds that a slow event takes", heap.seconds)
        report.show("slow events that were done in the meantime", done)
        report.require("slow events that waited", waiting, least=backlog // 4)
        report.show("others' p95 without the backlog", f"{without * 1000:.1f} ms")
        most = round((without * _GROWTH + _GRACE) * 1000 * _crowded(), 1)
        report.demand("others' p95 with it", round(with_it * 1000, 1), most=most, unit=" ms")
        report.demand("a worker's memory grew by", round(grown, 1), most=_MEGABYTES, unit=" MiB")
        found.judge(report)
    return report


async def _until_acked(world: World, count: int) -> None:
    acked = 0
    while acked < count:
        await asyncio.sleep(0.1)
        acked = len(world.reader.of("acked", "step.heaped"))


async def _measured(world: World, seconds: int) -> float:
    begin = time.monotonic()
    await asyncio.sleep(seconds)
    end = time.monotonic()
    await asyncio.sleep(0.5)
    return p95(waits(world.reader.look(), "chaos_ledgered", "step.taken", (begin, end), keys=lambda _: True))


def _crowded() -> float:
    """How many processes compete for each processor: what else runs here is not the backlog's fault."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _memory(crew: Sequence[Child]) -> list[float]:
    return [psutil.Process(each.pid).memory_info().rss / 2**20 for each in crew]
