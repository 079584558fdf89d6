"""Caller: what a tool is given, bound to the one person and the one tenant that the envelope names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hayai.handlers import Keyed
from hayai.tokens import derived
from hayai.vocabulary.people import HandedToHuman

if TYPE_CHECKING:
    from datetime import date, datetime

    from hayai.agents.words import Deed
    from hayai.business import Business
    from hayai.event import Event
    from hayai.handlers import Context
    from hayai.vocabulary.messages import MessageReceived


@dataclass(frozen=True)
class Done:
    """What a tool returns that did something: a sentence that a customer may read, and what the reply may confirm."""

    text: str = field(repr=False)
    deeds: tuple[Deed, ...]


@dataclass(frozen=True)
class Caller:
    """Whoever wrote the message in hand. Nothing that a model writes can make it somebody else."""

    context: Context
    received: MessageReceived = field(repr=False)
    call: str = ""
    """Which call of the turn it is: `0.1` for the second of the first step."""
    events: list[Keyed] = field(default_factory=list[Keyed])
    """What follows from the turn so far."""

    @property
    def tenant(self) -> str:
        """Whose customer it is."""
        return self.context.tenant

    @property
    def person(self) -> str:
        """The opaque id of the person, as the channel has verified it."""
        return self.received.person

    @property
    def channel(self) -> str:
        """The channel that the message came by."""
        return self.received.channel

    @property
    def business(self) -> Business:
        """The business that they wrote to."""
        return self.context.tier.business(self.tenant)

    def now(self) -> datetime:
        """The present."""
        return self.context.now()

    def today(self) -> date:
        """The date at the business."""
        return self.now().astimezone(self.business.schedule.zone).date()

    def key(self, meaning: str = "") -> str:
        """An idempotency key: the same whenever the same call of the same message is made again."""
        return derived("agent", self.context.conversation, self.context.envelope.id, self.call, meaning)

    def follow(self, event: Event, meaning: str = "") -> None:
        """Let `event` follow from this turn; `meaning` tells several of one type from one call apart."""
        self.events.append(Keyed(event, f"{self.call}.{meaning}" if meaning else self.call))

    def hand_over(self, reason: str) -> None:
        """Ask a person of the business to take over; `reason` is in our words, never the customer's."""
        self.follow(HandedToHuman(channel=self.channel, person=self.person, reason=reason))
