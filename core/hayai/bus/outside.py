"""Outside: the bus for a plain script or service that runs beside Hayai and shares nothing with it but the server.

async with hayai.connect("nats://app:password@bus.example:4222") as bus:
    await bus.publish(AppointmentBooked(...), tenant="smile-dental")   # durable once it returns
    await bus.run(handlers)                                            # they hear what happens from now on
    await bus.until_stopped()
"""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hayai.bus.connection import Connection
from hayai.bus.jetstream import JetStream
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.streams import DEADLETTERS, EVENTS
from hayai.clock import system_clock
from hayai.errors import HandlerMisdeclared, SettingsError, Unavailable
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hayai.clock import Clock
    from hayai.envelope import Codec
    from hayai.handlers import Handlers, Subscription

PREFIX = "outside-"
"""What an outside handler's name begins with on the server, so that none of the house's shares its place."""
_PARTITIONS = re.compile(r"\{\{partition\((\d+),1,2\)\}\}")
_DRAIN_SECONDS = 20.0
_DENIED = "authorization"


class OutsideBus(NatsBus):
    """Publishes and subscribes on streams that Hayai keeps: it never creates one, and changes none."""

    async def ensure_streams(self) -> None:
        """See that the streams are there. Raises Unavailable where one is not."""
        await _partitions(self.jetstream, self._connection.server)

    async def run(self, handlers: Handlers) -> None:
        """Let `handlers` hear events from now until the bus is left; returns once they do.

        Each keeps its place under a name of its own, so a service that starts again goes on where it was. There is no
        ledger outside: an event may come again after a crash, and several processes with the same handlers share the
        events one by one. Raises HandlerMisdeclared, Unavailable.
        """
        for each in handlers:
            await self.subscribe(_outside(each), Tier({}))

    async def until_stopped(self) -> None:
        """Return at SIGTERM or SIGINT: what a service waits for between run() and leaving."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, stop.set)
        try:
            await stop.wait()
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


@asynccontextmanager
async def connect(
    url: str,
    *,
    codec: Codec | None = None,
    clock: Clock = system_clock,
    inbox: str = "_INBOX",
    connect_deadline: float = 5.0,
    publish_deadline: float = 30.0,
) -> AsyncGenerator[OutsideBus, None]:
    """The bus of the Hayai whose NATS server is at `url`, `nats://user:password@host:port`; deadlines in seconds.

    `codec` is the install's where it seals personal fields. `inbox` is the first word of the subjects on which the
    server answers, where the user's permissions name another. Leaving lets handlers that run finish for 20 seconds.
    Raises SettingsError for what is no such url, Unavailable where the server does not take us or is no Hayai's.
    """
    _check(url)
    settings = NatsSettings(url=url, inbox=inbox, connect_deadline=connect_deadline, publish_deadline=publish_deadline)
    settings = settings.model_copy(update={"partitions": await _look(url, inbox, connect_deadline)})
    bus = OutsideBus(settings, codec=codec, clock=clock)
    await bus.start()
    try:
        yield bus
        await bus.drain(_DRAIN_SECONDS)
    finally:
        await bus.stop()


async def _look(url: str, inbox: str, seconds: float) -> int:
    """Into how many partitions the house parts its events. Raises Unavailable."""
    connection = Connection(url, inbox=inbox)
    try:
        await connection.start(seconds)
    except Unavailable as wrong:
        raise Unavailable(_refused(str(wrong), connection.server)) from None
    try:
        return await _partitions(JetStream(connection), connection.server)
    finally:
        await connection.stop()


async def _partitions(jetstream: JetStream, server: str) -> int:
    dest = ""
    for stream in (DEADLETTERS, EVENTS):
        found: dict[str, Any] | None = await jetstream.stream(stream.name)
        if found is None:
            raise Unavailable(
                f"The NATS server at {server} has no stream {stream.name}: start Hayai first, or check the url."
            )
        dest = found["config"].get("subject_transform", {}).get("dest", "")
    parts = _PARTITIONS.search(dest)
    if parts is None:
        raise Unavailable(
            f"The stream {EVENTS.name} of the NATS server at {server} is not one that Hayai made: check the url."
        )
    return int(parts[1])


def _refused(said: str, server: str) -> str:
    if _DENIED in said.lower():
        return f"The NATS server at {server} refuses these credentials: correct user and password in the url."
    return f"No NATS server answers at {server}: start Hayai first, or check the url."


def _check(url: str) -> None:
    """Raises SettingsError, which repeats nothing of `url`: it may hold a password."""
    try:
        sound = bool(url) and all(map(_sound, url.split(",")))
    except ValueError:
        sound = False
    if not sound:
        raise SettingsError("This is no address of a NATS server: write it as nats://user:password@host:port.")


def _sound(url: str) -> bool:
    parts = urlsplit(url.strip())
    return parts.scheme in {"nats", "tls", "ws", "wss"} and bool(parts.hostname) and (parts.port or 4222) > 0


def _outside(subscription: Subscription) -> Subscription:
    if subscription.policy.transactional:
        raise HandlerMisdeclared(
            f"{subscription.name} is transactional, and outside of Hayai there is no ledger to share a transaction "
            "with: install it as a plugin, or take that out of its policy."
        )
    policy = replace(subscription.policy, stateless=True)
    return replace(subscription, name=f"{PREFIX}{subscription.name}", policy=policy)
