"""Tap: every event of a stream, whatever its type, many at a time, for what is built from the streams."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from hayai.bus.pull import Pull
from hayai.bus.sizes import size_of
from hayai.bus.streams import NANOSECONDS
from hayai.errors import TransientError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hayai.bus.connection import Connection
    from hayai.bus.inbox import Raw
    from hayai.bus.jetstream import JetStream
    from hayai.bus.streams import Stream

    Take = Callable[[Sequence["Taken"]], Awaitable[None]]
    """Keeps some events; those that it has may come again. Raises Unavailable."""

_log = logging.getLogger(__name__)
_ACK = b"+ACK"
_WINDOW = 1000
_MOST = 500
_ACK_WAIT = 60
_PAUSE = 1.0
_HEARTBEAT = 5.0
_SHORT_REPLY = 9
"""Words of a reply (NATS ADR-15); a longer one begins with a domain and an account."""


class Taken(NamedTuple):
    """An event as its stream keeps it."""

    sequence: int
    document: bytes
    size: int
    """The bytes that the stream counts for it."""
    stored_on: date
    """UTC, by the server's clock."""
    born: str
    """When the stream was made, in the server's words."""


class Tap:
    """Reads `stream` from its beginning under `name`; workers that use one name share the events."""

    def __init__(self, connection: Connection, jetstream: JetStream, stream: Stream, *, name: str, take: Take) -> None:
        self._connection = connection
        self._jetstream = jetstream
        self._stream = stream
        self._name = name
        self._take = take
        self._born = ""
        self._waiting: deque[Raw] = deque()
        self._working: asyncio.Task[None] | None = None
        self._finding: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = lambda: None
        self._pull = Pull(
            connection,
            (stream.name, name),
            window=_WINDOW,
            heartbeat=_HEARTBEAT,
            held=self._waiting,
            take=self._receive,
            lost=self._lost,
        )

    async def start(self) -> None:
        """Find or create the place on the server and read on. Raises Unavailable."""
        await self._find()
        self._unwatch = self._connection.watch(lambda: None, self._pull.again)
        await self._pull.start()

    async def stop(self) -> None:
        """Read no more; what was not kept yet comes again."""
        self._unwatch()
        await self._pull.close()
        for task in (self._working, self._finding):
            if task is not None:
                task.cancel()

    async def _find(self) -> None:
        stream = await self._jetstream.stream(self._stream.name)
        self._born = str(stream["created"]) if stream else ""
        if await self._jetstream.consumer(self._stream.name, self._name) is None:
            await self._jetstream.create_consumer(self._stream.name, self._config())

    def _config(self) -> dict[str, Any]:
        return {
            "durable_name": self._name,
            "filter_subject": f"{self._stream.prefix}.>",
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": _ACK_WAIT * NANOSECONDS,
            "max_deliver": -1,
            "max_ack_pending": 2 * _WINDOW,
        }

    def _receive(self, message: Raw) -> None:
        self._waiting.append(message)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._batch([self._waiting[each] for each in range(min(_MOST, len(self._waiting)))])
        finally:
            self._working = None

    async def _batch(self, messages: list[Raw]) -> None:
        try:
            await self._take([_taken(each, self._born) for each in messages])
        except TransientError as wrong:
            _log.warning("%s cannot be brought up to date yet: %s", self._name, wrong)
            await asyncio.sleep(_PAUSE)
            return
        for each in messages:
            self._waiting.popleft()
            await self._connection.answer(each.reply, _ACK)
        self._pull.made_room()

    def _lost(self) -> None:
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(self._find_again())

    async def _find_again(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                await self._find()
            except Unavailable as wrong:
                _log.warning("%s has lost its place on the server: %s", self._name, wrong)
            else:
                return self._pull.again()


def _taken(message: Raw, born: str) -> Taken:
    words = message.reply.split(".")
    if len(words) > _SHORT_REPLY:
        del words[2:4]
    stored_on = datetime.fromtimestamp(int(words[7]) // NANOSECONDS, UTC).date()
    return Taken(int(words[5]), message.data, size_of(message.subject, message.data, message.headers), stored_on, born)
