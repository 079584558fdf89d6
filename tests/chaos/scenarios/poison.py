"""Events that raise, that nobody can read, and that hang: they become dead letters, and the others never notice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.chaos.load import Load, Stream
from tests.chaos.plan import Plan, Report
from tests.chaos.speed import p95, sent, waits
from tests.chaos.verdict import tally
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from hayai.bus.base import Bus
    from tests.chaos.oracle import Record

_SORTS = ("ledgered", "stateless", "counting")
_POISONED = ("ledgered", "stateless")
"""`counting` hears only what follows, and nothing follows from poison."""
_STREAM = Stream("taken", publishers=20, keys=25, rate=300)
_POLICY = {"timeout": 1.0, "first_delay": 0.05, "longest_delay": 0.5}
_ERRORS = {"raise": "RuntimeError", "hang": "HandlerTooSlow", "unreadable": "EnvelopeMalformed"}
_TRIES = {"raise": 5, "hang": 5, "unreadable": 1}
_RATIO = 0.95
_IN_TIME = 3.0
"""Seconds; what waits behind poison of its key may take longer."""


async def run(plan: Plan) -> Report:
    """First without poison, then with it: 1 % raise, 0.1 % cannot be read, 0.1 % hang."""
    report, chance, seconds = Report("poison"), plan.random("poison"), plan.pick(7, 120)
    async with World(partitions=2) as world:
        await world.crew(2, sorts=_SORTS, policy=_POLICY)
        poisoned = replace(_STREAM, faults=lambda: _fault(chance), keyed="poisoned")
        async with world.publisher() as bus:
            sound = await _measured(world, bus, _STREAM, seconds)
            mixed = await _measured(world, bus, poisoned, seconds)
            poison = {(each.key, each.number): each.who.rpartition(".")[2] for each in world.reader.of("poison")}
            await _letters(bus, report, Counter(poison.values()))
        evidence = await world.evidence(world.spec)
        records = [each for each in evidence.records if not _is_lost_on(each, poison)]
        ratio = round(mixed[0] / sound[0], 3)
        report.show("events that are poison", f"{len(poison)} {dict(Counter(poison.values()))}")
        report.show("sound events handled within 3 s, of 300 a second, without it", f"{sound[0]:.1%}")
        report.require("ratio of these with it", ratio, least=_RATIO)
        report.show("p95 of sound events without it", f"{sound[1] * 1000:.0f} ms")
        report.show("p95 of sound events with it, some behind poison of their key", f"{mixed[1] * 1000:.0f} ms")
        tally(replace(evidence, records=records), world.spec).judge(report)
    return report


def _is_lost_on(record: Record, poison: Collection[tuple[str, int]]) -> bool:
    """Whether it says that poison was acknowledged, which nobody will handle."""
    return record.what == "acked" and (record.key, record.number) in poison


def _fault(chance: Random) -> str:
    drawn = chance.random()
    return "raise" if drawn < 0.01 else "unreadable" if drawn < 0.011 else "hang" if drawn < 0.012 else ""


async def _measured(world: World, bus: Bus, stream: Stream, seconds: int) -> tuple[float, float]:
    """The share of the sound events that were handled in good time, and their 95th percentile in seconds."""
    async with Load(bus, world.oracle, "step", stream):
        await asyncio.sleep(2)
        begin = time.monotonic()
        await asyncio.sleep(seconds)
        end = time.monotonic()
    await asyncio.sleep(8)  # the last of what is tried again is given up
    records = world.reader.look()
    poison = {(each.key, each.number) for each in records if each.what == "poison"}
    sound = [each for each in records if (each.key, each.number) not in poison]
    found = waits(sound, "chaos_ledgered", "step.taken", (begin, end), keys=lambda _: True)
    in_time = sum(each <= _IN_TIME for each in found)
    return in_time / sent(sound, "step.taken", (begin, end)), p95(found)


async def _letters(bus: Bus, report: Report, poison: Counter[str]) -> None:
    """Each poison has one dead letter of each handler, of the right error and after the right number of tries."""
    letters = [letter for _, letter in await bus.dead_letters(limit=10_000)]
    expected = Counter({(_ERRORS[fault], _TRIES[fault]): len(_POISONED) * poison[fault] for fault in poison})
    found = Counter((each.error, each.attempts) for each in letters)
    once = {(each.handler, each.stream, each.sequence) for each in letters}
    report.show("dead letters", dict(Counter(each.error for each in letters)))
    report.demand("dead letters that are missing or too many", (expected - found).total() + (found - expected).total())
    report.demand("dead letters of one event and handler more than once", len(letters) - len(once))
