"""Batches: many events are stored in one go, in the way that this server is quickest at.

Where each write to the disk is waited for (`sync_interval: always`), one write for all of them is: an atomic batch.
Else it is fast ingest. Which server this is nobody tells a client, so both ways are tried, and again now and then.
"""

from __future__ import annotations

import asyncio
import math
from itertools import groupby
from typing import TYPE_CHECKING

from hayai.bus.atomic import Atomic
from hayai.bus.ingest import Ingest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.connection import Connection
    from hayai.bus.publisher import Publisher
    from hayai.ledger.outcome import Outgoing

_WORTHWHILE = 8
"""Fewer are as fast one by one."""
_MOST = 500
_TELLING = 100
"""Smaller batches say little about which way is the quicker one."""
_TRIED_AGAIN = 200
"""Every so many batches the other way has its chance: the server may be another one by now."""


class Batches:
    """Sends events in batches where that pays, and each alone where a batch does not come through."""

    def __init__(self, connection: Connection, publisher: Publisher) -> None:
        self._publisher = publisher
        self._ways: tuple[Ingest | Atomic, ...] = (Ingest(connection), Atomic(connection))
        self._seconds = dict.fromkeys(self._ways, 0.0)
        """What an event cost the last time, by way; 0 where nobody knows yet."""
        self._count = 0

    async def send(self, several: Sequence[Outgoing]) -> None:
        """Return once the server has acknowledged all of them, those of one key in their order.

        Raises MessageTooLarge, Unavailable: some may be stored by then, and are not stored again under their ids.
        """
        by_stream = sorted(several, key=_prefix)  # a stable sort: the order within a stream stays
        for _, group in groupby(by_stream, key=_prefix):
            members = list(group)
            for first in range(0, len(members), _MOST):
                await self._some(members[first : first + _MOST])

    async def _some(self, members: list[Outgoing]) -> None:
        if len(members) < _WORTHWHILE or not await self._stored_together(members):
            await asyncio.gather(*(self._one_by_one(lane) for lane in _by_key(members)))

    async def _one_by_one(self, lane: list[Outgoing]) -> None:
        for each in lane:
            await self._publisher.send(each.subject, each.body, id=each.id, what=each.type)

    async def _stored_together(self, members: list[Outgoing]) -> bool:
        """Whether the server has them all; the next batch profits from what is learned of the way that was taken."""
        for each in members:
            self._publisher.fits(each.body, id=each.id, what=each.type)
        way, loop = self._way(), asyncio.get_running_loop()
        begun = loop.time()
        stored = await way.stored(members)
        if not stored:
            self._seconds[way] = math.inf
        elif len(members) >= _TELLING:
            self._seconds[way] = (loop.time() - begun) / len(members)
        return stored

    def _way(self) -> Ingest | Atomic:
        self._count += 1
        quickest_first = sorted(self._ways, key=self._seconds.__getitem__)
        return quickest_first[self._count % _TRIED_AGAIN == 0]


def _prefix(each: Outgoing) -> str:
    return each.subject.partition(".")[0]


def _by_key(members: list[Outgoing]) -> list[list[Outgoing]]:
    """The members parted by tenant and key, each part in order."""
    lanes: dict[tuple[str, ...], list[Outgoing]] = {}
    for each in members:
        lanes.setdefault(tuple(each.subject.split(".", 3)[1:3]), []).append(each)
    return list(lanes.values())
