"""The receptionist: hears a message and answers it, by a language model where there is one, else by its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hayai.agents.agent import Agent, Rules
from hayai.ports.conversations import Memory
from hayai.vocabulary.appointments import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from hayai.vocabulary.messages import MessageReceived, ReplyReady
from hayai.vocabulary.people import HandedToHuman
from hayai_receptionist import tools
from hayai_receptionist.desk import Desk
from hayai_receptionist.dialogue import respond
from hayai_receptionist.talk import Talk

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.handlers import Context
    from hayai_receptionist.talk import Turn

NAME = "receptionist"

_OUTCOMES: dict[str, type[Event]] = {
    each.type: each for each in (ReplyReady, AppointmentBooked, AppointmentMoved, AppointmentCancelled, HandedToHuman)
}


async def answer(received: MessageReceived, context: Context) -> list[Event]:
    """Answer one message by the rules; the same message again repeats its outcome and does nothing twice.

    Raises Unavailable where the calendar or the memory does not answer: the bus brings the message again.
    """
    conversations, tenant = context.tier.conversations, context.tenant
    memory = await conversations.recall(tenant, context.conversation, NAME)
    if memory is not None and memory.handled == context.envelope.id:
        return [_read(each) for each in memory.outcome]
    talk = _talk(memory) if memory else Talk(greeted=await _in_the_middle(context))
    turn = await respond(talk, received.text, _desk(received, context))
    events = _events(turn, received)
    outcome = [_written(each) for each in events]
    remembered = Memory(turn.talk.model_dump(mode="json"), context.envelope.id, outcome)
    await conversations.remember(tenant, context.conversation, NAME, remembered)
    for sentence in turn.sentences:
        await context.stream(f"{sentence} ")
    return events


async def leave(received: MessageReceived, context: Context) -> None:
    """Let a model go on: what is held for this person is given back, and no question is left open."""
    conversations, tenant = context.tier.conversations, context.tenant
    memory = await conversations.recall(tenant, context.conversation, NAME)
    if memory is None:
        return
    talk = _talk(memory)
    if talk.held:
        await _desk(received, context).release(talk.held)
    rested = Memory(talk.at_rest().model_dump(mode="json"), memory.handled, memory.outcome)
    await conversations.remember(tenant, context.conversation, NAME, rested)


async def _in_the_middle(context: Context) -> bool:
    """Whether a model has answered in this conversation before, so that nobody is greeted twice."""
    if context.tier.models is None:
        return False
    return (
        await context.tier.conversations.recall(context.tenant, context.conversation, receptionist.memory) is not None
    )


def _talk(memory: Memory) -> Talk:
    """Where the conversation stands; one that another release has left in words unknown here begins anew."""
    try:
        return Talk.model_validate(memory.state)
    except ValidationError:
        return Talk(greeted=True)


def _desk(received: MessageReceived, context: Context) -> Desk:
    return Desk(
        business=context.tier.business(context.tenant),
        calendar=context.tier.calendar,
        person=received.person,
        channel=received.channel,
        now=context.now(),
        turn=(context.conversation, context.envelope.id),
    )


def _events(turn: Turn, received: MessageReceived) -> list[Event]:
    reply = ReplyReady(channel=received.channel, person=received.person, text=turn.text, choices=turn.choices)
    return [*turn.events, reply]


def _written(event: Event) -> dict[str, Any]:
    return {"type": event.type, "data": event.model_dump(mode="json")}


def _read(written: dict[str, Any]) -> Event:
    return _OUTCOMES[written["type"]].model_validate(written["data"])


receptionist = Agent(NAME, tools.instructions, rules=Rules(answer, tuple(_OUTCOMES.values()), leave))
tools.give(receptionist)
