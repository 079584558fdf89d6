"""House: what stands around a channel under test: a bus that can be broken, a transcript, one business."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hayai.bus.memory import MemoryBus
from hayai.business import parse_business
from hayai.envelope import Envelope
from hayai.errors import Unavailable
from hayai.handlers import Context, Handlers
from hayai.testing.memory_consents import MemoryConsents
from hayai.testing.memory_conversations import MemoryConversations
from hayai.testing.memory_effects import MemoryEffects
from hayai.testing.memory_people import MemoryPeople
from hayai.tier import Tier
from hayai.vocabulary.messages import MessageDelivered, MessageReceived, ReplyReady

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hayai.business import Business
    from hayai.clock import Clock
    from hayai.event import Event
    from hayai.handlers import Returned, Subscription
    from hayai.ports.conversations import Line

SMILE_DENTAL = parse_business(
    {
        "tenant": "smile-dental",
        "name": "Smile Dental",
        "trade": "dental practice",
        "timezone": "America/New_York",
        "address": "1 Main Street",
        "phone": "+1 555 010 0199",
        "greeting": "Hello, this is Smile Dental.",
        "hours": {"monday": "09:00-17:00"},
        "services": [{"id": "cleaning", "name": "Cleaning", "minutes": 30, "needs": ["chair"], "price": "$120"}],
        "resources": [{"id": "chair-1", "name": "Chair 1", "kind": "chair"}],
    }
)
"""The house's one business."""


class BreakableBus(MemoryBus):
    """A memory bus whose publishing and signalling a test can break and mend."""

    broken = False

    async def keep(self, subject: str, body: bytes, headers: dict[str, str], what: str) -> None:
        """Store the event, however it is published, or raise Unavailable while broken."""
        self._raise_when_broken()
        await super().keep(subject, body, headers, what)

    async def signal(self, topic: str, piece: bytes) -> None:
        """Pass the piece on, or raise Unavailable while broken."""
        self._raise_when_broken()
        await super().signal(topic, piece)

    def _raise_when_broken(self) -> None:
        if self.broken:
            raise Unavailable("The bus does not answer, as this test wants it.")


@dataclass
class House:
    """What stands around a channel under test: hand `bus`, `tier` and `clock` to its constructor."""

    bus: BreakableBus
    conversations: MemoryConversations
    tier: Tier
    clock: Clock
    business: Business
    received: list[tuple[MessageReceived, Envelope]] = field(default_factory=list[tuple[MessageReceived, Envelope]])
    """Every message that came in over the bus."""
    delivered: list[tuple[MessageDelivered, Envelope]] = field(default_factory=list[tuple[MessageDelivered, Envelope]])

    acts: dict[tuple[str, ...], Any] = field(default_factory=dict[tuple[str, ...], Any])
    """What handlers did outside, by tenant, event, handler, kind and meaning."""

    async def listen(self) -> None:
        """Note every MessageReceived and MessageDelivered from now on."""
        notes = Handlers("contract-notes")

        async def note_received(event: MessageReceived, context: Context) -> None:
            self.received.append((event, context.envelope))

        async def note_delivered(event: MessageDelivered, context: Context) -> None:
            self.delivered.append((event, context.envelope))

        notes.add(MessageReceived, note_received)
        notes.add(MessageDelivered, note_delivered)
        await self.run(notes)

    async def noted(self, *kinds: type[Event]) -> list[Event]:
        """A list that every event of these kinds is put into from now on."""
        seen: list[Event] = []
        notes = Handlers("notes")

        async def note(event: Event, context: Context) -> None:
            del context
            seen.append(event)

        for kind in kinds:
            notes.add(kind, note, name=kind.__name__)
        await self.run(notes)
        return seen

    async def run(self, handlers: Handlers) -> None:
        """Run a group of handlers on the bus; what they do outside goes through `acts`."""
        for each in handlers:
            await self.bus.subscribe(replace(each, handler=partial(self.handle, each)), self.tier)

    async def handle(self, subscription: Subscription, event: Event, context: Context) -> Returned:
        """Let one handler have an event, as the engine with a ledger does."""
        context.effects = MemoryEffects(self.acts, (context.tenant, context.envelope.id, subscription.name))
        context.declared = subscription.effects
        return await subscription.handler(event, context)

    async def lines(self) -> list[Line]:
        """The transcript of the one conversation that has come in."""
        (conversation,) = {envelope.conversation for _, envelope in self.received}
        assert conversation is not None
        return await self.conversations.lines(self.business.tenant, conversation)

    async def reply(self, text: str, *, channel: str) -> Envelope:
        """Answer the message that came in last through `channel`; returns once everything that follows is handled."""
        event, cause = self.received[-1]
        ready = ReplyReady(channel=channel, person=event.person, text=text, choices=("Yes", "No"))
        envelope = await self.bus.publish(ready, tenant=cause.tenant, cause=cause)
        await self.bus.settle()
        return envelope


@asynccontextmanager
async def standing_house(clock: Clock) -> AsyncGenerator[House]:
    """A memory bus, a memory transcript and one business, `smile-dental`."""
    bus, conversations, business = BreakableBus(clock=clock), MemoryConversations(), SMILE_DENTAL
    ports = {"conversations": conversations, "people": MemoryPeople(), "consents": MemoryConsents()}
    tier = Tier(ports, [business])
    house = House(bus, conversations, tier, clock, business)
    await house.listen()
    try:
        yield house
    finally:
        await bus.stop()
