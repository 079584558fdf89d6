"""NatsExpecting: what the engine on JetStream does about expectations: the server compares them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hayai.bus.connection import patiently
from hayai.bus.expecting import ExpectingBus
from hayai.bus.streams import address_of, stored_on, subject_of
from hayai.envelope import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.connection import Connection
    from hayai.bus.jetstream import JetStream
    from hayai.bus.publisher import Publisher
    from hayai.envelope import Envelope

T = TypeVar("T")


class NatsExpecting(ExpectingBus):
    """What the engine on JetStream does about expectations."""

    _connection: Connection
    jetstream: JetStream
    _publisher: Publisher

    async def newest(self, subject: str) -> int:
        """The sequence of the newest event there."""
        stored = stored_on(subject)
        return await self._asked(partial(self.jetstream.newest, address_of(stored).stream, stored))

    async def after(self, subject: str, sequence: int) -> bytes | None:
        """The first event there behind `sequence`."""
        stored = stored_on(subject)
        return await self._asked(partial(self.jetstream.next_body, address_of(stored).stream, sequence + 1, stored))

    async def send_if(self, envelope: Envelope, expected: int) -> None:
        """Store `envelope` where `expected` is the newest."""
        subject, body = subject_of(envelope), encode(envelope)
        await self._publisher.send(subject, body, id=envelope.id, what=envelope.type, expected=expected)

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, as soon as the server is there: it is waited for as an acknowledgement is."""
        deadline = self._publisher.deadline
        await self._connection.ready(asyncio.get_running_loop().time() + deadline)
        return await patiently(ask, deadline)
