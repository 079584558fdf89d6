"""Channel: a network that customers write through; two one-way doors, and what every channel does alike."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from hayai.bus.base import live_topic
from hayai.handlers import Context, Handlers
from hayai.ports.base import Adapter
from hayai.ports.conversations import Line
from hayai.tokens import derived
from hayai.vocabulary.messages import MessageDelivered, MessageReceived, ReplyReady

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import APIRouter

    from hayai.bus.base import Bus
    from hayai.effects import EffectKind
    from hayai.event import Event
    from hayai.ports.conversations import Conversations
    from hayai.vocabulary.messages import Attachment

__all__ = ["Channel", "Inbound", "accept", "live_topic"]


@dataclass(frozen=True)
class Inbound:
    """A message as a channel took it in; `id` is the sender's own id of it, the same on every resend."""

    tenant: str
    conversation: str
    person: str
    id: str
    text: str = field(repr=False)
    at: datetime
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)

    @property
    def line(self) -> str:
        """What stands in the transcript."""
        return self.text or (f"[{len(self.attachments)} sent without words]" if self.attachments else "[no words]")


class Channel(Adapter):
    """Takes messages in durably before it acknowledges them, and hands answers out.

    A constructor asks by keyword for what it needs of `bus`, `tier`, `clock` (see hayai.tier.build).
    """

    name: ClassVar[str]
    """The entry-point key; messages and replies carry it, and the routes stand under /NAME."""
    publishes: ClassVar[tuple[type[Event], ...]] = (MessageReceived,)
    """What comes in by its door."""
    effects: ClassVar[tuple[EffectKind, ...]] = ()
    """The outward acts that handing an answer out may do."""

    @abstractmethod
    def router(self) -> APIRouter:
        """The routes of the inbound door, mounted under /NAME."""

    def page(self, tenant: str) -> str | None:
        """The path of the page where that tenant's customers write, where the channel has one."""
        del tenant
        return None

    @abstractmethod
    async def deliver(self, reply: ReplyReady, line: Line, context: Context) -> None:
        """Hand one answer out; `line` is its place in the transcript.

        Raises a TransientError to be asked again, a PermanentError to have it kept as a dead letter.
        """

    def handlers(self) -> Handlers:
        """The outbound door as the bus runs it: every reply for this channel is recorded, then delivered.

        One that adds to it only names methods here: the contracts of an install are read before its channels stand.
        """
        group = Handlers(self.name)
        group.add(ReplyReady, self._deliver, name="deliver", effects=self.effects)
        return group

    async def _deliver(self, reply: ReplyReady, context: Context) -> MessageDelivered | None:
        if reply.channel != self.name:
            return None
        line = Line(context.envelope.id, "agent", reply.text, context.envelope.time, reply.choices)
        kept = await context.tier.conversations.append(context.tenant, context.conversation, line)
        await self.deliver(reply, kept, context)
        return MessageDelivered(channel=self.name, reply=context.envelope.id)


def inbound_id(channel: str, tenant: str, conversation: str, id: str) -> str:  # noqa: A002 - the sender's id
    """The id that a message's line and event get, the same whenever its sender repeats it."""
    return derived("inbound", channel, tenant, conversation, id)


async def accept(channel: str, message: Inbound, *, bus: Bus, conversations: Conversations) -> Line:
    """Record an inbound message and publish it; once this returns it is safe to tell the sender that it arrived.

    The same message again (same conversation and id) is recorded and published once.
    Raises Unavailable, after which the sender should send it again.
    """
    event_id = inbound_id(channel, message.tenant, message.conversation, message.id)
    said = Line(event_id, "customer", message.line, message.at)
    line = await conversations.append(message.tenant, message.conversation, said)
    received = MessageReceived(
        channel=channel, person=message.person, text=message.text, attachments=message.attachments
    )
    await bus.publish(received, tenant=message.tenant, id=event_id, conversation=message.conversation)
    return line
