"""A FastStream router: on the house's engine, and delivered by FastStream itself; plain, and with an injection."""

# Parameters' types are read at run time by FastStream, so this file has no lazy annotations.
import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from faststream import Depends
from faststream.nats import JStream, NatsBroker, NatsRouter, PullSub
from nats.js.api import ConsumerConfig

from bench.load import FILTER, STREAM, Booked
from bench.measure import Stopwatch
from bench.sides.cloudevent import CloudEvent
from bench.sides.hayai import connected
from bench.sides.raw import BATCH
from hayai.handlers import Policy
from hayai.tier import Tier
from hayai_faststream.annotations import terms
from hayai_faststream.front import handlers


def _desk() -> str:
    return "desk"


Desk = Annotated[str, Depends(_desk)]


async def plain(*, url: str, name: str, events: int) -> dict[str, float]:
    """A route that takes the event alone, on the house's engine."""

    def route(count: Callable[[], None]) -> Any:
        async def handle(event: Booked) -> None:
            count()

        return handle

    return await _on_the_house(url, name, events, route)


async def injected(*, url: str, name: str, events: int) -> dict[str, float]:
    """A route with an injection, on the house's engine."""

    def route(count: Callable[[], None]) -> Any:
        async def handle(event: Booked, desk: Desk) -> None:
            count()

        return handle

    return await _on_the_house(url, name, events, route)


async def theirs(*, url: str, name: str, events: int) -> dict[str, float]:
    """The same with an injection, delivered by FastStream with PullSub(500)."""
    broker, (count, done) = NatsBroker(url, logger=None), _counter(events)

    async def handle(message: CloudEvent, desk: Desk) -> None:
        count()

    config = ConsumerConfig(filter_subject=FILTER, max_ack_pending=2000)
    stream = JStream(STREAM, declare=False)
    broker.subscriber(FILTER, stream=stream, config=config, durable=name, pull_sub=PullSub(BATCH))(handle)
    await broker.connect()
    watch = Stopwatch()
    await broker.start()
    await done.wait()
    taken = watch.taken(events).told()
    await broker.stop()
    return taken


async def _on_the_house(url: str, name: str, events: int, route: Callable[..., Any]) -> dict[str, float]:
    router, (count, done) = NatsRouter(), _counter(events)
    router.subscriber("appointment.booked")(terms(Policy(stateless=True))(route(count)))
    async with connected(url) as bus:
        (subscription,) = handlers(name, router)
        watch = Stopwatch()
        await bus.subscribe(subscription, Tier({}))
        await done.wait()
        return watch.taken(events).told()


def _counter(events: int) -> tuple[Callable[[], None], asyncio.Event]:
    handled, done = 0, asyncio.Event()

    def count() -> None:
        nonlocal handled
        handled += 1
        if handled == events:
            done.set()

    return count, done
