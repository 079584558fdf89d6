"""MemoryBus: the twin that keeps its events in this process, with the same delivery and lanes as the NATS engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pydantic import Field

from hayai.bus.delivery import Delivery
from hayai.bus.lanes import Lanes
from hayai.bus.letter import letters_in
from hayai.bus.memory_log import Log, Member, MemoryMessage, Place
from hayai.bus.memory_schedules import MemorySchedules
from hayai.bus.pieces import Pieces
from hayai.bus.streams import DEADLETTERS, outgoing
from hayai.clock import system_clock
from hayai.errors import HandlerMisdeclared, MessageTooLarge, Unavailable
from hayai.ports.base import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from hayai.clock import Clock
    from hayai.envelope import Codec, Envelope
    from hayai.handlers import Subscription
    from hayai.ledger.outcome import Outgoing
    from hayai.tier import Tier
    from hayai.vocabulary.operations import DeadLettered


class _Running(NamedTuple):
    place: Place
    member: Member
    lanes: Lanes[tuple[str, str], MemoryMessage]


class MemorySettings(Settings):
    """The memory bus's settings."""

    max_payload: int = Field(default=1024 * 1024, gt=0, description="The most bytes that an envelope may have.")


class MemoryBus(MemorySchedules):
    """Events in memory: for tests and for trying things out; they end with the process.

    Buses that are given one `log` see the same events, as two processes with one server do.
    """

    Settings: ClassVar[type[Settings]] = MemorySettings

    def __init__(
        self,
        settings: MemorySettings | None = None,
        *,
        clock: Clock = system_clock,
        codec: Codec | None = None,
        log: Log | None = None,
    ) -> None:
        self._limits = settings or MemorySettings()
        super().__init__(self._limits, clock=clock, codec=codec)
        self.log = log or Log()
        self._running: dict[str, _Running] = {}
        self._open = True

    async def send(self, envelope: Envelope) -> None:
        """Store an envelope that is made already. Raises KeyNotOpaque, MessageTooLarge, Unavailable."""
        await self.send_all([outgoing(envelope)])
        await asyncio.sleep(0)

    def admit(self, outgoing: Outgoing) -> None:
        """Return where the bus would take an event of that size. Raises MessageTooLarge."""
        if len(outgoing.body) > self._limits.max_payload:
            raise MessageTooLarge(
                f"{outgoing.type} has {len(outgoing.body)} bytes and the bus carries {self._limits.max_payload}: "
                "keep large content elsewhere and publish where it is."
            )

    async def send_all(self, several: Sequence[Outgoing]) -> None:
        """Store many events that are encoded already."""
        await self.check()
        for each in several:
            self.admit(each)
            self.log.append(each.subject, each.body, id=each.id)

    async def subscribe(self, subscription: Subscription, tier: Tier) -> None:
        """Run this handler from now until drain()."""
        if subscription.name in self._running:
            raise HandlerMisdeclared(f"{subscription.name} runs here already: subscribe each handler once.")
        lanes: Lanes[tuple[str, str], MemoryMessage] = Lanes(
            Delivery(subscription, tier, self).work, concurrency=subscription.policy.concurrency
        )
        member = Member(lambda message: lanes.put(message.lane, message))
        place = self.log.join(subscription.name, subscription.event.type, member)
        self._running[subscription.name] = _Running(place, member, lanes)

    async def dead_letters(
        self, *, tenant: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Envelope, DeadLettered]]:
        """The newest dead letters, newest first; those of `tenant` alone where one is given."""
        kept = reversed(self.log.streams[DEADLETTERS.name])
        return [letter for stored in kept for letter in letters_in(stored.body, self.codec, tenant)][:limit]

    async def signal(self, topic: str, piece: bytes) -> None:
        """An ephemeral piece to whoever listens to `topic` now. Raises MessageTooLarge."""
        if len(piece) > self._limits.max_payload:
            raise MessageTooLarge(f"A piece of {len(piece)} bytes is more than the bus carries: send it in parts.")
        for pieces in self.log.listeners.get(topic, ()):
            pieces.put(piece)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """The pieces signalled on `topic` from entering to leaving the context."""
        pieces = Pieces()
        self.log.listeners.setdefault(topic, []).append(pieces)
        try:
            yield pieces.read()
        finally:
            self.log.listeners[topic].remove(pieces)

    async def check(self) -> None:
        """Return when the bus takes events now. Raises Unavailable once it was stopped."""
        if not self._open:
            raise Unavailable("This bus was stopped: start it again, or publish before stop().")

    async def settle(self) -> None:
        """Return once every event, and every event that followed, is handled or a dead letter; for tests."""
        self.look()
        await self.log.idle.wait()

    async def start(self) -> None:
        """Take events."""
        self._open = True
        self.look()

    async def drain(self, seconds: float) -> None:
        """Take no new events, let running handlers finish for at most `seconds`, give the rest back."""
        running, self._running = self._running, {}
        for each in running.values():
            each.place.leave(each.member)
        for left in await asyncio.gather(*(each.lanes.close(seconds) for each in running.values())):
            for message in reversed(left):
                await message.give_back()

    async def stop(self) -> None:
        """Give back what runs and take no more events."""
        await self.drain(0)
        self._open = False
        self.look_no_more()
