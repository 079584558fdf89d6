"""Atomic: many events that are stored together or not at all, with one write to the disk instead of one each.

NATS ADR-50: the members carry the batch's id and their place in it, and the last one commits. One member that the
stream has already (by its Nats-Msg-Id) makes the server refuse the whole batch.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.connection import Connection
    from hayai.ledger.outcome import Outgoing

_ANSWER_SECONDS = 5.0


class Atomic:
    """Sends batches over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stored(self, members: Sequence[Outgoing]) -> bool:
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
