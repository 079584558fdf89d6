"""Messages: what a customer wrote, what we answer, and what became of the answer."""

from hayai.event import Event, Personal


class MessageReceived(Event, type="message.received", version=1):
    """A customer wrote something. The envelope's conversation says in which talk."""

    channel: str
    """The channel's name; an answer goes back through it."""
    person: str
    """Opaque id of the customer, as the channel knows them."""
    text: Personal[str]


class ReplyReady(Event, type="reply.ready", version=1):
    """An answer stands, whole, and may be delivered."""

    channel: str
    person: str
    text: Personal[str]
    choices: Personal[tuple[str, ...]] = ()
    """Short answers that the channel may offer as buttons."""


class MessageDelivered(Event, type="message.delivered", version=1):
    """The channel handed an answer over."""

    channel: str
    reply: str
    """Id of the reply's event."""
