"""Combiner: what many callers publish at once travels together where that is quicker, as in a database's group commit.

Where each write to the server's disk is waited for (`sync_interval: always`), one write for many events is several
times quicker; where none is, each event by itself is. Which server this is nobody tells a client, so under load both
ways are tried, and again now and then. A caller who is alone, or nearly, is always served at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from hayai.bus.quickest import Quickest

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hayai.bus.batches import Batches
    from hayai.bus.publisher import Publisher
    from hayai.ledger.outcome import Outgoing

_FEW = 8
"""So many are under way one by one before others are combined."""
_MANY = 32
"""So many are under way where it is worth to look which way is the quicker one."""
_AT_ONCE = 2
"""Batches under way at once: one is sent while the last one is stored."""
_MOST = 250
_BYTES = 1_000_000
"""A batch that has so many bytes takes no more events."""
_STRETCH = 1_000
"""How many events, stored while many were under way, tell what one costs."""
_TRIED_AGAIN = 50
"""Every so many stretches the other way has its chance."""

_Waiting = tuple["Outgoing", "asyncio.Future[None]", float]
"""An event, what is told once it is stored, and the last instant for that."""


class Way(Enum):
    """How events travel under load."""

    ALONE = "each by itself"
    TOGETHER = "in batches"


class Combiner:
    """Sends each event by itself, or what comes while others are under way in batches."""

    def __init__(self, publisher: Publisher, batches: Batches) -> None:
        self._publisher = publisher
        self._batches = batches
        self._ways = Quickest(Way.ALONE, Way.TOGETHER, again=_TRIED_AGAIN)
        self._way = self._ways.way()
        self._stretch = 0
        self._begun = 0.0
        self._under_way = 0
        self._working = 0
        self._waiting: deque[_Waiting] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, event: Outgoing) -> None:
        """Return once the server has acknowledged `event`. Raises MessageTooLarge, Unavailable."""
        self._under_way += 1
        try:
            if self._way is Way.ALONE or self._is_at_once():
                await self._publisher.send(event.subject, event.body, id=event.id, what=event.type)
            else:
                await self._with_others(event)
        finally:
            self._under_way -= 1
        if self._under_way >= _MANY:
            self._count()
        else:
            self._stretch = 0

    def _is_at_once(self) -> bool:
        """Whether an event need not wait for others, or cannot."""
        return (self._under_way <= _FEW and not self._waiting) or not self._batches.are_promising

    def _count(self) -> None:
        """One more was stored while many were under way."""
        if not self._stretch:
            self._begun = asyncio.get_running_loop().time()
        self._stretch += 1
        if self._stretch == _STRETCH:
            self._ways.took(self._way, asyncio.get_running_loop().time() - self._begun)
            self._way, self._stretch = self._ways.way(), 0

    async def _with_others(self, event: Outgoing) -> None:
        self._publisher.fits(event.body, id=event.id, what=event.type)
        loop = asyncio.get_running_loop()
        stored = loop.create_future()
        self._waiting.append((event, stored, loop.time() + self._publisher.deadline))
        if self._working < _AT_ONCE and len(self._waiting) == 1:
            self._working += 1
            self._start(self._work())
        await stored

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._try(self._next())
        finally:
            self._working -= 1

    def _next(self) -> list[_Waiting]:
        """The first events of those that wait, all of one stream, without those whose callers have gone."""
        batch: list[_Waiting] = []
        size, prefix = 0, _prefix(self._waiting[0])
        while self._waiting and len(batch) < _MOST and size < _BYTES and _prefix(self._waiting[0]) == prefix:
            each = self._waiting.popleft()
            if not each[1].done():
                batch.append(each)
                size += len(each[0].body)
        return batch

    async def _try(self, batch: list[_Waiting]) -> None:
        """Store all of `batch` together; where that is not to be had, each alone, and the next batch need not wait."""
        if await self._batches.together([event for event, _, _ in batch]):
            for _, stored, _ in batch:
                if not stored.done():
                    stored.set_result(None)
        else:
            for each in batch:
                self._start(self._rescue(*each))

    async def _rescue(self, event: Outgoing, stored: asyncio.Future[None], until: float) -> None:
        """Send by itself what was in a batch that did not come through."""
        try:
            await self._publisher.send(event.subject, event.body, id=event.id, what=event.type, until=until)
        except Exception as wrong:  # noqa: BLE001 - it is the caller's, whatever it is
            if not stored.done():
                stored.set_exception(wrong)
        else:
            if not stored.done():
                stored.set_result(None)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _prefix(waiting: _Waiting) -> str:
    return waiting[0].subject.partition(".")[0]
