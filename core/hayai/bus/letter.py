"""Letter: the dead letter of an event that its handler gave up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from hayai.bus.base import SOURCE, UNKNOWN
from hayai.bus.explain import explained
from hayai.bus.streams import DEADLETTERS, subject_of
from hayai.envelope import MOST_HOPS, decode, open_event, wrap
from hayai.errors import EnvelopeMalformed, EventMismatch, KeyNotOpaque, VersionUnknown
from hayai.tokens import derived, token
from hayai.vocabulary.operations import DeadLettered

_MOST_LETTERS, _AT_ONCE = 10_000, 50

if TYPE_CHECKING:
    from hayai.bus.jetstream import JetStream
    from hayai.bus.streams import Address
    from hayai.clock import Clock
    from hayai.envelope import Codec, Envelope


class Original(Protocol):
    """An event as it lay in its stream, and how often it was tried."""

    @property
    def address(self) -> Address:
        """What its subject says."""
        ...

    @property
    def body(self) -> bytes:
        """Its document."""
        ...

    @property
    def sequence(self) -> int:
        """Its place in the stream."""
        ...

    @property
    def attempt(self) -> int:
        """The last try."""
        ...


def dead_letter(
    message: Original, wrong: BaseException, handler: str, *, version: str, codec: Codec, clock: Clock
) -> Envelope:
    """The DeadLettered event in its envelope; the same id for the same event and handler.

    Its tenant is that of the subject on which the original travelled (where the server decides who may publish), and
    UNKNOWN where the original's bytes are no envelope.
    """
    cause = _cause(message)
    event = DeadLettered(
        handler=handler,
        handler_version=version,
        stream=message.address.stream,
        sequence=message.sequence,
        error=type(wrong).__name__,
        explanation=explained(wrong),
        attempts=message.attempt,
    )
    origin = (cause.id,) if cause else (message.address.stream, str(message.sequence))
    return wrap(
        event,
        tenant=tenant_of(message) if cause else UNKNOWN,
        source=f"{SOURCE}/{handler}",
        codec=codec,
        id=derived("dead", *origin, handler),
        cause=cause,
        now=clock(),
    )


async def newest_letters(
    jetstream: JetStream, codec: Codec, *, tenant: str | None, limit: int
) -> list[tuple[Envelope, DeadLettered]]:
    """The newest dead letters, newest first, out of the last 10000 of all tenants. Raises Unavailable."""
    stream = await jetstream.stream(DEADLETTERS.name)
    if stream is None:
        return []
    first, last = max(stream["state"]["first_seq"], 1), stream["state"]["last_seq"]
    letters: list[tuple[Envelope, DeadLettered]] = []
    for newest in range(last, max(first, last - _MOST_LETTERS + 1) - 1, -_AT_ONCE):
        places = range(newest, max(first, newest - _AT_ONCE + 1) - 1, -1)
        bodies = await asyncio.gather(*(jetstream.body(DEADLETTERS.name, place) for place in places))
        letters += [letter for body in bodies if body for letter in letters_in(body, codec, tenant)]
        if len(letters) >= limit:
            break
    return letters[:limit]


def letters_in(body: bytes, codec: Codec, tenant: str | None = None) -> list[tuple[Envelope, DeadLettered]]:
    """The dead letter in `body`, or nothing where it is another tenant's than the one asked for, if one is.

    Nor where it is no dead letter: what a stranger wrote into the stream must not hide the others.
    """
    try:
        envelope = decode(body)
        if tenant not in {None, envelope.tenant}:
            return []
        return [(envelope, open_event(envelope, DeadLettered, codec))]
    except (EnvelopeMalformed, EventMismatch, VersionUnknown):
        return []


def _cause(message: Original) -> Envelope | None:
    """The original's envelope, unless a word of it is not fit to be repeated."""
    try:
        envelope = decode(message.body)
        subject_of(envelope)
    except (EnvelopeMalformed, KeyNotOpaque):
        return None
    # A dead letter is always written, at the end of too long a chain as well; what follows from it is refused then.
    return envelope.model_copy(update={"hops": min(envelope.hops, MOST_HOPS - 1)})


def tenant_of(message: Original) -> str:
    """Whose it is, by its subject; UNKNOWN where that says no tenant's name."""
    try:
        return token(message.address.tenant, what="tenant")
    except KeyNotOpaque:
        return UNKNOWN
