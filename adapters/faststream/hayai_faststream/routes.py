"""Route: one subscriber of a FastStream router, read for what the engine must know of it."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faststream._internal.endpoint.subscriber.utils import default_filter
from faststream.nats.subscriber.usecases import (
    BatchPullStreamSubscriber,
    KeyValueWatchSubscriber,
    ObjStoreWatchSubscriber,
)

from hayai.errors import HandlerMisdeclared
from hayai.event import Event
from hayai.handlers import Context, returned_events
from hayai_faststream.annotations import HayaiContext
from hayai_faststream.subjects import event_of, open_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from faststream.nats.subscriber.usecases import LogicSubscriber

_NOT_EVENTS = (BatchPullStreamSubscriber, KeyValueWatchSubscriber, ObjStoreWatchSubscriber)


@dataclass(frozen=True)
class Route:
    """What a subscriber takes and gives."""

    name: str
    """The function's."""
    function: Callable[..., Any]
    """As it was written."""
    event: type[Event]
    subject: str
    published: tuple[type[Event], ...]
    """The events that its `@publisher`s name."""
    produces: tuple[type[Event], ...]
    plain: bool
    """Whether it needs nothing of FastStream's: it takes the event, and the Context perhaps, and awaits."""


def read(subscriber: LogicSubscriber[Any], group: str) -> Route:
    """The route of `subscriber`. Raises HandlerMisdeclared for what is no event of the bus."""
    if not subscriber.calls:
        raise HandlerMisdeclared(f"A subscriber of {group} has no function: decorate one with it, or take it away.")
    wrapper = subscriber.calls[0].handler
    function = wrapper._declared_call  # noqa: SLF001 - see test_faststream_contract
    name = getattr(function, "__name__", "route")
    where = f"The FastStream route {group}.{name}"
    if isinstance(subscriber, _NOT_EVENTS):
        raise HandlerMisdeclared(f"{where} takes batches, keys or objects: a handler takes one event at a time.")
    published = _published(wrapper, where)
    return Route(
        name=name,
        function=function,
        event=_event(subscriber, function, where),
        subject=subscriber.subject.template,
        published=published,
        produces=_produced(function, published),
        plain=_is_plain(subscriber, function),
    )


def _event(subscriber: LogicSubscriber[Any], function: Callable[..., Any], where: str) -> type[Event]:
    name, version = event_of(subscriber.subject.template, where=where)
    declared = [each for hint in _hints(function).values() if (each := _bare(hint)) is not None]
    for each in declared:
        if each.type != name:
            raise HandlerMisdeclared(f"{where} takes {each.__name__} ({each.type}) but its subject names {name}.")
    return declared[0] if declared else open_event(name, version or 1)


def _published(wrapper: Any, where: str) -> tuple[type[Event], ...]:
    """The events of the function's `@publisher`s; the engine publishes them, so the wrapper forgets its own."""
    named = [event_of(each.subject.template, where=f"A @publisher of {where}") for each in wrapper._publishers]  # noqa: SLF001
    return tuple(open_event(name, version or 1) for name, version in named)


def _produced(function: Callable[..., Any], published: tuple[type[Event], ...]) -> tuple[type[Event], ...]:
    named = returned_events(function)
    known = {each.type for each in named}
    openly = tuple(each for each in published if each.type not in known)
    return (*(each for each in named if each is not Event), *openly) if published else named


def _is_plain(subscriber: LogicSubscriber[Any], function: Callable[..., Any]) -> bool:
    call, outer, options = subscriber.calls[0], subscriber._outer_config, subscriber._call_options  # noqa: SLF001
    if len(subscriber.calls) > 1 or call.filter is not default_filter or not inspect.iscoroutinefunction(function):
        return False
    of_faststream = (
        *(call.item_parser, call.item_decoder, call.dependencies, options.parser, options.decoder, options.codec),
        *(outer.broker_parser, outer.broker_decoder, outer.broker_codec, outer.broker_dependencies),
        *(outer.broker_middlewares, subscriber._call_decorators),  # noqa: SLF001
    )
    return not any(of_faststream) and _takes_what_handlers_take(function)


def _takes_what_handlers_take(function: Callable[..., Any]) -> bool:
    hints = _hints(function)
    taken = [hints.get(name) for name in inspect.signature(function).parameters]
    plain = [isinstance(each, type) and issubclass(each, Event) for each in taken[:1]]
    return plain == [True] and all(each in (HayaiContext, Context) for each in taken[1:]) and len(taken) <= 2  # noqa: PLR2004


def _bare(hint: Any) -> type[Event] | None:
    """The event that a parameter's hint is, if it is one."""
    inner = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    return inner if isinstance(inner, type) and issubclass(inner, Event) else None


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    return hints
