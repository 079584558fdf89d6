"""Bus: publish, subscribe, and ephemeral pieces; what every engine promises."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from hayai.clock import system_clock
from hayai.envelope import PlainCodec, wrap
from hayai.limits import Limits
from hayai.ports.base import Adapter
from hayai.telemetry.meters import Meters
from hayai.telemetry.trace import sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from hayai.clock import Clock
    from hayai.envelope import Codec, Envelope
    from hayai.event import Event
    from hayai.handlers import Subscription
    from hayai.ledger.outcome import Outgoing
    from hayai.ports.base import Settings
    from hayai.tier import Tier
    from hayai.vocabulary.operations import DeadLettered

PLATFORM = "platform"
"""The tenant of what the platform reports about itself."""

UNKNOWN = "unknown"
"""The tenant of a dead letter whose bytes do not say whose they are."""

SOURCE = "/hayai"
"""The CloudEvents source of what no handler returned; a handler's is `/hayai/HANDLER`."""


def live_topic(tenant: str, conversation: str) -> str:
    """The ephemeral topic of one conversation: pieces of an answer while it is made, and word of each new line."""
    return f"live.{tenant}.{conversation}"


class Bus(Adapter):
    """An acknowledged event is kept; it reaches each handler at least once, in order for one key.

    Without a ledger the order has one gap: what a process had in hand when it died comes again after a while, and later
    events of the same key may be handled by another process in between.

    An engine implements the abstract methods; `publish` wraps and lets the engine `send`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = system_clock,
        codec: Codec | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.codec: Codec = codec or PlainCodec()
        self.meters = Meters()
        """What was published and handled in this process."""
        self.limits = limits or Limits()
        """What each tenant may publish: publish() asks, what only passes on an event that was taken does not."""

    async def publish(
        self,
        event: Event,
        *,
        tenant: str,
        key: str | None = None,
        id: str | None = None,  # noqa: A002 - CloudEvents calls it id
        conversation: str | None = None,
        cause: Envelope | None = None,
        expected: int | None = None,
    ) -> Envelope:
        """`event` in its envelope, durable once this returns; the same `id` again is stored once.

        With `expected`, what last() said of this event and key, it is stored only where that is so still. Raises
        KeyNotOpaque, MessageTooLarge, RateLimited where the tenant sends more than it may, Unavailable when no
        acknowledgement came in time, or Conflict where another one came since last().
        """
        if tenant != PLATFORM:
            self.limits.admit(tenant)
        with sending(event.wire_type(), tenant=tenant, cause=cause.traceparent if cause else None) as traceparent:
            envelope = wrap(
                event,
                tenant=tenant,
                source=SOURCE,
                codec=self.codec,
                key=key,
                id=id,
                conversation=conversation,
                cause=cause,
                traceparent=traceparent,
                now=self.clock(),
            )
            if expected is None:
                await self.send(envelope)
            else:
                await self.send_expected(envelope, expected)
        return envelope

    @abstractmethod
    async def last(self, event: type[Event], *, tenant: str, key: str) -> int:
        """The place in its stream of the newest `event`, in its version of now, of that key; 0 where there is none.

        For publish() to expect. Raises KeyNotOpaque, Unavailable.
        """

    @abstractmethod
    async def send(self, envelope: Envelope) -> None:
        """Store an envelope that is made already. Raises KeyNotOpaque, MessageTooLarge, Unavailable."""

    @abstractmethod
    async def send_expected(self, envelope: Envelope, expected: int) -> None:
        """Store an envelope where `expected` is what last() says; once, however often this is called.

        Raises KeyNotOpaque, MessageTooLarge, Unavailable, Conflict.
        """

    @abstractmethod
    def admit(self, outgoing: Outgoing) -> None:
        """Return where the bus would take an event of that size. Raises MessageTooLarge."""

    @abstractmethod
    async def send_all(self, several: Sequence[Outgoing]) -> None:
        """Store many events that are encoded already, those of one key in their order; what the relay calls.

        Raises MessageTooLarge, Unavailable: some may be stored by then, and are not stored again under their ids.
        """

    @abstractmethod
    async def subscribe(self, subscription: Subscription, tier: Tier) -> None:
        """Run this handler from now until drain(): the events since it was first subscribed, then the live ones.

        The place is kept under the subscription's name. Raises HandlerMisdeclared where that name runs here already
        or holds the place of another event's handler, Unavailable where the server does not answer.
        """

    @abstractmethod
    async def dead_letters(
        self, *, tenant: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Envelope, DeadLettered]]:
        """The newest dead letters, newest first; those of `tenant` alone where one is given. Raises Unavailable."""

    @abstractmethod
    async def signal(self, topic: str, piece: bytes) -> None:
        """An ephemeral piece to whoever listens to `topic` now; lost when nobody does. Raises MessageTooLarge."""

    @abstractmethod
    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The pieces signalled on `topic` from entering to leaving the context."""

    @abstractmethod
    async def check(self) -> None:
        """Return when the bus takes events now. Raises Unavailable with a sentence."""

    @abstractmethod
    async def drain(self, seconds: float) -> None:
        """Take no new events, let running handlers finish for at most `seconds`, give the rest back."""
