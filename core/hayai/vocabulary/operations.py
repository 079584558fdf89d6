"""Operations: what the platform itself reports."""

from hayai.event import Event


class DeadLettered(Event, type="event.deadlettered", version=1):
    """A handler gave an event up; the event itself stays in its stream, where the pointer leads.

    The envelope's cause is the event's id, or absent where its bytes were no envelope.
    """

    handler: str
    handler_version: str
    stream: str
    sequence: int
    error: str
    """The error's class."""
    explanation: str
    """The error's sentence for errors of ours; for any other only where it was raised (its text may be personal)."""
    attempts: int


class ModelUsed(Event, type="model.used", version=1):
    """A language model was asked to answer one message, once or several times."""

    agent: str
    model: str
    read: int
    """Tokens."""
    written: int
    cached: int
    """Of those read, the ones that its server had at hand."""
    cost: int
    """In millionths of the currency of the prices in [models]."""


class PluginQuarantined(Event, type="plugin.quarantined", version=1):
    """The process of an isolated plugin fell again and again: it is started no more, and its events wait."""

    plugin: str
    falls: int
    reason: str
    """How the last one fell."""


class ConsumerRecreated(Event, type="consumer.recreated", version=1):
    """A handler's consumer was lost on the server and made again."""

    handler: str
    stream: str
    resumed_after: int
    """The stream sequence that was handled last before the loss."""


class AccountLow(Event, type="account.low", version=1):
    """Little is left of what was paid to a provider: soon it will do nothing more for us."""

    channel: str
    left: str
    """An amount, as the provider writes it."""
    least: str
    """What should be left at least, by the settings."""
    currency: str
