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
from hayai.bus.quickest import Quickest

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
_REST_SECONDS = 5.0
"""Where no way comes through, none is tried for so long: each costs its events a wait."""


class Batches:
    """Sends events in batches where that pays, and each alone where a batch does not come through."""

    def __init__(self, connection: Connection, publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher
        self._ways = Quickest[Ingest | Atomic](Ingest(connection), Atomic(connection), again=_TRIED_AGAIN)
        self._rests_until = 0.0

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
        for each in members:
            self._publisher.fits(each.body, id=each.id, what=each.type)
        if not await self.together(members):
            await asyncio.gather(*(self._one_by_one(lane) for lane in _by_key(members)))

    async def _one_by_one(self, lane: list[Outgoing]) -> None:
        for each in lane:
            await self._publisher.send(each.subject, each.body, id=each.id, what=each.type)

    @property
    def are_promising(self) -> bool:
        """Whether a batch would be tried now: not where the server is away, silent, or has just refused all ways."""
        is_heard = self._connection.is_ready and not self._publisher.is_silent
        return is_heard and (not self._rests_until or asyncio.get_running_loop().time() >= self._rests_until)

    async def together(self, members: Sequence[Outgoing]) -> bool:
        """Whether the server has all of these of one stream, each of which fits; False where some may be missing.

        The next batch profits from what is learned of the way that was taken.
        """
        if len(members) < _WORTHWHILE or not self.are_promising:
            return False
        way, loop = self._ways.way(), asyncio.get_running_loop()
        begun = loop.time()
        stored = await way.stored(members)
        if not stored:
            self._failed(way)
        elif len(members) >= _TELLING:
            self._ways.took(way, (loop.time() - begun) / len(members))
        return stored

    def _failed(self, way: Ingest | Atomic) -> None:
        self._ways.took(way, math.inf)
        if all(map(math.isinf, self._ways.seconds.values())):
            self._rests_until = asyncio.get_running_loop().time() + _REST_SECONDS
            self._ways.forget()


def _prefix(each: Outgoing) -> str:
    return each.subject.partition(".")[0]


def _by_key(members: list[Outgoing]) -> list[list[Outgoing]]:
    """The members parted by tenant and key, each part in order."""
    lanes: dict[tuple[str, ...], list[Outgoing]] = {}
    for each in members:
        lanes.setdefault(tuple(each.subject.split(".", 3)[1:3]), []).append(each)
    return list(lanes.values())
