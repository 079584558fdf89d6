"""Incoming: a CloudEvent that a stranger sent becomes an envelope of ours, or is refused in a sentence.

What may come in is told by the event classes that this install has loaded: the vocabulary's and its plugins'.
"""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from hayai import vocabulary
from hayai.bus.base import SOURCE
from hayai.envelope import PlainCodec, decode, open_event, wrap
from hayai.errors import EnvelopeMalformed, EventMismatch, MessageTooLarge, TenantWrong
from hayai.event import Event
from hayai.sentences import nearest
from hayai.tokens import derived, token
from hayai.vocabulary import operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hayai.clock import Clock
    from hayai.envelope import Codec, Document, Envelope

MOST_BYTES = 256 * 1024
"""Bytes of one event; CloudEvents asks for 64 KiB at least."""
_REQUIRED = ("specversion", "id", "source", "type")
_OPTIONAL = ("time", "subject", "datacontenttype", "dataschema")
_OURS = ("tenant", "cause", "conversation", "traceparent")
_LONGEST = 512
_JSON = "application/json"
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_NAMES = re.compile(r"[a-z0-9]{1,20}\Z")
_PLAIN = PlainCodec()

for _word in iter_modules(vocabulary.__path__, f"{vocabulary.__name__}."):  # a class is known once it is loaded
    import_module(_word.name)


def known_events() -> dict[str, type[Event]]:
    """Every event that may come from outside, by its name; of two versions the newer one.

    What the platform reports about itself is not among them: nobody else can know it.
    """
    ours = [each for each in _below(Event) if each.__module__ != operations.__name__]
    return {each.type: each for each in sorted(ours, key=lambda each: each.version)}


class Intake:
    """Makes envelopes of CloudEvents for the events in `known`, sealed by `codec`."""

    def __init__(self, known: Mapping[str, type[Event]], codec: Codec, clock: Clock) -> None:
        self._known = known
        self._codec = codec
        self._clock = clock

    def envelope(self, given: Mapping[str, Any], *, tenant: str) -> Envelope:
        """The envelope that is stored for the CloudEvent `given`, its attributes and `data` in one mapping.

        The id that is stored is derived from tenant, source and id, by which CloudEvents tells events apart: the same
        event has the same id again, and no two tenants can meet in one.

        Raises EnvelopeMalformed, EventMismatch, VersionUnknown, KeyNotOpaque, TenantWrong, MessageTooLarge.
        """
        attributes = _attributes(given)
        if attributes.setdefault("tenant", tenant) != tenant:
            raise TenantWrong("The event's tenant is not the one in the path: leave the attribute out, or correct it.")
        event_id = derived("outside", tenant, attributes["source"], attributes["id"])
        subject = attributes.get("subject") or attributes.get("conversation") or event_id
        extra: dict[str, Any] = {
            "id": event_id,
            "subject": subject,
            "datacontenttype": _JSON,
            "data": given.get("data") or {},
        }
        document = to_json({"time": self._clock(), **attributes, **extra})
        if len(document) > MOST_BYTES:
            raise MessageTooLarge(
                f"An event can have {MOST_BYTES} bytes and this one has {len(document)}: keep large content elsewhere "
                "and send where it is."
            )
        return self._rewrapped(decode(document))

    def _rewrapped(self, came: Document) -> Envelope:
        """The same as this install would have published it: its own version, personal fields sealed."""
        event = open_event(came, self._class(came), _PLAIN)
        made = wrap(
            event,
            tenant=came.tenant,
            source=came.source,
            codec=self._codec,
            key=came.subject,
            id=came.id,
            conversation=came.conversation,
            traceparent=came.traceparent,
            now=came.time,
        )
        cause = token(came.cause, what="cause") if came.cause else None
        schema = came.dataschema if came.type == made.type else None
        return made.model_copy(
            update={**(came.model_extra or {}), "cause": cause, "dataschema": schema, "hops": came.hops}
        )

    def _class(self, came: Document) -> type[Event]:
        try:
            return self._known[came.name]
        except KeyError:
            raise EventMismatch(
                f"This install knows no event of that type{nearest(came.name, self._known)}. Send one that it knows, "
                "or install the plugin that defines yours."
            ) from None


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The CloudEvents attributes in `given`, checked as far as CloudEvents 1.0 has rules for them."""
    found = {name: value for name, value in given.items() if name not in {"data", "data_base64"} and value is not None}
    if (
        given.get("data_base64") is not None
        or found.get("datacontenttype", _JSON).partition(";")[0].strip().lower() != _JSON
    ):
        raise EnvelopeMalformed("The event's data is not JSON: send an object with datacontenttype application/json.")
    if missing := [name for name in _REQUIRED if name not in found]:
        raise EnvelopeMalformed(f"The event lacks {', '.join(missing)}: CloudEvents 1.0 requires it.")
    if not isinstance(given.get("data", {}), dict | None):
        raise EnvelopeMalformed("The event's data is no JSON object: send its fields by name.")
    _check(found)
    return found


def _check(found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        standard = name in {*_REQUIRED, *_OPTIONAL, *_OURS}
        if not standard and _NAMES.match(name) is None:
            raise EnvelopeMalformed("An extension's name is 1 to 20 of a-z and 0-9: rename the one that is not.")
        said = name if standard else "an extension"
        if not isinstance(value, str if standard else str | int | bool):
            raise EnvelopeMalformed(f"The event's attributes are strings, and {said} is none: correct it.")
        if not 0 < len(str(value)) <= _LONGEST or not str(value).isprintable():
            raise EnvelopeMalformed(f"An attribute has 1 to {_LONGEST} printable characters: correct {said}.")
    if _is_ours(found["source"]):
        raise EnvelopeMalformed(f"A source that begins with {SOURCE} is the house's own: name your system instead.")
    if _TRACE.match(found.get("traceparent", f"00-{'0' * 32}-{'0' * 16}-00")) is None:
        raise EnvelopeMalformed("The traceparent does not read as W3C Trace Context: correct it, or leave it out.")


def _is_ours(source: str) -> bool:
    return source == SOURCE or source.startswith(f"{SOURCE}/")


def _below(event: type[Event]) -> Iterator[type[Event]]:
    for each in event.__subclasses__():
        yield each
        yield from _below(each)
