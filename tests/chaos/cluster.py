"""Cluster: three nats-servers that keep each event on all of them; the one that leads is found and killed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import nats
import nats.errors

from hayai.testing.servers import NatsServer, free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.js import JetStreamContext

T = TypeVar("T")

SERVERS = 3
_READY_SECONDS = 30.0
_LOOK_SECONDS = 0.1


class NatsCluster(NatsServer):
    """Three servers on this machine, each with a store and a name of its own, that start and end together.

    They ask for `user` and `password` where a user is named.
    """

    def __init__(self, user: str = "", password: str = "") -> None:
        super().__init__(name="cluster")
        self._credentials = {"user": user, "password": password} if user else {}
        settings = f'authorization {{ user: "{user}", password: "{password}" }}' if user else ""
        routes = [free_port() for _ in range(SERVERS)]
        known = ", ".join(f"nats://127.0.0.1:{each}" for each in routes)
        self.servers = [
            NatsServer(
                f'cluster {{ name: "chaos", listen: "127.0.0.1:{route}", routes: [{known}] }}\n{settings}',
                name=f"node{place}",
            )
            for place, route in enumerate(routes)
        ]

    @property
    def url(self) -> str:
        """All their addresses."""
        return ",".join(each.url for each in self.servers)

    def start(self) -> None:
        """Start them; whether they have found each other is for ready() to say."""
        for each in self.servers:
            each.start()

    def stop(self) -> None:
        """End them all, and forget what they stored."""
        for each in self.servers:
            each.__exit__()

    def named(self, name: str) -> NatsServer:
        """The server of that name."""
        return next(each for each in self.servers if each.name == name)

    async def ready(self) -> None:
        """Return when JetStream answers, which takes a leader of the whole. Raises TimeoutError."""

        async def answered(jetstream: JetStreamContext) -> bool:
            await jetstream.account_info()
            return True

        await self._until(answered)

    async def leader(self, stream: str, consumer: str = "", *, other: NatsServer | None = None) -> NatsServer:
        """The server that leads a stream, or one of its consumers, and is not `other`. Raises TimeoutError."""

        async def led(jetstream: JetStreamContext) -> str | None:
            asked = jetstream.consumer_info(stream, consumer) if consumer else jetstream.stream_info(stream)
            place = (await asked).cluster
            return place.leader if place and place.leader != (other and other.name) else None

        return self.named(await self._until(led))

    async def whole(self, stream: str) -> None:
        """Return when every server has all that the stream holds. Raises TimeoutError."""

        async def caught_up(jetstream: JetStreamContext) -> bool:
            place = (await jetstream.stream_info(stream)).cluster
            others = (place.replicas if place else None) or []
            return len(others) == SERVERS - 1 and all(each.current and not each.offline for each in others)

        await self._until(caught_up)

    async def _until(self, look: Callable[[JetStreamContext], Awaitable[T | None]]) -> T:
        """What `look` finds, as soon as it finds anything."""
        async with asyncio.timeout(_READY_SECONDS):
            servers = [each.url for each in self.servers]
            client = await nats.connect(servers, max_reconnect_attempts=-1, error_cb=_quiet, **self._credentials)
            try:
                while True:
                    with suppress(nats.errors.Error):
                        if found := await look(client.jetstream(timeout=1)):
                            return found
                    await asyncio.sleep(_LOOK_SECONDS)
            finally:
                await client.close()


async def _quiet(_: Exception) -> None:
    """A server that is down is what this is about."""
