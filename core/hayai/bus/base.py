"""Bus: publish, subscribe, and ephemeral pieces; what every engine promises."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from hayai.envelope import Envelope
    from hayai.event import Event
    from hayai.handlers import Subscription
    from hayai.tier import Tier
    from hayai.vocabulary.operations import DeadLettered


class Bus(Adapter):
    """An acknowledged event is kept; it reaches each handler at least once, in order for one key."""

    async def publish(  # noqa: PLR0913 - one argument an attribute
        self,
        event: Event,
        *,
        tenant: str,
        key: str | None = None,
        id: str | None = None,  # noqa: A002 - CloudEvents calls it id
        conversation: str | None = None,
        cause: Envelope | None = None,
    ) -> Envelope:
        """`event` in its envelope, durable once this returns; the same `id` again is stored once.

        Raises KeyNotOpaque, MessageTooLarge, or Unavailable when no acknowledgement came in time.
        """
        raise NotImplementedError

    @abstractmethod
    async def send(self, envelope: Envelope) -> None:
        """Store an envelope that is made already. Raises MessageTooLarge, Unavailable."""

    @abstractmethod
    async def subscribe(self, subscription: Subscription, tier: Tier) -> None:
        """Run this handler from now until stop(): its events since it was first subscribed, then the live ones."""

    @abstractmethod
    async def dead_letters(self, *, limit: int = 100) -> Sequence[tuple[Envelope, DeadLettered]]:
        """The newest dead letters, newest first."""

    @abstractmethod
    async def signal(self, topic: str, piece: bytes) -> None:
        """An ephemeral piece to whoever listens to `topic` now; lost when nobody does."""

    @abstractmethod
    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The pieces signalled on `topic` from entering to leaving the context."""

    @abstractmethod
    async def check(self) -> None:
        """Return when the bus takes events now. Raises Unavailable with a sentence."""

    @abstractmethod
    async def drain(self, seconds: float) -> None:
        """Take no new events, let running handlers finish for at most `seconds`, give the rest back."""
