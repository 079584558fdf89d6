"""The agent `consent`: one answer to STOP, START and HELP, and a person where CANCEL may have meant an appointment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.handlers import Context, Handlers
from hayai.vocabulary.consent import ConsentGiven, ConsentWithdrawn, HelpAsked
from hayai.vocabulary.messages import ReplyReady
from hayai.vocabulary.people import HandedToHuman

if TYPE_CHECKING:
    from hayai.business import Business

_AMBIGUOUS = "cancel"
consent = Handlers("consent")


@consent.on(ConsentWithdrawn)
async def confirm(said: ConsentWithdrawn, context: Context) -> list[ReplyReady | HandedToHuman]:
    """Say that it was the last text; who texted CANCEL may have meant an appointment, and can be texted no more."""
    business = context.tier.business(context.tenant)
    text = f"{business.name}: you will get no more texts from us. Text START to get them again{_or_call(business)}."
    reply = ReplyReady(channel=said.channel, person=said.person, text=text, purpose="consent")
    if said.word != _AMBIGUOUS:
        return [reply]
    reason = (
        "They texted CANCEL, which carriers take for STOP. If they meant an appointment, call them: no text reaches "
        "them until they text START."
    )
    return [reply, HandedToHuman(channel=said.channel, person=said.person, reason=reason)]


@consent.on(ConsentGiven)
async def welcome(said: ConsentGiven, context: Context) -> ReplyReady:
    """Say that texts come again, and how to end them."""
    business = context.tier.business(context.tenant)
    text = f"{business.name}: you will get our texts again. Text STOP to end them, HELP for help."
    return ReplyReady(channel=said.channel, person=said.person, text=text, purpose="consent")


@consent.on(HelpAsked)
async def explain(asked: HelpAsked, context: Context) -> ReplyReady:
    """Say who writes, how to reach them, and how to end it."""
    business = context.tier.business(context.tenant)
    where = ", ".join(each for each in (business.name, business.address) if each)
    ways = " or ".join(each for each in (business.phone, business.email) if each)
    text = f"{where}. {f'Reach us at {ways}. ' if ways else ''}Text STOP to get no more texts."
    return ReplyReady(channel=asked.channel, person=asked.person, text=text, purpose="consent")


def _or_call(business: Business) -> str:
    return f", or call {business.phone}" if business.phone else ""
