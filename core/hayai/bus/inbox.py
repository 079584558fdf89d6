"""Inbox: one subscription, opened anew on every client that the connection goes through."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import nats.errors

from hayai.bus.express import Express

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nats.aio.client import Client
    from nats.aio.subscription import Subscription

    from hayai.bus.connection import Connection

    Receive = Callable[["Raw"], Awaitable[None]]
    Take = Callable[["Raw"], None]

_CLOSE_SECONDS = 2


class Raw(Protocol):
    """A message as a client hands it over."""

    @property
    def subject(self) -> str:
        """What it was sent to."""
        ...

    @property
    def reply(self) -> str:
        """Where an answer is waited for; empty where none is."""
        ...

    @property
    def data(self) -> bytes:
        """What was sent."""
        ...

    @property
    def headers(self) -> Mapping[str, str] | None:
        """The headers, with Status and Description where the server speaks for itself; None without any."""
        ...


class Inbox:
    """Messages go to `receive`, one after another; or to `take`, which waits for nothing, as soon as they are read."""

    def __init__(
        self, connection: Connection, subject: str, *, receive: Receive | None = None, take: Take | None = None
    ) -> None:
        self._connection = connection
        self._subject = subject
        self._receive = receive or self._hand_over
        self._take = take
        self._subscription: Subscription | None = None

    async def open(self, client: Client) -> None:
        """Listen on `client`."""
        self._subscription = await client.subscribe(self._subject, cb=self._receive)  # pyright: ignore[reportUnknownMemberType]
        if self._take is not None and isinstance(client, Express):
            client.hand_over(self._subscription, self._take)

    async def _hand_over(self, message: Raw) -> None:
        if self._take is not None:
            self._take(message)

    async def close(self) -> None:
        """Take what the server has sent already, then no more; never raises."""
        self._connection.forget(self)
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return
        with suppress(nats.errors.Error, OSError, TimeoutError):
            if not self._connection.is_ready:
                await subscription.unsubscribe()
                return
            # Never cancelled: the pong to a ping that nobody waits for any more ends nats-py's reading (seen in 2.16).
            draining = asyncio.create_task(_drained(subscription))
            await asyncio.wait({draining}, timeout=_CLOSE_SECONDS)


async def _drained(subscription: Subscription) -> None:
    with suppress(nats.errors.Error, OSError):
        await subscription.drain()  # type: ignore[no-untyped-call] # nats-py leaves it bare
