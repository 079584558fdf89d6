"""Ten thousand keys and one that is hotter than all others; in the middle of it a worker is killed."""

from __future__ import annotations

import asyncio
import signal
import time

from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.speed import p95, waits
from tests.chaos.world import World

_WIDE = Stream("taken", publishers=100, keys=100, rate=300)
_HOT = Stream("taken", publishers=1, keys=1, rate=100, keyed="hot")
_SORTS = ("ledgered", "stateless", "counting")


async def run(plan: Plan) -> Report:
    """All keys in order, none starved, whatever the hot one does."""
    report, chance, seconds = Report("hot"), plan.random("hot"), plan.pick(10, 120)
    async with World() as world:
        crew = await world.crew(3, sorts=_SORTS)
        async with world.publisher() as bus, Load(bus, world.oracle, "step", _WIDE, _HOT):
            begin = time.monotonic()
            await asyncio.sleep(seconds)
            end = time.monotonic()
            crew[chance.randrange(3)].signal(signal.SIGKILL)
            await asyncio.sleep(chance.uniform(4, 6))
        found = await world.settled()
        records = world.reader.look()
        keys = {each.key for each in records if each.what == "acked"}
        hot = p95(waits(records, "chaos_ledgered", "step.taken", (begin, end), keys=_is_hot))
        cold = p95(waits(records, "chaos_ledgered", "step.taken", (begin, end), keys=lambda key: not _is_hot(key)))
        report.show("keys", len(keys))
        report.show("events of the hot key", sum(each.what == "acked" and _is_hot(each.key) for each in records))
        report.show("p95 of the hot key", f"{hot * 1000:.0f} ms")
        report.show("p95 of the others", f"{cold * 1000:.0f} ms")
        found.judge(report, gap=5)
    return report


def _is_hot(key: str) -> bool:
    return key.startswith("hot")
