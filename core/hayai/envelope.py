"""Envelope: CloudEvents 1.0 in structured JSON around one event, and the codec that reads and writes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from hayai.errors import EnvelopeMalformed, EventMismatch, TooManyHops, VersionUnknown
from hayai.event import Event, personal_fields
from hayai.tokens import fresh, known_token, token

CONTENT_TYPE = "application/cloudevents+json"
"""The media type of a structured CloudEvent (CloudEvents 1.0, HTTP binding 3.2)."""

MOST_HOPS = 64
"""No chain of events that means something is longer; one that goes on is a loop."""

_DATA = {"data"}

E = TypeVar("E", bound=Event)


class Envelope(BaseModel):
    """What travels with an event: the CloudEvents 1.0 attributes and our extensions.

    `subject` is the ordering key: events of one key reach a handler one at a time, in order.
    `cause` is the id of the event that this one follows; `conversation` the talk that it belongs to.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=64)
    source: str = Field(min_length=1)
    type: str = Field(pattern=r"^[a-z][a-z0-9.]*\.v[1-9][0-9]*$")
    time: AwareDatetime
    subject: str = Field(min_length=1, max_length=64)
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    traceparent: str | None = None
    tenant: str = Field(min_length=1, max_length=64)
    cause: str | None = None
    conversation: str | None = None
    hops: int = Field(default=0, ge=0)
    """How many events it follows from, one from the next."""

    @property
    def name(self) -> str:
        """The event's name without its version, `noun.verbed`."""
        return self.type.rpartition(".v")[0]

    @property
    def version(self) -> int:
        """The event's version."""
        return int(self.type.rpartition(".v")[2])


class Document(Envelope):
    """An envelope and the event's data as they travel."""

    data: dict[str, Any] = Field(repr=False)


class Enveloped(Envelope, Generic[E]):
    """An envelope and the event itself, read or written in one pass."""

    data: E = Field(repr=False)


class Codec(ABC):
    """The one seam where fields marked Personal are encrypted before the bus and decrypted behind it.

    A sealed value can be told from any other: an older version of an event may have marked other fields.
    """

    plain: ClassVar[bool] = False
    """Whether values travel as they are, so that an event needs no second pass."""

    @abstractmethod
    def seal(self, tenant: str, value: Any) -> Any:
        """`value`, a JSON value of a person's data, as it may travel."""

    @abstractmethod
    def open(self, tenant: str, value: Any) -> Any:
        """What `seal` was given; a value that no `seal` made, as it is. Raises EventMismatch where it was altered."""


class PlainCodec(Codec):
    """Leaves personal fields readable: what a tier without field encryption uses."""

    plain: ClassVar[bool] = True

    def seal(self, tenant: str, value: Any) -> Any:
        """`value` as it is."""
        del tenant
        return value

    def open(self, tenant: str, value: Any) -> Any:
        """`value` as it is."""
        del tenant
        return value


def wrap(  # noqa: PLR0913 - one argument an attribute of the envelope
    event: Event,
    *,
    tenant: str,
    source: str,
    codec: Codec,
    key: str | None = None,
    id: str | None = None,  # noqa: A002 - CloudEvents calls it id
    cause: Envelope | None = None,
    conversation: str | None = None,
    traceparent: str | None = None,
    now: datetime | None = None,
) -> Envelope:
    """`event` in an envelope; what follows a cause inherits its key, conversation and trace where none is given.

    Raises KeyNotOpaque for a tenant, key, conversation or id that is no opaque token, TooManyHops for what follows from
    more than MOST_HOPS others.
    """
    hops = cause.hops + 1 if cause else 0
    if hops > MOST_HOPS:
        raise TooManyHops(
            f"A {event.type} would follow from {hops} events, one from the next, which seem to cause each other: see "
            "what its handler returns, and publish an event without a cause where the chain should go on."
        )
    conversation = conversation or (cause.conversation if cause else None)
    key = key or conversation or (cause.subject if cause else None) or fresh()
    attributes: dict[str, Any] = {
        "id": token(id, what="event id") if id else fresh(),
        "source": source,
        "type": event.wire_type(),
        "time": now or datetime.now(UTC),
        "subject": known_token(key, "ordering key"),
        "traceparent": traceparent or (cause.traceparent if cause else None),
        "tenant": known_token(tenant, "tenant"),
        "cause": cause.id if cause else None,
        "conversation": known_token(conversation, "conversation") if conversation else None,
        "hops": hops,
    }
    if codec.plain:
        attributes["data"] = event
        made: Envelope = _enveloped(type(event)).__pydantic_validator__.validate_python(attributes)
        return made
    return Document(**attributes, data=_sealed(event, tenant, codec))


def encode(envelope: Envelope) -> bytes:
    """The envelope as one JSON document, UTF-8, attributes without a value left out."""
    attributes = envelope.__pydantic_serializer__.to_json(envelope, exclude=_DATA, exclude_none=True)
    return b'%b,"data":%b}' % (attributes[:-1], to_json(vars(envelope)["data"]))  # whose nulls may mean something


def decode(document: bytes) -> Document:
    """The envelope in `document`. Raises EnvelopeMalformed, which names the attributes and never their values."""
    try:
        return Document.model_validate_json(document)
    except ValidationError as wrong:
        raise EnvelopeMalformed(
            f"These bytes are no CloudEvent of ours ({_places(Document, wrong)}): publish with hayai's Bus, or send "
            "structured CloudEvents 1.0 JSON with the extensions tenant and subject."
        ) from None


class Reader(Generic[E]):
    """Reads documents that should hold one `event`, in one pass where it travels as this version has it."""

    def __init__(self, event: type[E], codec: Codec) -> None:
        self._event = event
        self._codec = codec
        self._type = event.wire_type()
        self._whole = _enveloped(event)
        self._validate = self._whole.__pydantic_validator__.validate_json

    def envelope(self, document: bytes) -> Envelope:
        """The envelope in `document`. Raises EnvelopeMalformed."""
        if self._codec.plain:
            try:
                envelope: Enveloped[E] = self._validate(document)
            except ValidationError:  # what is wrong with it, the long way says in a sentence
                return decode(document)
            if envelope.type == self._type:
                return envelope
        return decode(document)

    def event(self, envelope: Envelope) -> E:
        """The event in what envelope() returned. Raises EventMismatch, VersionUnknown."""
        if type(envelope) is self._whole:
            event: E = envelope.data  # pyright: ignore[reportAssignmentType]  # it is the type that this reader made
            return event
        return open_event(envelope, self._event, self._codec)


@cache
def _enveloped(event: type[E]) -> type[Enveloped[E]]:
    return Enveloped[event]  # type: ignore[valid-type]


def open_event(envelope: Envelope, event: type[E], codec: Codec) -> E:
    """The event inside `envelope`, upcast from an older version where it must be.

    Raises EventMismatch where the data does not fit, VersionUnknown where the version is newer or has no way here.
    """
    if envelope.name != event.type:
        raise EventMismatch(f"A handler of {event.type} was given {envelope.name}: subscribe to that event instead.")
    document = envelope if isinstance(envelope, Document) else decode(encode(envelope))
    data = {name: codec.open(envelope.tenant, value) for name, value in document.data.items()}
    if envelope.version != event.version:
        data = _upcast(event, data, envelope.version)
    try:
        return event.model_validate(data, strict=False)
    except ValidationError as wrong:
        raise EventMismatch(
            f"The data of {envelope.type} does not fit {event.__name__} ({_places(event, wrong)}): correct the "
            "publisher, or raise the event's version and give it an upcast()."
        ) from None


def _upcast(event: type[Event], data: dict[str, Any], version: int) -> dict[str, Any]:
    if version > event.version:
        raise VersionUnknown(
            f"{event.type}.v{version} is newer than this install, which knows v{event.version}: "
            f"upgrade the package that defines {event.__name__}."
        )
    return event.upcast(data, version)


def _sealed(event: Event, tenant: str, codec: Codec) -> dict[str, Any]:
    data = event.model_dump(mode="json")
    return {**data, **{name: codec.seal(tenant, data[name]) for name in personal_fields(type(event))}}


def _places(model: type[BaseModel], wrong: ValidationError) -> str:
    """Where and why, by the model's own names: neither a value nor a key that was given, for both may be a person's."""
    found = {f"{_place(model, each['loc'])}: {each['type']}" for each in wrong.errors(include_input=False)}
    return ", ".join(sorted(found)[:5])


def _place(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    if not path:
        return "document"
    return str(path[0]) if path[0] in model.model_fields else "a field that it does not have"
