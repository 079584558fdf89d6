"""Channel: a network that customers write through; two one-way doors, and what every channel does alike."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from hayai.bus.base import live_topic
from hayai.errors import QuietHours, Withheld
from hayai.handlers import Context, Handlers
from hayai.ports.base import Adapter
from hayai.ports.consents import Consent
from hayai.ports.conversations import Line
from hayai.tokens import derived
from hayai.vocabulary.consent import ConsentGiven, ConsentWithdrawn
from hayai.vocabulary.messages import (
    MessageDelivered,
    MessagePostponed,
    MessageReceived,
    MessageWithheld,
    ReplyReady,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from fastapi import APIRouter

    from hayai.bus.base import Bus
    from hayai.effects import EffectKind
    from hayai.event import Event
    from hayai.interceptors import Interceptor
    from hayai.tier import Tier
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

        Raises a TransientError to be asked again, Withheld to have it left unsent, any other PermanentError to have
        it kept as a dead letter.
        """

    def handlers(self) -> Handlers:
        """The outbound door as the bus runs it: every reply for this channel is recorded, then delivered.

        One that adds to it only names methods here: the contracts of an install are read before its channels stand.
        """
        group = Handlers(self.name)
        group.add(ReplyReady, self._deliver, name="deliver", effects=self.effects)
        group.add(MessagePostponed, self._postpone, name="postpone", produces=(ReplyReady,))
        return group

    async def _deliver(
        self, reply: ReplyReady, context: Context
    ) -> MessageDelivered | MessageWithheld | MessagePostponed | None:
        if reply.channel != self.name:
            return None
        first = reply.postponed or context.envelope.id
        line = Line(first, "agent", reply.text, context.envelope.time, reply.choices)
        kept = await context.tier.conversations.append(context.tenant, context.conversation, line)
        try:
            await self.deliver(reply, kept, context)
        except QuietHours as night:
            return MessagePostponed(reply=reply.model_copy(update={"postponed": first}), until=night.until)
        except Withheld as why:
            return MessageWithheld(channel=self.name, reply=context.envelope.id, reason=str(why))
        return MessageDelivered(channel=self.name, reply=context.envelope.id)

    async def _postpone(self, postponed: MessagePostponed, context: Context) -> None:
        """Have the reply come again by day: only once the night's try is over for good, so that it is sent once."""
        if postponed.reply.channel == self.name:
            await context.publish_at(postponed.reply, postponed.until)


def inbound_id(channel: str, tenant: str, conversation: str, id: str) -> str:  # noqa: A002 - the sender's id
    """The id that a message's line and event get, the same whenever its sender repeats it."""
    return derived("inbound", channel, tenant, conversation, id)


async def accept(
    channel: str, message: Inbound, *, bus: Bus, tier: Tier, interceptors: Iterable[Interceptor] = ()
) -> Line:
    """Record an inbound message and publish it; once this returns it is safe to tell the sender that it arrived.

    The same message again (same conversation and id) is recorded and published once. What an interceptor makes of it
    is published in its place; a consent that is given or withdrawn holds from here on.
    Raises Unavailable, after which the sender should send it again.
    """
    event_id = inbound_id(channel, message.tenant, message.conversation, message.id)
    said = Line(event_id, "customer", message.line, message.at)
    line = await tier.conversations.append(message.tenant, message.conversation, said)
    event = await _meant(channel, message, event_id, tier, interceptors)
    if isinstance(event, ConsentGiven | ConsentWithdrawn):
        await _keep(event, message, tier, source=event_id)
    await bus.publish(event, tenant=message.tenant, id=event_id, conversation=message.conversation)
    return line


async def _meant(
    channel: str, message: Inbound, event_id: str, tier: Tier, interceptors: Iterable[Interceptor]
) -> Event:
    """What the message is: for the agents, unless an interceptor knows better."""
    received = MessageReceived(
        channel=channel, person=message.person, text=message.text, attachments=message.attachments
    )
    for each in interceptors:
        if (event := await each.intercept(received, id=event_id, tenant=message.tenant, tier=tier)) is not None:
            return event
    return received


async def _keep(said: ConsentGiven | ConsentWithdrawn, message: Inbound, tier: Tier, *, source: str) -> None:
    """Record what the person said about being written to, before anybody learns of it."""
    allowed = isinstance(said, ConsentGiven)
    consent = Consent(message.person, said.channel, said.purposes, allowed, source, message.at)
    await tier.consents.record(message.tenant, consent)
