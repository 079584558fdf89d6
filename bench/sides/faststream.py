"""FastStream on NATS: a typed subscriber, delivered by FastStream itself."""

from __future__ import annotations

import asyncio
from typing import Any

from faststream.nats import JStream, NatsBroker, PullSub
from nats.js.api import ConsumerConfig, DeliverPolicy

from bench.footprint import share
from bench.load import FILTER, STREAM
from bench.measure import Stopwatch
from bench.sides.cloudevent import CloudEvent  # noqa: TC001 - FastStream reads it from the handler's signature
from bench.sides.raw import BATCH


async def pull_many(*, url: str, name: str, events: int) -> dict[str, float]:
    """PullSub(500)."""
    return await _consume(url, events, durable=name, pull_sub=PullSub(BATCH))


async def pull_one(*, url: str, name: str, events: int) -> dict[str, float]:
    """pull_sub=True, which asks for one message at a time."""
    return await _consume(url, events, durable=name, pull_sub=True)


async def push(*, url: str, name: str, events: int) -> dict[str, float]:
    """A push consumer: what FastStream makes of a stream where nothing else is said."""
    return await _consume(url, events, durable=name)


async def _consume(url: str, events: int, **how: Any) -> dict[str, float]:
    broker, handled, done = NatsBroker(url, logger=None), 0, asyncio.Event()
    config = ConsumerConfig(filter_subject=FILTER, max_ack_pending=2000)

    async def handle(message: CloudEvent) -> None:
        nonlocal handled
        handled += 1
        if handled == events:
            done.set()

    broker.subscriber(FILTER, stream=JStream(STREAM, declare=False), config=config, **how)(handle)
    await broker.connect()
    watch = Stopwatch()
    await broker.start()
    await done.wait()
    result = watch.taken(events).told()
    await broker.stop()
    return result


async def idle(*, url: str, names: list[str], seconds: float) -> dict[str, float]:
    """PullSub(500) for each name and nothing to do; the share of a core in percent."""
    broker, config = NatsBroker(url, logger=None), ConsumerConfig(deliver_policy=DeliverPolicy.NEW)

    async def handle(message: CloudEvent) -> None:
        pass

    stream = JStream(STREAM, declare=False)
    for name in names:
        broker.subscriber(FILTER, stream=stream, config=config, durable=name, pull_sub=PullSub(BATCH))(handle)
    await broker.start()
    used = await share(seconds)
    await broker.stop()
    return used
