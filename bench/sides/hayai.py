"""The product: NatsBus as an application uses it, with everything on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bench.footprint import Memory, share
from bench.load import KEYS, TENANT, Booked, booked, envelope, key
from bench.measure import Stopwatch
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.streams import outgoing
from hayai.handlers import Policy, Subscription
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from hayai.handlers import Context

_AT_ONCE = 256


@asynccontextmanager
async def connected(url: str, *, express: bool = False) -> AsyncIterator[NatsBus]:
    """A started bus, with `express` on the shorter way through nats-py."""
    bus = NatsBus(NatsSettings(url=url, express=express))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.drain(2)
        await bus.stop()


async def found(*, url: str, names: Sequence[str]) -> dict[str, float]:
    """Create the streams, and a place for each name: a handler reads from where it was first subscribed."""

    async def handle(event: Booked, context: Context) -> None:
        pass

    async with connected(url) as bus:
        for name in names:
            await bus.subscribe(Subscription(name, Booked, handle, Policy(stateless=True)), Tier({}))
    return {}


async def consume(*, url: str, name: str, events: int, express: bool = False) -> dict[str, float]:
    """Typed, ordered by key, handled by a handler that does nothing, acknowledged."""
    handled, done = 0, asyncio.Event()

    async def handle(event: Booked, context: Context) -> None:
        nonlocal handled
        handled += 1
        if handled == events:
            done.set()

    async with connected(url, express=express) as bus:
        watch = Stopwatch()
        await bus.subscribe(Subscription(name, Booked, handle, Policy(stateless=True)), Tier({}))
        await done.wait()
        return watch.taken(events).told()


async def consume_express(*, url: str, name: str, events: int) -> dict[str, float]:
    """The same on the shorter way through nats-py."""
    return await consume(url=url, name=name, events=events, express=True)


async def publish(
    *, url: str, events: int, keys: int = KEYS, callers: int = _AT_ONCE, express: bool = False
) -> dict[str, float]:
    """Typed events with an id each, by so many callers at once, each waiting for its acknowledgement."""

    async def caller(first: int) -> None:
        for number in range(first, events, callers):
            await bus.publish(booked(), tenant=TENANT, key=key(number, keys))

    async with connected(url, express=express) as bus:
        watch = Stopwatch()
        await asyncio.gather(*map(caller, range(callers)))
        return watch.taken(events).told()


async def publish_express(*, url: str, events: int) -> dict[str, float]:
    """As publish(), on the shorter way through nats-py."""
    return await publish(url=url, events=events, express=True)


async def publish_singly(*, url: str, events: int) -> dict[str, float]:
    """Each published once the one before it is acknowledged."""
    return await publish(url=url, events=events, callers=1)


async def publish_batches(*, url: str, events: int, size: int = 500) -> dict[str, float]:
    """Events that are encoded already, as the relay has them out of the outbox, so many in one go."""
    made = [outgoing(envelope(number)) for number in range(events)]
    async with connected(url) as bus:
        watch = Stopwatch()
        for first in range(0, events, size):
            await bus.send_all(made[first : first + size])
        return watch.taken(events).told()


async def idle(*, url: str, names: list[str], seconds: float) -> dict[str, float]:
    """The product with a subscription for each name and nothing to do; the share of a core in percent."""

    async def handle(event: Booked, context: Context) -> None:
        pass

    async with connected(url) as bus:
        for name in names:
            await bus.subscribe(Subscription(name, Booked, handle, Policy(stateless=True)), Tier({}))
        return await share(seconds)


async def backlog(*, url: str, name: str, events: int) -> dict[str, float]:
    """The product with a handler that does nothing."""
    memory = Memory(events)

    async def handle(event: Booked, context: Context) -> None:
        memory.take()

    async with connected(url) as bus:
        await bus.subscribe(Subscription(name, Booked, handle, Policy(stateless=True)), Tier({}))
        return await memory.over()
