"""Post: one handler at work in this process, with a consumer for each partition that the process holds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hayai.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.consumer import Consumer
    from hayai.bus.durable import Durable
    from hayai.ledger.outcome import Fence

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 0.5


class Post:
    """Takes partitions and leaves them; `make` gives the consumer of one durable, under a fence where there is one."""

    def __init__(self, durables: list[Durable], make: Callable[[Durable, Fence | None], Consumer]) -> None:
        self._durables = durables
        self._make = make
        self._consumers: dict[int, Consumer] = {}
        self._closing = False

    async def found(self) -> None:
        """Keep a place in every partition from now on, whoever will work there.

        Raises HandlerMisdeclared, Unavailable.
        """
        await asyncio.gather(*(each.find_or_create() for each in self._durables))

    async def take(self, partition: int, fence: Fence | None = None, *, orphaned: bool = False) -> None:
        """Work in `partition`, unless we do already; first what was left in an `orphaned` one.

        Raises HandlerMisdeclared, Unavailable.
        """
        if partition in self._consumers:
            return
        consumer = self._make(self._durables[partition], fence)
        self._consumers[partition] = consumer
        try:
            await consumer.start(orphaned=orphaned)
        except BaseException:
            self._consumers.pop(partition, None)
            raise

    async def take_soon(self, partition: int, fence: Fence, *, orphaned: bool) -> None:
        """Work in `partition`, as soon as the server lets us."""
        while not self._closing:
            try:
                return await self.take(partition, fence, orphaned=orphaned)
            except Unavailable as wrong:
                _log.warning("Partition %d cannot be taken up yet: %s", partition, wrong)
                await asyncio.sleep(_AGAIN_SECONDS)
        return None

    async def leave(self, partition: int, *, seconds: float) -> None:
        """Give `partition` back in good order: what runs may finish for that long."""
        if (consumer := self._consumers.pop(partition, None)) is not None:
            await consumer.drain(seconds)

    async def abandon(self, partition: int) -> None:
        """Stop work in `partition` at once: it is another process's."""
        if (consumer := self._consumers.pop(partition, None)) is not None:
            await consumer.abandon()

    async def drain(self, seconds: float) -> None:
        """Leave every partition."""
        self._closing = True
        await asyncio.gather(*(self.leave(each, seconds=seconds) for each in list(self._consumers)))
