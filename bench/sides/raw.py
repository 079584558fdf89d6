"""nats-py as it is: bytes in and out, no types, no order, no retry, no dead letters."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import nats
import nats.errors

from bench.footprint import Memory
from bench.load import FILTER, KEYS, STREAM, body, subject
from bench.measure import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.client import Client
    from nats.aio.msg import Msg

BATCH = 500
_PENDING = 2000
_EXPIRES = 30_000_000_000
_WINDOW = 1000


async def stand(client: Client, durable: str, take: Callable[[Msg], Awaitable[None]]) -> None:
    """A standing consume loop: an inbox of our own, and a request for more whenever half of the last one has come."""
    await create(client, durable)
    inbox, asked = client.new_inbox(), BATCH
    place = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{durable}"

    async def ask(batch: int) -> None:
        await client.publish(place, json.dumps({"batch": batch, "expires": _EXPIRES}).encode(), reply=inbox)

    async def receive(message: Msg) -> None:
        nonlocal asked
        if not message.reply:
            return
        asked -= 1
        if asked <= BATCH // 2:
            asked += BATCH // 2
            await ask(BATCH // 2)
        await take(message)

    await client.subscribe(inbox, cb=receive, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await ask(BATCH)


async def create(client: Client, durable: str) -> None:
    """A durable consumer of all that is there, with the limits that the product's has."""
    await client.jetstream().add_consumer(
        STREAM, durable_name=durable, filter_subject=FILTER, ack_policy="explicit", max_ack_pending=_PENDING
    )


async def consume(*, url: str, name: str, events: int) -> dict[str, float]:
    """The standing loop, each message acknowledged."""
    client, taken, done = await nats.connect(url), 0, asyncio.Event()

    async def take(message: Msg) -> None:
        nonlocal taken
        await client.publish(message.reply, b"+ACK")
        taken += 1
        if taken == events:
            done.set()

    watch = Stopwatch()
    await stand(client, name, take)
    await done.wait()
    result = watch.taken(events).told()
    await client.close()
    return result


async def fetch(*, url: str, name: str, events: int) -> dict[str, float]:
    """Batches of 500 fetched in a loop, each message acknowledged: what nats-py's documentation shows."""
    client, taken = await nats.connect(url), 0
    watch = Stopwatch()
    await create(client, name)
    places = await client.jetstream().pull_subscribe_bind(name, STREAM)
    while taken < events:
        for message in await places.fetch(min(BATCH, events - taken)):
            await message.ack()
            taken += 1
    result = watch.taken(events).told()
    await client.close()
    return result


async def publish(*, url: str, events: int) -> dict[str, float]:
    """publish_async with its own window, the bytes made beforehand, no id."""
    client = await nats.connect(url)
    jetstream = client.jetstream(publish_async_max_pending=_WINDOW)
    ready = [(subject(number), body(number)) for number in range(KEYS)]
    watch = Stopwatch()
    for number in range(events):
        await jetstream.publish_async(*ready[number % KEYS])
    await jetstream.publish_async_completed()
    result = watch.taken(events).told()
    await client.close()
    return result


async def publish_singly(*, url: str, events: int) -> dict[str, float]:
    """Each published once the one before it is acknowledged."""
    client = await nats.connect(url)
    jetstream = client.jetstream()
    ready = [(subject(number), body(number)) for number in range(KEYS)]
    watch = Stopwatch()
    for number in range(events):
        await jetstream.publish(*ready[number % KEYS])
    result = watch.taken(events).told()
    await client.close()
    return result


async def backlog(*, url: str, name: str, events: int) -> dict[str, float]:
    """The standing loop of nats-py."""
    memory, client = Memory(events), await nats.connect(url)

    async def take(message: Msg) -> None:
        await client.publish(message.reply, b"+ACK")
        memory.take()

    await stand(client, name, take)
    result = await memory.over()
    await client.close()
    return result
