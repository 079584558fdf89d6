"""Stock: what stands in the stream and in the ledger when all is over, read past the house."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import TYPE_CHECKING

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from tests.chaos.handlers import HEARS

if TYPE_CHECKING:
    from tests.chaos.plan import Report
    from tests.chaos.world import World

_AT_ONCE = 500
_PATIENCE = 20.0
_MARKS = "select handler, count(*) from hayai.inbox where run = 'live' group by handler"
_MARKED = ("ledgered", "acting", "transactional")


async def take_stock(world: World, report: Report) -> None:
    """Demand that the stream holds what was acknowledged, and that the ledger has a mark of each of these."""
    stored = await _stored(world.spec.nats)
    report.demand("acknowledged and not in the stream", _missing(world, stored))
    report.demand("committed out of order", _disordered(stored))
    report.demand("in the stream more than once", sum(times > 1 for times in stored.values()))
    report.demand("in the stream and without a mark in the ledger", await _unmarked(world, stored))


async def missing(world: World) -> int:
    """How many events were acknowledged and are not in the stream."""
    return _missing(world, await _stored(world.spec.nats))


def _missing(world: World, stored: Counter[tuple[str, str, int]]) -> int:
    told = {(each.who, each.key, each.number) for each in world.reader.of("acked")}
    return len(told - stored.keys())


async def _stored(url: str) -> Counter[tuple[str, str, int]]:
    """What is stored how often, as event, key and number."""
    async with await nats.connect(url.split(",")) as client:
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL)
        subscription = await client.jetstream().pull_subscribe("", stream="EVENTS", config=config)
        found: Counter[tuple[str, str, int]] = Counter()
        left = (await subscription.consumer_info()).num_pending or 0
        while left > 0:
            several = await subscription.fetch(min(left, _AT_ONCE), timeout=5)
            left -= len(several)
            for each in several:
                event = json.loads(each.data)
                found[event["type"].rpartition(".v")[0], event.get("subject", ""), event["data"].get("number", 0)] += 1
    return found


def _disordered(stored: Counter[tuple[str, str, int]]) -> int:
    """How many follow-ups stand behind a later one of their key: what was committed and published in another order."""
    newest: dict[str, int] = {}
    wrong = 0
    for event, key, number in stored:  # in the stream's order
        if event.endswith(".counted"):
            wrong += number < newest.get(key, -1)
            newest[key] = max(number, newest.get(key, -1))
    return wrong


async def _unmarked(world: World, stored: Counter[tuple[str, str, int]]) -> int:
    """How many events are not marked by a handler that has heard them, once no more marks come."""
    spec = world.spec
    events = Counter(event for event, _, _ in stored.elements())
    wanted = {f"{spec.group}_{sort}": events[f"{spec.noun}.{HEARS[sort]}"] for sort in spec.sorts if sort in _MARKED}
    until = time.monotonic() + _PATIENCE
    while True:
        lines = (await asyncio.to_thread(world.postgres.sql, _MARKS, world.database.name)).splitlines()
        marks = {handler: int(count) for handler, _, count in (line.partition("|") for line in lines)}
        missing = sum(max(0, count - marks.get(handler, 0)) for handler, count in wanted.items())
        if not missing or time.monotonic() > until:
            return missing
        await asyncio.sleep(0.3)
