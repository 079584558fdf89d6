"""Ingest: many events in one go, each stored as it arrives, with one acknowledgement for all of them.

NATS ADR-50, fast ingest, from nats-server 2.14 on: what the server must know stands in the subject of the reply,
`INBOX.BATCH.FLOW.GAP.PLACE.OPERATION.$FI`. A member that the stream has already (by its Nats-Msg-Id) is left out and
counts as stored.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.connection import Connection
    from hayai.bus.inbox import Raw
    from hayai.ledger.outcome import Outgoing

_ANSWER_SECONDS = 5.0
_START, _ADD, _COMMIT = 0, 1, 2


class Ingest:
    """One inbox for the answers to all batches, opened with the first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._prefix = ""
        self._waiting: dict[str, asyncio.Future[int]] = {}
        connection.watch(self._lost, lambda: None)

    async def stored(self, members: Sequence[Outgoing]) -> bool:
        """Whether the server has them all; False where some may be missing, or nobody knows."""
        if not self._prefix:
            self._prefix = self._connection.new_inbox()
            await self._connection.take(f"{self._prefix}.>", self._receive)
        batch = fresh()
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[batch] = answer
        try:
            await self._sent(batch, members)
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await answer == len(members)
        except TimeoutError:
            return False
        finally:
            del self._waiting[batch]

    async def _sent(self, batch: str, members: Sequence[Outgoing]) -> None:
        """Send all, and have the server acknowledge the last; one that goes missing ends the batch there."""
        last = len(members)
        head = f"{self._prefix}.{batch}.{last}.fail."
        for place, each in enumerate(members, 1):
            operation = _COMMIT if place == last else _ADD if place > 1 else _START
            reply = f"{head}{place}.{operation}.$FI"
            await self._connection.post(each.subject, each.body, reply=reply, headers={"Nats-Msg-Id": each.id})

    def _receive(self, message: Raw) -> None:
        """How many the server has seen to, out of what it says in the end; nothing where it had to refuse one."""
        batch = message.subject[len(self._prefix) + 1 :].partition(".")[0]
        told = json.loads(message.data or b'{"error": {}}')
        if told.get("type") == "ack":  # on the way: some are stored
            return
        self._end(batch, 0 if "error" in told else int(told.get("count", 0)))

    def _end(self, batch: str, count: int) -> None:
        answer = self._waiting.get(batch)
        if answer is not None and not answer.done():
            answer.set_result(count)

    def _lost(self) -> None:
        for batch in self._waiting:
            self._end(batch, 0)
