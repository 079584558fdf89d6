"""Workers die at the await points to which only an outage of the broker leads: while they find it again."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.chaos.circumstances import Place
from tests.chaos.plan import Plan, Report
from tests.chaos.scenarios.broker import killed
from tests.chaos.verdict import Tally
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.nursery import Child
    from tests.chaos.worker import Spec

_SLOTS = 10
_SECONDS = 8.0
"""How long a victim may take to reach its point: it looks for heartbeats that do not come."""
_BUS = {"partitions": 1, "heartbeat": 1, "publish_deadline": 60}


async def run(plan: Plan) -> Report:
    """In each round as many workers as there are installs, each with a point of its own, and one outage for all."""
    report, chance, found = Report("outage"), plan.random("outage"), Tally()
    async with World(partitions=1) as world:
        world.spec = replace(world.spec, bus=_BUS)
        specs = [await world.install(f"slot{place}") for place in range(_SLOTS)]
        founders = [world.fork(each) for each in specs]
        await world.ready(*founders)
        for each in founders:
            each.signal(signal.SIGTERM)
        await asyncio.gather(*(each.ended() for each in founders))
        async with world.publisher() as bus:
            places = [Place(world, each, bus) for each in specs]
            points = await _explored(world, places[0])
            chance.shuffle(points)
            rounds = min(plan.pick(1, 1000), -(-len(points) // _SLOTS))
            for turn in range(rounds):
                await _round(world, places, points[turn * _SLOTS : (turn + 1) * _SLOTS])
            for one in await asyncio.gather(*(world.settled(each) for each in specs)):
                found += one
        died = {each.who for each in world.reader.of("killing")}
        report.show("await points that only an outage leads to", len(points))
        report.show("outages", rounds + 1)
        report.require("workers killed at one of them", len(died), least=plan.pick(4, len(points) // 3))
        found.judge(report)
    return report


async def _explored(world: World, place: Place) -> list[str]:
    """The points that a worker passes in an outage and not without."""
    child = world.fork(replace(place.spec, traced=True, publishes=3))
    await _suffer(world, [place], [child])
    await world.settled(place.spec)
    other = world.fork(replace(place.spec, traced=True, publishes=3))
    await world.ready(other)
    await place.send()
    await world.settled(place.spec)
    for each in (child, other):
        each.signal(signal.SIGTERM)
        await each.ended()
    passed: dict[int, Counter[str]] = {child.pid: Counter(), other.pid: Counter()}
    for record in world.reader.of("reached"):
        passed[record.by][record.who] = record.number
    return sorted(point for point, times in passed[child.pid].items() if times and not passed[other.pid][point])


async def _round(world: World, places: Sequence[Place], points: Sequence[str]) -> None:
    since = len(world.reader.look())
    victims: list[Spec] = [replace(place.spec, point=point) for place, point in zip(places, points, strict=False)]
    children = [world.fork(each) for each in victims]
    await _suffer(world, places[: len(children)], children)
    with suppress(TimeoutError):
        await asyncio.gather(*(each.ended(_SECONDS) for each in children))
    pairs = zip(places, children, strict=False)
    await asyncio.gather(*(place.made_good([child], since) for place, child in pairs))


async def _suffer(world: World, places: Sequence[Place], children: Sequence[Child]) -> None:
    """One outage while these work."""
    await world.ready(*children, may_die=True)
    sending = [asyncio.create_task(each.send(6, seconds=0.02)) for each in places]
    await asyncio.sleep(0.1)
    await killed(world)
    await asyncio.gather(*sending)
