"""Rehearsal: whole conversations with an agent without a bus, a database or a network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from hayai.envelope import PlainCodec, wrap
from hayai.handlers import Context
from hayai.ports.models import Returned, Said
from hayai.testing.clock import MovableClock
from hayai.testing.house import SMILE_DENTAL
from hayai.testing.memory_conversations import MemoryConversations
from hayai.testing.memory_effects import MemoryEffects
from hayai.tier import Tier
from hayai.vocabulary.messages import MessageReceived, ReplyReady

if TYPE_CHECKING:
    from hayai.agents.agent import Agent
    from hayai.business import Business
    from hayai.event import Event
    from hayai.ports.base import Adapter
    from hayai.ports.models import Models, Prompt


@dataclass(frozen=True)
class Heard:
    """What came back for one message."""

    text: str
    events: tuple[Event, ...]
    """All but the reply, in order."""
    pieces: str
    """What was streamed ahead."""


@dataclass
class Rehearsal:
    """One agent, one business, one model; several people may write in several conversations.

    `ports` are further adapters that the agent's tools reach, such as a MemoryCalendar.
    """

    agent: Agent
    models: Models | None
    business: Business = SMILE_DENTAL
    clock: MovableClock = field(default_factory=MovableClock)
    ports: dict[str, Adapter] = field(default_factory=dict[str, "Adapter"])
    conversations: MemoryConversations = field(default_factory=MemoryConversations)
    acts: dict[tuple[str, ...], Any] = field(default_factory=dict[tuple[str, ...], Any])
    """What the ledger keeps of the questions to the model."""
    ids: count[int] = field(default_factory=lambda: count(1))

    async def hear(self, text: str, *, person: str = "ada", conversation: str = "talk-1", id_: str = "") -> Heard:
        """Send one message and return the answer; the same `id_` again is the same event delivered again.

        Raises what the agent raises, which the bus would deliver again.
        """
        received = MessageReceived(channel="web", person=person, text=text)
        envelope = wrap(
            received,
            tenant=self.business.tenant,
            source="rehearsal",
            codec=PlainCodec(),
            id=id_ or f"event-{next(self.ids)}",
            conversation=conversation,
            now=self.clock(),
        )
        pieces: list[str] = []

        async def stream(piece: str) -> None:
            pieces.append(piece)

        subscription = next(each for each in self.agent if each.event is MessageReceived)
        whose = (self.business.tenant, subscription.name, envelope.id)
        context = Context(envelope, subscription.name, 1, self._tier(), self.clock, stream)
        context = replace(context, effects=MemoryEffects(self.acts, whose), declared=subscription.effects)
        returned: Any = await subscription.handler(received, context)
        events = [getattr(each, "event", each) for each in returned]
        reply = next(each for each in events if isinstance(each, ReplyReady))
        return Heard(reply.text, tuple(each for each in events if each is not reply), "".join(pieces))

    def _tier(self) -> Tier:
        adapters: dict[str, Adapter] = {"conversations": self.conversations, **self.ports}
        return Tier(adapters | ({"models": self.models} if self.models else {}), [self.business])


def results(prompt: Prompt) -> list[str]:
    """What the tools have returned to the model so far, in order."""
    return [each.text for each in prompt.items if isinstance(each, Returned)]


def corrections(prompt: Prompt) -> list[str]:
    """What the house has told the model about sentences that were not sent."""
    return [each.text for each in prompt.items if isinstance(each, Said) and each.by == "house"]
