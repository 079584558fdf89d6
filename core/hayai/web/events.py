"""Events: outside systems publish over HTTP, by the CloudEvents 1.0 HTTP binding in each of its three modes.

| mode       | Content-Type                       | body                          |
|------------|------------------------------------|-------------------------------|
| structured | application/cloudevents+json       | one event                     |
| batched    | application/cloudevents-batch+json | an array of up to 100 events  |
| binary     | application/json, and ce-* headers | the data; the rest in headers |
"""

from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request
from pydantic import BaseModel
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from hayai.bus.base import Bus
from hayai.bus.streams import outgoing
from hayai.clock import Clock
from hayai.envelope import CONTENT_TYPE, Envelope
from hayai.errors import EnvelopeMalformed, PermanentError
from hayai.ports.identity import CallerRole
from hayai.telemetry.trace import is_traceparent, sending
from hayai.tier import Tier
from hayai.web.api import Tenant
from hayai.web.callers import admit
from hayai.web.incoming import Intake, known_events

BATCH_TYPE = "application/cloudevents-batch+json"
MOST_EVENTS = 100
"""Events of one request."""
_ROLES: frozenset[CallerRole] = frozenset({"owner", "operator"})
"""An event may make the house write to customers: a desk or an audit has no use for that."""
_JSON = "application/json"
_PREFIX = "ce-"
_NOT_HEADERS = {"data", "data_base64", "datacontenttype"}
"""What binary mode has elsewhere: the body, and Content-Type."""
_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            CONTENT_TYPE: {"schema": {"type": "object", "required": ["specversion", "id", "source", "type"]}},
            BATCH_TYPE: {"schema": {"type": "array", "items": {"type": "object"}, "maxItems": MOST_EVENTS}},
            _JSON: {"schema": {"type": "object", "description": "binary mode: the data; attributes in ce-* headers"}},
        },
    }
}


class Stored(BaseModel):
    """One event of the request: the id that it came with, and the one that it has on the bus."""

    id: str
    event: str


class Accepted(BaseModel):
    """The events of a request in its order, each kept by the bus."""

    events: list[Stored]


def events(tier: Tier, bus: Bus, clock: Clock) -> APIRouter:
    """POST /v1/tenants/{tenant}/events; asks for a key of an owner or an operator of that tenant."""
    router = APIRouter(prefix="/v1/tenants/{tenant}", tags=["events"])
    intake = Intake(known_events(), bus.codec, clock)

    @router.post("/events", status_code=202, openapi_extra=_DOCUMENTED)
    async def publish(tenant: Tenant, request: Request) -> Accepted:
        """Publish CloudEvents: all of a request are sound, or none is stored; 202 once the bus keeps every one.

        429 with Retry-After, and none stored, where the tenant sends more than it may; 507 where its store is full.

        The same source and id again are the same event: stored once, answered alike.
        """
        await admit(request, tier.identity, tenant=tenant, roles=_ROLES)
        given = _given(request.headers, await request.body())
        asked = request.headers.get("traceparent")
        with sending("events", tenant=tenant, cause=asked if is_traceparent(asked) else None) as traceparent:
            traced = [{"traceparent": traceparent, **each} for each in given]
            envelopes = [_one(intake, each, tenant, place, len(given)) for place, each in enumerate(traced, 1)]
            unique = {each.id: each for each in envelopes}
            bus.limits.admit(tenant, len(unique))
            await bus.send_all([outgoing(each) for each in unique.values()])
        pairs = zip(given, envelopes, strict=True)
        return Accepted(events=[Stored(id=came["id"], event=kept.id) for came, kept in pairs])

    return router


def _one(intake: Intake, given: dict[str, Any], tenant: str, place: int, count: int) -> Envelope:
    """The envelope of one event; a refusal says which of several it is about."""
    try:
        return intake.envelope(given, tenant=tenant)
    except PermanentError as wrong:
        if count == 1:
            raise
        raise type(wrong)(f"Event {place} of {count}, and so none was stored: {wrong}") from None


def _given(headers: Headers, body: bytes) -> list[dict[str, Any]]:
    """The events of the request, attributes and data in one mapping each."""
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    kind = kind.strip()
    if "charset" in parameters and "utf-8" not in parameters:
        raise HTTPException(415, "JSON travels in UTF-8: leave the charset out of the Content-Type.")
    if kind == CONTENT_TYPE:
        return [_object(_read(body))]
    if kind == BATCH_TYPE:
        return _several(_read(body))
    if f"{_PREFIX}specversion" in headers and kind in {_JSON, ""}:
        return [_binary(headers, body)]
    raise HTTPException(
        415, f"This is no CloudEvent: send it as {CONTENT_TYPE}, as {BATCH_TYPE}, or as {_JSON} with ce-* headers."
    )


def _several(read: Any) -> list[dict[str, Any]]:
    if not isinstance(read, list):
        raise EnvelopeMalformed("The batch is no JSON array: send the events between [ and ].")
    several: list[Any] = read  # pyright: ignore[reportUnknownVariableType]  # JSON: anything
    if len(several) > MOST_EVENTS:
        raise HTTPException(413, f"A batch can have {MOST_EVENTS} events and this one has {len(several)}: split it.")
    return [_object(each) for each in several]


def _object(read: Any) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise EnvelopeMalformed("An event is a JSON object: send its attributes and its data by name.")
    found: dict[str, Any] = read  # pyright: ignore[reportUnknownVariableType]  # JSON: anything
    return found


def _binary(headers: Headers, body: bytes) -> dict[str, Any]:
    """An event whose attributes are headers (HTTP binding 3.1)."""
    found: dict[str, Any] = {}
    for name, value in headers.items():
        if not name.startswith(_PREFIX):
            continue
        attribute = name.removeprefix(_PREFIX)
        if attribute in found or attribute in _NOT_HEADERS:
            raise EnvelopeMalformed(f"The headers ce-* give an attribute twice, or {', '.join(sorted(_NOT_HEADERS))}.")
        found[attribute] = _decoded(value)
    return {**found, "data": _read(body) if body else {}}


def _decoded(value: str) -> str:
    """A header's value as an attribute: quotes undone, then percent-encoding (HTTP binding 3.1.3.2)."""
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise EnvelopeMalformed("A ce-* header is not percent-encoded UTF-8: encode what is not ASCII.") from None


def _read(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        raise HTTPException(400, "The body is no JSON document in UTF-8: see that your client sends one.") from None
