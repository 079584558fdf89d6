"""Opening: a message's bytes become an envelope that its subject does not belie."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hayai.bus.streams import subject_of
from hayai.errors import EnvelopeMalformed, EventMismatch, TenantWrong
from hayai.event import Event

if TYPE_CHECKING:
    from hayai.bus.message import Message
    from hayai.envelope import Envelope, Reader


E = TypeVar("E", bound=Event)


def opened(message: Message, reader: Reader[E]) -> tuple[Envelope, E]:
    """The envelope in `message` and the event in it.

    Raises EnvelopeMalformed, KeyNotOpaque, or TenantWrong, EnvelopeMalformed, EventMismatch where the subject (by
    which the server decides who may publish and who receives) says another tenant, key or type than the envelope;
    then EventMismatch, VersionUnknown.
    """
    envelope = reader.envelope(message.body)
    address = message.address
    if envelope.tenant != address.tenant:
        raise TenantWrong(
            "The envelope's tenant is not the tenant of its subject: publish an event under its own tenant's subject."
        )
    if envelope.subject != address.key:
        raise EnvelopeMalformed(
            "The envelope's ordering key is not the key of its subject: publish with hayai's Bus, which sets both."
        )
    if envelope.type != address.type:
        raise EventMismatch(
            f"The envelope of {envelope.type} travels as another event: publish with hayai's Bus, which sets both."
        )
    subject_of(envelope)  # refuses what is not opaque
    return envelope, reader.event(envelope)
