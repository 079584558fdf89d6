"""Post: one handler at work in this process, with a consumer for each partition that the process holds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hayai.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hayai.bus.consumer import Consumer
    from hayai.bus.durable import Durable
    from hayai.ledger.outcome import Fence
    from hayai.ledger.places import Place

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 0.5


class Post:
    """Takes partitions and leaves them; `make` gives the consumer of one durable, under a fence where there is one."""

    def __init__(self, durables: list[Durable], make: Callable[[Durable, Fence | None], Consumer]) -> None:
        self._durables = durables
        self._make = make
        self._consumers: dict[int, Consumer] = {}
        self._wanted: dict[int, Fence] = {}
        self._orphaned: set[int] = set()
        """Partitions in which something was left that nobody has taken over yet, by a dead process or by us."""
        self._closing = False

    async def found(self) -> None:
        """Keep a place in every partition from now on, whoever will work there.

        Raises HandlerMisdeclared, Unavailable.
        """
        await asyncio.gather(*(each.find_or_create() for each in self._durables))

    def places(self) -> Iterator[tuple[str, Place]]:
        """How far each consumer has come that is at work, by its name."""
        for partition, consumer in self._consumers.items():
            if (place := consumer.place) is not None:
                yield self._durables[partition].name, place

    async def take(self, partition: int, fence: Fence | None = None, *, orphaned: bool = False) -> None:
        """Work in `partition`, unless we do already; first what was left in an `orphaned` one.

        Raises HandlerMisdeclared, Unavailable.
        """
        before = self._consumers.get(partition)
        if before is not None:
            if not before.is_closing:
                return
            await before.closed.wait()  # else two of one key could run here at once
            if self._wanted.get(partition) is not fence:
                return
        if self._closing or self._consumers.get(partition) not in {None, before}:
            return
        consumer = self._make(self._durables[partition], fence)
        self._consumers[partition] = consumer
        try:
            await consumer.start(orphaned=orphaned)
        except BaseException:
            await consumer.abandon()
            self._forget(partition, consumer)
            raise

    async def take_soon(self, partition: int, fence: Fence, *, orphaned: bool) -> None:
        """Work in `partition`, as soon as the server lets us and unless it is left before that."""
        self._wanted[partition] = fence
        if orphaned:
            self._orphaned.add(partition)
        while not self._closing and self._wanted.get(partition) is fence:
            try:
                await self.take(partition, fence, orphaned=orphaned)
                return self._taken(partition)
            except Unavailable as wrong:
                _log.warning("Partition %d cannot be taken up yet: %s", partition, wrong)
                await asyncio.sleep(_AGAIN_SECONDS)
        return None

    def _taken(self, partition: int) -> None:
        """What was left there is ours, unless we are leaving already and may not have asked for it."""
        if (consumer := self._consumers.get(partition)) is not None and not consumer.is_closing:
            self._orphaned.discard(partition)

    async def leave(self, partition: int, *, seconds: float) -> bool:
        """Give `partition` back: what runs may finish for that long. Whether the server has heard of all else."""
        self._wanted.pop(partition, None)
        in_order = True
        if (consumer := self._consumers.get(partition)) is not None:
            in_order = await consumer.drain(seconds)
            self._forget(partition, consumer)
        if not in_order:  # so it is still, however often it is left
            self._orphaned.add(partition)
        return partition not in self._orphaned

    async def abandon(self, partition: int) -> None:
        """Stop work in `partition` at once, also where it is just being left: it is another process's."""
        self._wanted.pop(partition, None)
        self._orphaned.discard(partition)
        if (consumer := self._consumers.get(partition)) is not None:
            await consumer.abandon()
            self._forget(partition, consumer)

    async def drain(self, seconds: float) -> list[int]:
        """Leave every partition; those that were left in good order."""
        self._closing = True
        ours = list(self._consumers)
        in_order = await asyncio.gather(*(self.leave(each, seconds=seconds) for each in ours))
        return [partition for partition, well in zip(ours, in_order, strict=True) if well]

    async def give_up(self) -> None:
        """Stop at once in every partition and take none any more, also those that are just being taken."""
        self._closing = True
        await asyncio.gather(*(self.abandon(each) for each in list(self._consumers)))

    def _forget(self, partition: int, consumer: Consumer) -> None:
        if self._consumers.get(partition) is consumer:
            del self._consumers[partition]
