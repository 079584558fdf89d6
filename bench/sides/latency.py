"""Latency: from the moment that an event was due to the start of its handler, or to the commit of its outcome."""

from __future__ import annotations

import asyncio
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import nats

from bench.load import Booked, Confirmed, confirmed
from bench.sides import hayai, ledger
from bench.sides.cloudevent import CloudEvent
from bench.sides.pace import apart, late
from bench.sides.raw import stand
from hayai.handlers import Policy, Subscription
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.msg import Msg

    from hayai.handlers import Context
    from hayai.ledger.outcome import Outcome

_WARM = 0.2
"""The first part of the events, which is left out: the processes have only begun."""


class Watch:
    """Takes each event's lateness, and knows when all have come."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._late: list[float] = []
        self._all = asyncio.Event()

    def take(self, identity: str) -> None:
        """An event has arrived where it is measured."""
        self._late.append(late(identity))
        if len(self._late) == self._events:
            self._all.set()

    async def over(self, publisher: str, *, url: str, rate: float) -> dict[str, float]:
        """Let a process of its own publish; percentiles in milliseconds once all has arrived."""
        await apart(publisher, url=url, rate=rate, events=self._events)
        await self._all.wait()
        hundredths = quantiles(self._late[int(self._events * _WARM) :], n=100)
        return {"p50": hundredths[49], "p99": hundredths[98]}


async def to_handler(*, url: str, name: str, rate: float, events: int) -> dict[str, float]:
    """The product, to the start of the handler."""
    watch = Watch(events)

    async def handle(event: Booked, context: Context) -> None:
        watch.take(context.envelope.id)

    async with hayai.connected(url) as bus:
        await bus.subscribe(Subscription(name, Booked, handle, Policy(stateless=True)), Tier({}))
        return await watch.over("hayai", url=url, rate=rate)


async def to_commit(*, url: str, name: str, rate: float, events: int, database: dict[str, Any]) -> dict[str, float]:
    """The product with its ledger, to the commit of the event's mark and its follow-up."""
    watch = Watch(events)

    def stands(outcomes: Sequence[Outcome]) -> None:
        for each in outcomes:
            watch.take(each.event)

    async def handle(event: Booked, context: Context) -> Confirmed:
        return confirmed()

    async with ledger.connected(url, database, stands) as bus:
        await bus.subscribe(Subscription(name, Booked, handle), Tier({}))
        return await watch.over("hayai", url=url, rate=rate)


async def raw(*, url: str, name: str, rate: float, events: int) -> dict[str, float]:
    """The standing loop of nats-py, to the moment that an event is parsed."""
    watch, client = Watch(events), await nats.connect(url)

    async def take(message: Msg) -> None:
        watch.take(CloudEvent.model_validate_json(message.data).id)
        await client.publish(message.reply, b"+ACK")

    await stand(client, name, take)
    result = await watch.over("raw", url=url, rate=rate)
    await client.close()
    return result
