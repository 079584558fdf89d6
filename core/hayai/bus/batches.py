"""Batches: many events that are stored together or not at all, with one write to the disk instead of one each.

NATS ADR-50: the members carry the batch's id and their place in it, and the last one commits. One member that the
stream has already (by its Nats-Msg-Id) makes the server refuse the whole batch; then they are sent one by one.
"""

from __future__ import annotations

import asyncio
import json
from itertools import groupby
from typing import TYPE_CHECKING

from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.connection import Connection
    from hayai.bus.publisher import Publisher
    from hayai.ledger.outcome import Outgoing

_WORTHWHILE = 8
"""Fewer are as fast one by one."""
_MOST = 500
_ANSWER_SECONDS = 5.0


class Batches:
    """Sends events in batches where that pays, and each alone where a batch is refused."""

    def __init__(self, connection: Connection, publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher

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
        """Whether the server took them as one batch; False where nothing was stored, or nobody knows."""
        batch = fresh()
        for place, each in enumerate(members[:-1], 1):
            await self._connection.post(each.subject, each.body, headers=_headers(batch, place, each))
        last = members[-1]
        headers = {**_headers(batch, len(members), last), "Nats-Batch-Commit": "1"}
        answer = await self._connection.ask(last.subject, last.body, headers=headers, seconds=_ANSWER_SECONDS)
        return answer is not None and "error" not in json.loads(answer or b'{"error": {}}')


def _headers(batch: str, place: int, member: Outgoing) -> dict[str, str]:
    return {"Nats-Msg-Id": member.id, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)}


def _prefix(each: Outgoing) -> str:
    return each.subject.partition(".")[0]


def _by_key(members: list[Outgoing]) -> list[list[Outgoing]]:
    """The members parted by tenant and key, each part in order."""
    lanes: dict[tuple[str, ...], list[Outgoing]] = {}
    for each in members:
        lanes.setdefault(tuple(each.subject.split(".", 3)[1:3]), []).append(each)
    return list(lanes.values())
