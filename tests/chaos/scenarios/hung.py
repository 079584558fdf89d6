"""A worker hangs (SIGSTOP) for longer than its lease and wakes up: what it does then must not count."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.verdict import tally
from tests.chaos.world import World

if TYPE_CHECKING:
    from tests.chaos.oracle import Oracle, Record

_WAKING_SECONDS = 1.0
_STREAMS = (Stream("taken", rate=200, seconds=0.01), Stream("asked", publishers=4, rate=60, seconds=0.01))


async def run(plan: Plan) -> Report:
    """Stop one of three under load, let the others take over, and wake it; several times, another one each time."""
    report, chance = Report("hung"), plan.random("hung")
    seconds, times = plan.pick(8, 60), plan.pick(2, 10)
    async with World() as world:
        crew = await world.crew(3)
        asleep: list[tuple[int, float, float]] = []
        async with world.publisher() as bus, Load(bus, world.oracle, "step", *_STREAMS):
            await asyncio.sleep(3)
            for _ in range(times):
                hanging, begin = chance.choice(crew), time.monotonic()
                hanging.signal(signal.SIGSTOP)
                await asyncio.sleep(seconds)
                hanging.signal(signal.SIGCONT)
                asleep.append((hanging.pid, begin, time.monotonic() + _WAKING_SECONDS))
                await asyncio.sleep(chance.uniform(3, 4))
        await world.settled()
        found = tally(await world.evidence(world.spec), world.spec, strays=lambda each: _is_stray(each, asleep))
        late = [name for name in found.doubled if _is_unavoidable(world.oracle, name, asleep)]
        found.doubled = [name for name in found.doubled if name not in late]
        report.show("stopped, and woken after", f"{times} times, {seconds} s")
        report.demand("workers that ended", sum(not each.lives for each in crew))
        report.show("acts claimed before the stop and done on waking as well (cannot be told)", len(late))
        strays = [each for each in world.reader.of("began") if _is_stray(each, asleep)]
        report.show("handlers run by one that just woke, refused at the commit", len(strays))
        found.judge(report, gap=5)
    return report


def _is_stray(record: Record, asleep: list[tuple[int, float, float]]) -> bool:
    """Whether somebody ran it who slept or just woke: what they had begun they go on with, and are refused."""
    return any(record.by == pid and begin <= record.at <= end for pid, begin, end in asleep)


def _is_unavoidable(oracle: Oracle, name: str, asleep: list[tuple[int, float, float]]) -> bool:
    """Whether all but one who did the act had just woken, with the claim in hand: no fence reaches into that."""
    if not name.startswith("chaos_acting."):
        return False
    woken = [any(pid == who and begin <= at <= end for who, begin, end in asleep) for pid, at in oracle.doers(name)]
    return woken.count(False) <= 1
