"""Servers: a nats-server and a Postgres of a stage's own, each on a port and in a folder that nothing else uses."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import nats

from bench.load import STREAM
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from nats.js import JetStreamContext
    from nats.js.api import ConsumerInfo

Sync = Literal["default", "always"]
"""When nats-server makes its files durable: every two minutes, as it does when nobody says anything, or every write."""


@contextmanager
def nats_server(sync: Sync) -> Iterator[NatsServer]:
    """A running server with an empty store."""
    if sync == "always":
        with NatsServer() as server:
            yield server
        return
    with tempfile.TemporaryDirectory(prefix="hayai-bench-") as store:
        server = NatsServer(f'jetstream {{ store_dir: "{Path(store)}" }}', jetstream=False)
        with server:
            yield server


def purge(url: str, *, expected: int) -> None:
    """Empty the stream, so that each side finds it alike. Raises RuntimeError where it did not hold so many events."""

    async def ask(jetstream: JetStreamContext) -> int:
        found = await jetstream.stream_info(STREAM)
        await jetstream.purge_stream(STREAM)
        return found.state.messages

    stored: int = _asked(url, ask)
    if stored != expected:
        raise RuntimeError(f"{STREAM} held {stored} events instead of {expected}.")


def settle(url: str, durable: str, events: int) -> None:
    """See that `durable` has acknowledged `events` events, then delete it. Raises RuntimeError where it has not."""

    async def ask(jetstream: JetStreamContext) -> ConsumerInfo:
        found: ConsumerInfo = await jetstream.consumer_info(STREAM, durable)
        await jetstream.delete_consumer(STREAM, durable)
        return found

    found: ConsumerInfo = _asked(url, ask)
    floor = found.ack_floor.stream_seq if found.ack_floor else 0
    if floor < events:
        raise RuntimeError(f"{durable} acknowledged all up to {floor} instead of {events}.")


def _asked(url: str, ask: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
    async def connected() -> Any:
        client = await nats.connect(url)
        try:
            return await ask(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(connected())
