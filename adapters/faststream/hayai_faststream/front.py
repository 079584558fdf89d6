"""The front door: a FastStream NatsRouter, dropped in as an agent, becomes handlers that the house's engine runs."""

from __future__ import annotations

import logging
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from faststream.exceptions import HandlerException
from faststream.nats import NatsBroker, NatsRouter

from hayai.fronts import Front
from hayai.handlers import Context, Handlers
from hayai_faststream.annotations import CONTEXT, terms_of
from hayai_faststream.message import EventMessage, grant, settle
from hayai_faststream.returned import following
from hayai_faststream.routes import read

if TYPE_CHECKING:
    from faststream.nats.subscriber.usecases import LogicSubscriber

    from hayai.event import Event
    from hayai.handlers import Handler, Returned
    from hayai_faststream.routes import Route

_log = logging.getLogger(__name__)


class RouterFront(Front):
    """Takes NatsRouters."""

    def handlers(self, name: str, written: object) -> Handlers | None:
        """The routes of `written`, where it is a NatsRouter. Raises HandlerMisdeclared."""
        return handlers(name, written) if isinstance(written, NatsRouter) else None


def handlers(name: str, router: NatsRouter) -> Handlers:
    """The routes of `router` as handlers of the group `name`, each under its function's name.

    A route that needs nothing of FastStream's is called as it is; any other goes through FastStream's own processing,
    with its middlewares, its dependencies and its typed parameters. Raises HandlerMisdeclared.
    """
    broker = NatsBroker(logger=_logger(), log_level=logging.DEBUG)
    broker.include_router(router)
    broker._setup_logger()  # noqa: SLF001 - what connect() would do; this broker never connects
    group = Handlers(name)
    subscribers = cast("list[LogicSubscriber[Any]]", broker.subscribers)
    routes = sorted(((read(each, name), each) for each in subscribers), key=lambda found: found[0].name)
    for route, subscriber in routes:
        handler = _called(route, name) if route.plain else _processed(route, subscriber, broker, name)
        noted = terms_of(route.function)
        group.add(route.event, handler, noted.policy, name=route.name, produces=route.produces, effects=noted.effects)
    return group


def _called(route: Route, group: str) -> Handler[Any]:
    """The route's function, called as a handler."""
    function, published, name = route.function, route.published, f"{group}_{route.name}"
    alone = len(signature(function).parameters) == 1

    async def call(event: Event, context: Context) -> Returned:
        try:
            returned = await (function(event) if alone else function(event, context))
        except HandlerException as wish:
            settle(wish, name)
            return None
        return None if returned is None else following(returned, published, name)

    return call


def _processed(route: Route, subscriber: LogicSubscriber[Any], broker: NatsBroker, group: str) -> Handler[Any]:
    """The route by way of FastStream's process_message."""
    name = f"{group}_{route.name}"
    for call in subscriber.calls:
        call.handler._publishers.clear()  # noqa: SLF001 - the engine publishes what they would
    subscriber._build_fastdepends_model()  # noqa: SLF001 - what start() would do

    async def process(event: Event, context: Context) -> Returned:
        message = EventMessage(event, context.envelope, route.subject)
        with broker.context.scope(CONTEXT, context):
            try:
                response = await subscriber.process_message(message)
            except HandlerException as wish:
                settle(wish, name)
                return None
        grant(message.wish, message.after, name)
        return following(response.body, route.published, name)

    return process


def _logger() -> logging.Logger:
    """FastStream's log; without the lines that repeat an exception, whose text may hold what a person said."""
    log = logging.getLogger(f"{__name__}.faststream")
    if not log.filters:
        log.addFilter(lambda record: not record.exc_info)
    return log
