"""Settling: around a subscriber of HayaiBroker's, what the engine does inside: heartbeats, retries, acknowledging."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from faststream import BaseMiddleware
from faststream import Context as FromContext
from faststream.exceptions import HandlerException

from hayai.bus.explain import explained
from hayai.bus.retry import backoff
from hayai.envelope import Envelope, Reader
from hayai.errors import HayaiError, PermanentError
from hayai.telemetry.trace import is_sampled, trying
from hayai_faststream.message import settle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from faststream.nats import NatsMessage

    from hayai.envelope import Codec
    from hayai.event import Event
    from hayai.handlers import Policy

    Follow = Callable[[Any, Envelope, str], Awaitable[None]]

ENVELOPE = "envelope"
"""The name of the event's envelope among FastStream's context."""
EventEnvelope = Annotated[Envelope, FromContext(ENVELOPE)]
"""A parameter of this type is given the envelope in which the event came."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """What a subscriber reads, and under which policy."""

    handler: str
    event: type[Event]
    codec: Codec
    policy: Policy
    ack_wait: float = 15.0
    """Seconds of silence after which the server gives the event to somebody else."""
    reader: Reader[Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", Reader(self.event, self.codec))

    def opened(self, message: NatsMessage) -> tuple[Envelope, Event]:
        """The envelope and the event in it. Raises EnvelopeMalformed, EventMismatch, VersionUnknown."""
        envelope = self.reader.envelope(message.body)
        return envelope, self.reader.event(envelope)

    async def decode(self, message: NatsMessage) -> Any:
        """The event, upcast where it must be: what FastStream gives to the function."""
        return self.opened(message)[1]


class Settling(BaseMiddleware):
    """The error's class decides: a PermanentError ends it, any other brings it again with a growing, jittered pause."""

    def __init__(self, msg: Any, /, *, context: Any, readings: Mapping[Any, Reading], follow: Follow) -> None:
        super().__init__(msg, context=context)
        self._readings, self._follow = readings, follow

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: Any) -> Any:
        """Handle one event of the house's, and settle it; a subscriber of another kind is left alone."""
        reading = self._readings.get(self.context.get_local("handler_"))
        if reading is None:
            return await call_next(msg)
        try:
            await self._handle(call_next, msg, reading)
        except Exception as wrong:  # noqa: BLE001 - its class decides, and nothing else settles the event
            await _after(wrong, msg, reading)
        else:
            await msg.ack()
        return None

    async def _handle(self, call_next: Callable[[Any], Awaitable[Any]], msg: NatsMessage, reading: Reading) -> None:
        envelope, _ = reading.opened(msg)
        async with _beating(msg, reading.ack_wait / 3):
            with _traced(envelope, msg, reading):
                await self._handle_one(call_next, msg, reading, envelope)

    async def _handle_one(
        self, call_next: Callable[[Any], Awaitable[Any]], msg: NatsMessage, reading: Reading, envelope: Envelope
    ) -> None:
        with self.context.scope(ENVELOPE, envelope):
            try:
                returned = await call_next(msg)
            except HandlerException as wish:
                settle(wish, reading.handler)
                returned = None
        await self._follow(returned, envelope, reading.handler)


def _traced(envelope: Envelope, msg: NatsMessage, reading: Reading) -> AbstractContextManager[None]:
    if (parent := envelope.traceparent) is None or not is_sampled(parent):
        return nullcontext()
    tries = msg.raw_message.metadata.num_delivered or 1
    return trying(parent, reading.handler, what=envelope.type, tenant=envelope.tenant, attempt=tries)


async def _after(wrong: Exception, msg: NatsMessage, reading: Reading) -> None:
    policy, tries = reading.policy, msg.raw_message.metadata.num_delivered or 1
    most = policy.attempts if isinstance(wrong, HayaiError) else policy.defects
    ends = isinstance(wrong, PermanentError) or tries >= most
    what = "gave up" if ends else "failed; it is tried again"
    _log.warning("%s, try %d: %s. %s", reading.handler, tries, what, explained(wrong))
    if ends:
        await msg.reject()
    else:
        await msg.nack(delay=backoff(policy, tries, wrong))


@asynccontextmanager
async def _beating(msg: NatsMessage, seconds: float) -> AsyncGenerator[None]:
    """Tell the server every so often that the event is being worked on."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(seconds)
            await msg.in_progress()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
