"""Talk: all that the receptionist keeps between two messages, as data; and Turn, what one message leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.ports.calendar import Appointment

Task = Literal["none", "book", "move", "cancel"]
Stage = Literal[
    "open",  # nothing was asked but "what can I do for you?"
    "invite",  # would you like to book that service?
    "service",  # which service?
    "time",  # when?
    "doubt",  # which of these readings of what you said?
    "offer",  # which of these free starts?
    "name",
    "contact",
    "confirm",  # shall I book it, move it, cancel it?
    "which",  # which of your appointments?
    "human",  # shall a person take over?
]


class Wish(BaseModel):
    """A span in which the customer would like to start; `precise` when they named the very minute `start`."""

    model_config = ConfigDict(frozen=True)

    start: AwareDatetime
    end: AwareDatetime
    precise: bool = False
    soonest: bool = False
    """Whether the customer wants the first free starts, and no choice of days."""
    spare: bool = False
    """Looked at only where nothing inside the wishes before it is free."""
    dated: bool = True
    """False for one of the days that an hour without a date may mean."""


class Following(BaseModel):
    """A further booking that waits for the one under way: its service, its time, and its place beside that one."""

    model_config = ConfigDict(frozen=True)

    service: str
    wishes: tuple[Wish, ...] = ()
    place: Literal["", "after", "day"] = ""
    other: bool = False
    """Whether it is for somebody else."""


def spanned(appointment: Appointment) -> Following:
    """The service and the span of an appointment."""
    span = Wish(start=appointment.starts_at, end=appointment.ends_at, precise=True)
    return Following(service=appointment.service, wishes=(span,))


class Talk(BaseModel):
    """Where a conversation stands. The stage is the question that is open; the rest is what is known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: Stage = "open"
    task: Task = "none"
    service: str = ""
    options: tuple[str, ...] = ()
    """Ids of the services or the appointments that were asked between."""
    wishes: tuple[Wish, ...] = ()
    question: str = ""
    """What the grammar asks while it is in doubt, and below the readings that it asks between."""
    readings: tuple[Wish, ...] = ()
    offers: tuple[AwareDatetime, ...] = ()
    seen: tuple[AwareDatetime, ...] = ()
    """Starts that were offered for these wishes already."""
    start: AwareDatetime | None = None
    """The start that was chosen: held for a booking, only asked about for a move."""
    held: str = ""
    target: str = ""
    """The appointment that is to be moved or cancelled."""
    was: AwareDatetime | None = None
    """Where the appointment stood when its move was asked about."""
    last: str = ""
    """The appointment that this conversation booked or moved last."""
    name: str = ""
    contact: str = ""
    greeted: bool = False
    misses: int = 0
    waived: bool = False
    """Whether the customer would rather not say how to reach them."""
    named: bool = False
    """Whether the name was told in the message before."""
    other: bool = False
    """Whether the booking is for somebody else."""
    nameless: bool = False
    """Whether the booking goes on although no name was told."""
    refusals: int = 0
    """How often a name or a contact was asked for in vain."""
    about: Following | None = None
    """The service and the span of the appointment that was talked about last."""
    dropped: Following | None = None
    """The booking that was dropped last, to be taken up again."""
    topic: str = ""
    """What was asked last: "and Christmas Eve?" goes on with it."""
    staff: str = ""
    """Whom the customer would like to see, by the id of the resource."""
    then: tuple[Following, ...] = ()
    """What is to be booked after this."""

    def but(self, **changes: Any) -> Talk:
        """The same talk with `changes`."""
        return self.model_copy(update=changes)

    def forgetting_time(self) -> Talk:
        """The same talk before anything was said about the time; what is held must be released by the caller."""
        return self.but(wishes=(), readings=(), question="", offers=(), seen=(), start=None, held="")

    def at_rest(self) -> Talk:
        """The same talk with no task: the person and the last appointment stay."""
        kept = {"name": self.name, "contact": self.contact, "other": self.other}
        return Talk(**kept, greeted=self.greeted, last=self.last, about=self.about)


@dataclass(frozen=True)
class Turn:
    """The answer to one message: the talk afterwards, what is said, the buttons, and the events that follow."""

    talk: Talk
    sentences: tuple[str, ...] = field(repr=False)
    choices: tuple[str, ...] = field(default=(), repr=False)
    events: tuple[Event, ...] = ()

    @property
    def text(self) -> str:
        """All sentences as one text."""
        return " ".join(self.sentences)

    def led_by(self, *sentences: str) -> Turn:
        """The same turn with `sentences` said first."""
        return Turn(self.talk, (*sentences, *self.sentences), self.choices, self.events)

    def after(self, *events: Event) -> Turn:
        """The same turn with `events` that happened before it."""
        return Turn(self.talk, self.sentences, self.choices, (*events, *self.events))
