"""The names of FastStream's that are none of its public ones, each held here: an upgrade fails with a name."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

from faststream._internal.endpoint.subscriber.utils import default_filter
from faststream.message import StreamMessage
from faststream.nats import NatsBroker, NatsRouter
from faststream.nats.message import NatsMessage
from faststream.nats.subscriber.usecases import (
    BatchPullStreamSubscriber,
    KeyValueWatchSubscriber,
    LogicSubscriber,
    ObjStoreWatchSubscriber,
)


async def _hear(text: str) -> str:
    return text


def _subscriber() -> tuple[NatsBroker, LogicSubscriber[Any]]:
    broker, router = NatsBroker(), NatsRouter()
    router.subscriber("slot.booked")(router.publisher("slot.heard")(_hear))
    broker.include_router(router)
    (found,) = broker.subscribers
    assert isinstance(found, LogicSubscriber)
    return broker, found


def test_it_is_the_minor_that_these_names_were_read_in() -> None:
    """FastStream says that each of its minors may break."""
    assert version("faststream").startswith("0.7.")


def test_a_subscriber_holds_its_calls_its_options_and_where_it_belongs() -> None:
    """What tells a plain route from one that needs FastStream's processing."""
    _, found = _subscriber()
    (call,) = found.calls
    assert call.filter is default_filter
    assert (call.item_parser, call.item_decoder, tuple(call.dependencies)) == (None, None, ())
    options, outer = found._call_options, found._outer_config
    assert (options.parser, options.decoder, options.codec) == (None, None, None)
    assert (outer.broker_parser, outer.broker_decoder, outer.broker_codec) == (None, None, None)
    assert (list(outer.broker_dependencies), list(outer.broker_middlewares)) == ([], [])
    assert found._call_decorators == ()
    assert found.subject.template == "slot.booked"


def test_a_wrapper_keeps_the_function_as_written_and_its_publishers() -> None:
    """`_declared_call` is the function; `_publishers` can be cleared."""
    _, found = _subscriber()
    wrapper = found.calls[0].handler
    assert wrapper._declared_call is _hear
    (publisher,) = wrapper._publishers
    assert publisher.subject.template == "slot.heard"  # type: ignore[attr-defined]
    wrapper._publishers.clear()


def test_a_message_is_processed_without_a_connection() -> None:
    """`_setup_logger` and `_build_fastdepends_model` are what connecting and starting would have done."""
    broker, found = _subscriber()
    broker._setup_logger()
    found._build_fastdepends_model()
    assert found.calls[0].dependant is not None
    assert inspect.iscoroutinefunction(found.process_message)


def test_a_message_asks_its_original_whether_it_is_acknowledged() -> None:
    """`_ackd`, `ack`, `nak`, `term` and `in_progress` of what stands for nats-py's message."""
    source = inspect.getsource(NatsMessage)
    assert all(f"raw_message.{name}" in source for name in ("_ackd", "ack()", "nak(", "term()", "in_progress()"))
    assert issubclass(NatsMessage, StreamMessage)


def test_what_is_no_event_has_a_class_of_its_own() -> None:
    """Batches, keys and objects are told by these."""
    for each in (BatchPullStreamSubscriber, KeyValueWatchSubscriber, ObjStoreWatchSubscriber):
        assert issubclass(each, LogicSubscriber)
