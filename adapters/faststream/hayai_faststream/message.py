"""Message: an event as FastStream expects it from NATS; what it does about acknowledging is a wish that is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from faststream.exceptions import AckMessage, NackMessage, RejectMessage, SkipMessage

from hayai.errors import PermanentError, RateLimited, TransientError

if TYPE_CHECKING:
    from faststream.exceptions import HandlerException

    from hayai.envelope import Envelope
    from hayai.event import Event

Wish = Literal["ack", "again", "reject"]


class EventMessage:
    """Stands where a message of nats-py would: the same attributes, and acknowledgements that only note a wish.

    The engine settles an event after its handler has returned and what follows is stored. So `ack` is what happens
    anyway, `nack` becomes another try, and `reject` becomes a dead letter.
    """

    reply = ""

    def __init__(self, event: Event, envelope: Envelope, subject: str) -> None:
        self.subject = _travelled(subject, envelope)
        self.data = event.model_dump_json().encode()
        self.header = {
            "content-type": "application/json",
            "message_id": envelope.id,
            "correlation_id": envelope.conversation or envelope.subject,
            "ce-type": envelope.type,
            "ce-tenant": envelope.tenant,
            "ce-source": envelope.source,
        }
        self.wish: Wish | None = None
        self.after: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """As nats-py calls them too."""
        return self.header

    @property
    def _ackd(self) -> bool:
        return self.wish is not None

    @_ackd.setter
    def _ackd(self, value: bool) -> None:
        """FastStream marks what needs no acknowledgement on plain NATS; here everything is settled by the engine."""

    async def ack(self) -> None:
        """Settled: what returning does."""
        self.wish = "ack"

    async def ack_sync(self, timeout: float = 1.0) -> None:  # noqa: ASYNC109 - nats-py's signature
        """The same; it is no more certain here."""
        del timeout
        self.wish = "ack"

    async def nak(self, delay: float | None = None) -> None:
        """Again, in `delay` seconds or when the policy says."""
        self.wish, self.after = "again", delay

    async def term(self) -> None:
        """Never again."""
        self.wish = "reject"

    async def in_progress(self) -> None:
        """The engine tells the server by itself while a handler works."""


def _travelled(subject: str, envelope: Envelope) -> str:
    """The subject that the event has for a route of that `subject`; in which partition it lay, nobody knows here."""
    return f"ev.0.{envelope.tenant}.{envelope.subject}.{envelope.type}" if subject.startswith("ev.") else subject


def grant(wish: Wish | None, after: float | None, handler: str) -> None:
    """Return where the event is settled. Raises what makes the engine do as wished: TransientError, PermanentError."""
    if wish == "again":
        sentence = f"{handler} asked for the event again."
        raise TransientError(sentence) if after is None else RateLimited(sentence, after=after)
    if wish == "reject":
        raise PermanentError(f"{handler} rejected the event.")


def settle(wish: HandlerException, handler: str) -> None:
    """Do what FastStream's own word for it asks, as grant() does."""
    if isinstance(wish, NackMessage):
        grant("again", wish.extra_options.get("delay"), handler)
    elif isinstance(wish, RejectMessage):
        grant("reject", None, handler)
    elif not isinstance(wish, AckMessage | SkipMessage):
        raise wish
