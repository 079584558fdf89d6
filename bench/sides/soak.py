"""Soak: the memory of a worker to which events come at a steady rate for a long time, over many keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.footprint import Memory
from bench.load import Booked
from bench.sides import hayai as product
from bench.sides.pace import apart
from hayai.handlers import Policy, Subscription
from hayai.tier import Tier

if TYPE_CHECKING:
    from hayai.handlers import Context


async def hayai(*, url: str, name: str, rate: float, events: int, keys: int) -> dict[str, float]:
    """The product with a handler that does nothing."""
    memory = Memory(events)

    async def handle(event: Booked, context: Context) -> None:
        memory.take()

    async with product.connected(url) as bus:
        await bus.subscribe(Subscription(name, Booked, handle, Policy(stateless=True)), Tier({}))
        await apart("hayai", url=url, rate=rate, events=events, keys=keys)
        return await memory.over()
