"""Workers die at every await point of the delivery path: one SIGKILL each, then another worker must make it good."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.chaos.circumstances import CIRCUMSTANCES, Place
from tests.chaos.plan import Plan, Report
from tests.chaos.verdict import Tally
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random


SLOTS = 14
"""Installs under fire at the same time, on the same servers."""
_LEAST = 40
_SECONDS = 6.0
"""How long a victim may take to reach its point."""
_LATEST_PASSING = 12


@dataclass(frozen=True)
class Case:
    """Where a worker dies: the point, its how manieth passing, and what goes on around it."""

    point: str
    passing: int
    circumstance: str


async def run(plan: Plan) -> Report:
    """See once which points are passed, and how often; then die there."""
    report, chance = Report("deaths"), plan.random("deaths")
    async with World(partitions=2) as world:
        specs = [await world.install(f"slot{place}") for place in range(SLOTS)]
        founders = [world.fork(each) for each in specs]
        await world.ready(*founders)
        async with world.publisher() as bus:
            places = [Place(world, each, bus) for each in specs]
            for each in founders:
                each.signal(signal.SIGTERM)
            await asyncio.gather(*(each.ended() for each in founders))
            passed = await _explored(world, places)
            cases = chosen(passed, chance, plan.pick(56, 100_000), passings=plan.pick(1, 2))
            plan.progress(f"deaths: {len(cases)} cases")
            queue = iter(cases)
            found = Tally()
            for one in await asyncio.gather(*(_slot(place, queue, report) for place in places)):
                found += one
        _tell(report, world, passed, cases)
        found.judge(report)
    return report


def chosen(passed: dict[str, Counter[str]], chance: Random, most: int, *, passings: int) -> list[Case]:
    """Cases for at most so many kills: every point first, in any one circumstance, before any comes again."""
    cases: list[Case] = []
    every = sorted((circumstance, point) for circumstance, points in passed.items() for point, n in points.items() if n)
    chance.shuffle(every)
    rounds: dict[str, int] = Counter()
    ranked = []
    for circumstance, point in every:
        ranked.append((rounds[point], circumstance, point))
        rounds[point] += 1
    for _, circumstance, point in sorted(ranked, key=lambda each: each[0]):
        times = min(passed[circumstance][point], _LATEST_PASSING)
        several = chance.sample(range(1, times + 1), min(times, passings))
        cases += [Case(point, each, circumstance) for each in several]
    return cases[:most]


async def _explored(world: World, places: list[Place]) -> dict[str, Counter[str]]:
    """Circumstance -> point -> how often a worker passes it that nothing happens to."""
    names = list(CIRCUMSTANCES)
    return dict(zip(names, await asyncio.gather(*map(_explore, [world] * len(names), places, names)), strict=True))


async def _explore(world: World, place: Place, name: str) -> Counter[str]:
    made = await CIRCUMSTANCES[name](place, replace(place.spec, traced=True))
    await world.settled(place.spec)
    for each in made:
        each.signal(signal.SIGTERM)
        await each.ended()
    reached = [each for each in world.reader.of("reached") if each.by == made[0].pid]
    return Counter({each.who: each.number for each in reached})


async def _slot(place: Place, queue: Iterator[Case], report: Report) -> Tally:
    """Case after case in one install; what it all came to."""
    for case in queue:
        await _die(place, case, report)
    return await place.world.settled(place.spec)


async def _die(place: Place, case: Case, report: Report) -> None:
    since = len(place.world.reader.look())
    victim = replace(place.spec, point=case.point, passing=case.passing)
    made = await CIRCUMSTANCES[case.circumstance](place, victim)
    with suppress(TimeoutError):
        await made[0].ended(_SECONDS)
    found = await place.made_good(made, since)
    if found.lost:
        report.notes.append(f"lost after {case}: {found.lost[:3]}")


def _tell(report: Report, world: World, passed: dict[str, Counter[str]], cases: list[Case]) -> None:
    killed = world.reader.of("killing")
    every = set().union(*passed.values())
    reached = {point for points in passed.values() for point, times in points.items() if times}
    report.show("await points in the code", len(every))
    report.show("of these passed in some circumstance", len(reached))
    report.require("workers killed at a point", len(killed), least=_LEAST)
    report.show("different points at which one died", len({each.who for each in killed}))
    report.show("cases in which the point was not passed again", len(cases) - len(killed))
    never: dict[str, Counter[str]] = defaultdict(Counter)
    for point in every - reached:
        file, function, _ = point.split(":")
        never[file][function] += 1
    for file, functions in sorted(never.items()):
        told = ", ".join(f"{function} {times}" for function, times in sorted(functions.items()))
        report.notes.append(f"points never passed in these circumstances: {file} ({told})")
