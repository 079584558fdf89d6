"""Hearing: a text that says STOP, START or HELP becomes that, and no message to the agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hayai.interceptors import Interceptor
from hayai.vocabulary.consent import PURPOSES, ConsentGiven, ConsentWithdrawn, HelpAsked
from hayai_consent import words

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.tier import Tier
    from hayai.vocabulary.consent import Purpose
    from hayai.vocabulary.messages import MessageReceived

_GIVEN_BACK: tuple[Purpose, ...] = ("answer", "service")
"""What START begins again; what sells needs a yes of its own."""


class Hearing(Interceptor):
    """Hears the words alone; the core records what they mean."""

    publishes: ClassVar[tuple[type[Event], ...]] = (ConsentWithdrawn, ConsentGiven, HelpAsked)

    async def intercept(self, received: MessageReceived, *, id: str, tenant: str, tier: Tier) -> Event | None:  # noqa: A002 - as its base has it
        """What the text means for our leave to write. Raises Unavailable."""
        channel, person, text = received.channel, received.person, received.text
        if word := words.stop(text):
            return ConsentWithdrawn(channel=channel, person=person, purposes=PURPOSES, word=word)
        if (word := words.start(text)) or (
            (word := words.yes(text)) and await _had_stopped(tier, tenant, received, id)
        ):
            return ConsentGiven(channel=channel, person=person, purposes=_GIVEN_BACK, word=word)
        return HelpAsked(channel=channel, person=person) if words.help_asked(text) else None


async def _had_stopped(tier: Tier, tenant: str, received: MessageReceived, message: str) -> bool:
    """Whether no answer was allowed when the message came first."""
    standing = await tier.consents.standing(tenant, received.person, received.channel, before=message)
    return not standing.get("answer", True)
