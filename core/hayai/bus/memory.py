"""MemoryBus: the twin that keeps its events in this process, with the same delivery and lanes as the NATS engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pydantic import Field

from hayai.bus.conflicts import WRONG_LAST, conflict
from hayai.bus.delivery import Delivery
from hayai.bus.jetstream import Refused
from hayai.bus.lanes import Lanes
from hayai.bus.letter import letters_in
from hayai.bus.memory_expecting import MemoryExpecting
from hayai.bus.memory_log import Log
from hayai.bus.memory_member import Member, MemoryMessage
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
    from hayai.limits import Limits
    from hayai.tier import Tier
    from hayai.vocabulary.operations import DeadLettered


class _Running(NamedTuple):
    member: Member
    lanes: Lanes[tuple[str, str], MemoryMessage]


class MemorySettings(Settings):
    """The memory bus's settings."""

    max_payload: int = Field(default=1024 * 1024, gt=0, description="The most bytes that an envelope may have.")
    max_bytes: int = Field(default=2 * 1024**3, gt=0, description="The most that a stream may hold.")
    duplicate_window: float = Field(default=600, gt=0, description="How long, in seconds, the same id is stored once.")
    ack_wait: float = Field(default=5, gt=0, description="Seconds until a bus that died is taken to be gone.")


class MemoryBus(MemoryExpecting, MemorySchedules):
    """Events in memory: for tests and for trying things out; they end with the process.

    Buses that are given one `log` see the same events, as two processes with one server do. Time is `clock`'s: of a
    clock that a test moves, settle() takes notice at once and whatever else runs soon after.
    """

    Settings: ClassVar[type[Settings]] = MemorySettings

    def __init__(
        self,
        settings: MemorySettings | None = None,
        *,
        clock: Clock = system_clock,
        codec: Codec | None = None,
        log: Log | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._limits = settings or MemorySettings()
        super().__init__(self._limits, clock=clock, codec=codec, limits=limits)
        given = self._limits
        self.log = log or Log(clock, max_bytes=given.max_bytes, window=given.duplicate_window, ack_wait=given.ack_wait)
        self.log.open(self)
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
        begun = perf_counter()
        for each in several:
            self.admit(each)
            await self.keep(each.subject, each.body, {"Nats-Msg-Id": each.id}, each.type)
        self.meters.stored(several, begun)

    async def keep(self, subject: str, body: bytes, headers: dict[str, str], what: str) -> None:
        """Store `body`, which a sentence calls `what`. Raises Conflict, Unavailable."""
        await self.check()
        try:
            self.log.append(subject, body, headers)
        except Refused as wrong:
            if wrong.code == WRONG_LAST:
                raise conflict(what) from None
            raise Unavailable(
                f"The bus has no room for {what} ({wrong}): raise max_bytes under [bus]; then publish it again."
            ) from None

    async def subscribe(self, subscription: Subscription, tier: Tier) -> None:
        """Run this handler from now until drain()."""
        if subscription.name in self._running:
            raise HandlerMisdeclared(f"{subscription.name} runs here already: subscribe each handler once.")
        lanes: Lanes[tuple[str, str], MemoryMessage] = Lanes(
            Delivery(subscription, tier, self).work, concurrency=subscription.policy.concurrency
        )
        self.log.look()
        place = self.log.place(subscription.name, subscription.event.type)
        member = Member(self.log, place, lambda message: lanes.put(message.lane, message))
        self._running[subscription.name] = _Running(member, lanes)
        member.enter()

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
        self.log.look()
        await self.log.idle.wait()

    async def start(self) -> None:
        """Take events."""
        self._open = True
        self.log.open(self)
        self.log.look()

    async def drain(self, seconds: float) -> None:
        """Take no new events, let running handlers finish for at most `seconds`, give the rest back."""
        running, self._running = self._running, {}
        for each in running.values():
            each.member.leave()
        await asyncio.gather(*(each.lanes.close(seconds) for each in running.values()))
        for each in running.values():
            for message in list(each.member.held.values()):
                await message.give_back()
            self.log.leave(each.member)

    async def crash(self) -> None:
        """End as a process does that is killed: nothing is given back, and another bus has it after the ack_wait."""
        running, self._running, self._open = self._running, {}, False
        for each in running.values():
            each.member.die()
        self.log.look(anew=True)
        self.log.close(self)
        await asyncio.gather(*(each.lanes.close(0) for each in running.values()))

    async def stop(self) -> None:
        """Give back what runs and take no more events."""
        await self.drain(0)
        self._open = False
        self.log.close(self)
