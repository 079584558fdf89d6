"""Clerk: whole conversations with the receptionist without a bus, to try a business file or to test the dialogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from hayai.envelope import PlainCodec, wrap
from hayai.handlers import Context
from hayai.schedule import Window
from hayai.tier import Tier
from hayai.vocabulary.messages import MessageReceived, ReplyReady
from hayai_receptionist.agent import answer
from hayai_receptionist.talk import Talk

if TYPE_CHECKING:
    from hayai.business import Business
    from hayai.clock import Clock
    from hayai.envelope import Envelope
    from hayai.event import Event
    from hayai.ports.base import Adapter
    from hayai.ports.calendar import Appointment, Calendar
    from hayai.ports.conversations import Conversations

_AGES = timedelta(days=1500)


@dataclass(frozen=True)
class Answered:
    """What came back for one message."""

    text: str
    choices: tuple[str, ...]
    events: tuple[Event, ...]
    """All but the reply."""
    pieces: str
    """What was streamed ahead."""


class OpenClerk(Protocol):
    """`await open_clerk(business, now)`: a business or the name of a practice; now as wall time in its zone."""

    async def __call__(self, business: Business | str = ..., now: str = ...) -> Clerk:
        """A clerk whose calendar is empty."""
        ...


class Clerk:
    """One business with its calendar; several people may write in several conversations."""

    def __init__(self, business: Business, calendar: Calendar, conversations: Conversations, clock: Clock) -> None:
        """`calendar` and `conversations` are open already, and `clock` is the one that the calendar goes by."""
        adapters: dict[str, Adapter] = {"calendar": calendar, "conversations": conversations}
        self.business, self.calendar, self.conversations, self.clock = business, calendar, conversations, clock
        self.tier = Tier(adapters, [business])
        self.log: list[str] = []
        """What was said so far, a line each."""
        self._ids = count(1)

    async def hear(self, text: str, *, person: str = "ada", conversation: str = "talk-1", id_: str = "") -> Answered:
        """Send one message and return the answer; the same `id_` again is the same event delivered again."""
        received = MessageReceived(channel="web", person=person, text=text)
        envelope = wrap(
            received,
            tenant=self.business.tenant,
            source="clerk",
            codec=PlainCodec(),
            id=id_ or f"event-{next(self._ids)}",
            conversation=conversation,
            now=self.clock(),
        )
        answered = await self.handle(received, envelope)
        self.log += [f"> {text}", f"< {answered.text} {list(answered.choices)}"]
        return answered

    async def handle(self, received: MessageReceived, envelope: Envelope) -> Answered:
        """Run the handler on one event as the bus would."""
        pieces: list[str] = []

        async def stream(piece: str) -> None:
            pieces.append(piece)

        context = Context(envelope, "receptionist_answer", 1, self.tier, self.clock, stream)
        returned: list[Any] = await answer(received, context)
        reply = next(each for each in returned if isinstance(each, ReplyReady))
        events = tuple(each for each in returned if not isinstance(each, ReplyReady))
        return Answered(reply.text, reply.choices, events, "".join(pieces))

    async def talk(self, conversation: str = "talk-1") -> Talk:
        """Where a conversation stands."""
        memory = await self.conversations.recall(self.business.tenant, conversation, "receptionist")
        return Talk.model_validate(memory.state if memory else {})

    async def booked(self, person: str | None = None) -> list[Appointment]:
        """All confirmed appointments, of one person or of all."""
        return [each for each in await self.kept(person) if each.status == "confirmed"]

    async def kept(self, person: str | None = None) -> list[Appointment]:
        """All appointments that keep a slot, held ones too."""
        window = Window(start=self.clock() - _AGES, end=self.clock() + _AGES)
        return await self.calendar.appointments(self.business.tenant, window, person=person)
