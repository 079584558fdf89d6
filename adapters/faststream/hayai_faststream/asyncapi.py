"""AsyncAPI 3 of the whole bus, on FastStream's models of the document: a channel an event, an operation a handler.

What AsyncAPI has no word for stands under `x-hayai`: stream, ordering key, delivery, ledger, effects.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from faststream.specification.asyncapi.v3_0_0.schema import (
    ApplicationInfo,
    ApplicationSchema,
    Channel,
    Components,
    Message,
    Operation,
    Reference,
    Server,
)
from faststream.specification.asyncapi.v3_0_0.schema.operations import Action

from hayai.bus.streams import stream_of
from hayai.contracts.rendering import Renderer
from hayai.contracts.schemas import schema
from hayai.envelope import CONTENT_TYPE, Envelope
from hayai_faststream.references import hoisted

if TYPE_CHECKING:
    from hayai.contracts.registry import Consumer, Contract, Producer, Registry
    from hayai.event import Event

_SERVER = "bus"
_ENVELOPE = "Envelope"
_HEADERS: dict[str, Any] = {
    "type": "object",
    "properties": {"Nats-Msg-Id": {"type": "string", "description": "The event's id: the same again is stored once."}},
}
_PARAMETERS = {
    "partition": "Put there by the server, from tenant and key; a publisher leaves it out.",
    "tenant": "Whose event it is, an opaque token.",
    "key": "The ordering key, an opaque token: the conversation, where the event belongs to one.",
}


class AsyncAPI(Renderer):
    """Renders AsyncAPI 3.0.0."""

    def render(self, registry: Registry, *, server: str) -> dict[str, Any]:
        """The document, as JSON values."""
        messages, schemas = _components(registry)
        written = ApplicationSchema(
            info=ApplicationInfo(title="Hayai", version=version("hayai"), description=_ABOUT),
            defaultContentType=CONTENT_TYPE,
            servers={_SERVER: Server(host=server, pathname="", protocol="nats")},
            channels={wire_type: _channel(registry, event) for wire_type, event in registry.events().items()},
            operations=_operations(registry),
            components=Components(messages=messages, schemas=schemas),
        )
        found: dict[str, Any] = written.to_jsonable()
        return found


_ABOUT = (
    "Every event on the bus: at least once to each handler, in order for one key. A message is a CloudEvent 1.0 in "
    "structured JSON; `data` is the event."
)


def _components(registry: Registry) -> tuple[dict[str, Message], dict[str, dict[str, Any]]]:
    schemas = hoisted(_ENVELOPE, Envelope.model_json_schema(mode="serialization"))
    messages = {}
    for wire_type, event in registry.events().items():
        schemas |= hoisted(wire_type, schema(event))
        messages[wire_type] = _message(event)
    return messages, schemas


def _message(event: type[Event]) -> Message:
    wire_type = event.wire_type()
    inside = {"properties": {"type": {"const": wire_type}, "data": _schema(wire_type)}, "required": ["data"]}
    extra: dict[str, Any] = {"headers": _HEADERS}
    return Message(
        name=wire_type,
        title=event.__name__,
        summary=(event.__doc__ or "").strip().partition("\n")[0],
        contentType=CONTENT_TYPE,
        payload={"allOf": [_schema(_ENVELOPE), inside]},
        **extra,
    )


def _channel(registry: Registry, event: type[Event]) -> Channel:
    contract, wire_type, stream = registry.contracts[event.type], event.wire_type(), stream_of(event.type)
    readers = contract.consumers_of(event.version)
    extra: dict[str, Any] = {
        "parameters": {name: {"description": said} for name, said in _PARAMETERS.items()},
        "x-hayai": {
            "stream": stream.name,
            "publish": f"{stream.prefix}.{{tenant}}.{{key}}.{wire_type}",
            "key": "subject of the envelope",
            "order": "one at a time and in order for one tenant and key, in each handler whose order is key",
            "producers": list(map(str, contract.producers_of(event.version))),
            "consumers": list(map(str, readers)),
            "effects": sorted({each.name for reader in readers for each in reader.subscription.effects}),
        },
    }
    return Channel(
        address=f"{stream.prefix}.{{partition}}.{{tenant}}.{{key}}.{wire_type}",
        servers=[{"$ref": f"#/servers/{_SERVER}"}],
        messages={wire_type: _reference("components", "messages", wire_type)},
        **extra,
    )


def _operations(registry: Registry) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for contract in registry.contracts.values():
        for producer in contract.producers:
            wire_type = producer.event.wire_type()
            found[f"{_who(producer)}.sends.{wire_type}"] = _sends(producer, wire_type)
        for consumer in contract.consumers:
            for wire_type in _read(contract, consumer):
                found[f"{consumer.subscription.name}.receives.{wire_type}"] = _receives(consumer, wire_type)
    return found


def _read(contract: Contract, consumer: Consumer) -> list[str]:
    """The versions that it reads, of those that are there."""
    return list(dict.fromkeys(event.wire_type() for event in contract.events if event.version in consumer.reads))


def _sends(producer: Producer, wire_type: str) -> Operation:
    extra: dict[str, Any] = {"x-hayai": {"plugin": producer.part, "handler": producer.handler or None}}
    return _operation(Action.SEND, wire_type, f"{producer} publishes it.", extra)


def _receives(consumer: Consumer, wire_type: str) -> Operation:
    subscription, policy = consumer.subscription, consumer.subscription.policy
    extra: dict[str, Any] = {
        "x-hayai": {
            "plugin": consumer.part,
            "handler": subscription.name,
            "order": policy.order,
            "acknowledged": "after what follows is stored",
            "attempts": policy.attempts,
            "timeout": policy.timeout,
            "ledger": "none" if policy.stateless else "transaction" if policy.transactional else "inbox and outbox",
            "effects": [{"kind": each.name, "unknown": each.unknown} for each in subscription.effects],
            "follows": [each.wire_type() or "any" for each in subscription.produces],
        }
    }
    summary = (subscription.handler.__doc__ or f"{consumer} handles it.").strip().partition("\n")[0]
    return _operation(Action.RECEIVE, wire_type, summary, extra)


def _operation(action: Action, wire_type: str, summary: str, extra: dict[str, Any]) -> Operation:
    return Operation(
        action=action,
        channel=_reference("channels", wire_type),
        summary=summary,
        messages=[_reference("channels", wire_type, "messages", wire_type)],
        **extra,
    )


def _who(producer: Producer) -> str:
    return producer.handler or producer.part.partition(" ")[0]


def _reference(*path: str) -> Reference:
    return Reference(**{"$ref": "/".join(["#", *path])})


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
