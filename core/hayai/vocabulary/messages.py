"""Messages: what a customer wrote, what we answer, and what became of the answer."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from hayai.event import Event, Personal
from hayai.vocabulary.consent import Purpose


class Attachment(BaseModel):
    """A picture or a file that came with a message; it stays where the channel's network keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    media_type: str


class MessageReceived(Event, type="message.received", version=1):
    """A customer wrote something. The envelope's conversation says in which talk."""

    channel: str
    """The channel's name; an answer goes back through it."""
    person: str
    """Opaque id of the customer, as the channel knows them."""
    text: Personal[str]
    attachments: Personal[tuple[Attachment, ...]] = ()


class ReplyReady(Event, type="reply.ready", version=1):
    """An answer stands, whole, and may be delivered."""

    channel: str
    person: str
    text: Personal[str]
    choices: Personal[tuple[str, ...]] = ()
    """Short answers that the channel may offer as buttons."""
    purpose: Purpose | Literal["consent"] = "answer"
    """Why we write, as hayai.consent.Recipient has it."""
    postponed: str = ""
    """Id of the reply's event that this one repeats by day; empty for all that was not held up by the night."""


class MessageDelivered(Event, type="message.delivered", version=1):
    """The channel handed an answer over to its network."""

    channel: str
    reply: str
    """Id of the reply's event."""


class MessageWithheld(Event, type="message.withheld", version=1):
    """An answer was not sent, on purpose: the customer wants none that way, or their carrier has said it already."""

    channel: str
    reply: str
    """Id of the reply's event."""
    reason: str


class MessagePostponed(Event, type="message.postponed", version=1):
    """It is night where the customer is: the reply is sent when it is day there."""

    reply: ReplyReady
    """What comes by day, with the id of its first event."""
    until: AwareDatetime


class DeliveryReported(Event, type="delivery.reported", version=1):
    """The network says how far an answer got; reports come late, twice, and in any order."""

    channel: str
    reply: str
    """Id of the reply's event."""
    reference: str
    """The network's own id of what it carries."""
    status: str
    """In the network's words."""
    code: str = ""
    """The network's number for what went wrong, where something did."""


class MessageArrived(Event, type="message.arrived", version=1):
    """The network says that an answer, or a part of it, reached the customer's device."""

    channel: str
    reply: str
    reference: str


class MessageFailed(Event, type="message.failed", version=1):
    """The network says that an answer, or a part of it, did not reach the customer."""

    channel: str
    reply: str
    reference: str
    code: str
    reason: str
    """What the code means, in our words."""
    permanent: bool
    """Whether the next message to the same address will fail the same way."""
