"""Relay: publishes what is in the outbox, in order for each key, and removes it once the bus has acknowledged it.

A row is locked by its shard: of several relays one at a time publishes a shard, so the order stays whoever publishes.
What was published and not removed (the process died in between) is published again under the same id, which the bus
stores once within its duplicate window.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.errors import HayaiError, Unavailable
from hayai.ledger.outcome import Outgoing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import asyncpg

    from hayai.pools import Pool

    Send = Callable[[Sequence[Outgoing]], Awaitable[None]]
    """Returns once the bus has acknowledged all of them. Raises Unavailable."""

_log = logging.getLogger(__name__)
_CHANNEL = "hayai_outbox"
_SHARDS = range(8)
_BATCH = 500
_POLL_SECONDS = 1.0
_AGAIN_SECONDS = 0.5

# The transaction-level lock on the shard ends with the transaction, or with the process.
_LOCKED = "select pg_try_advisory_xact_lock(hashtext('hayai.outbox'), $1)"
_WAITING = """
select position, id, subject, type, body from hayai.outbox where shard = any($1::int[]) order by position limit $2
"""
_REMOVE = "delete from hayai.outbox where position = any($1::bigint[])"
_SHARDS_WAITING = "select distinct shard from hayai.outbox"


class Relay:
    """Works from start() to stop(); `pool` is one of the role "ledger"."""

    def __init__(self, pool: Pool, send: Send) -> None:
        self._pool = pool
        self._send = send
        self._stir = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Publish from now on, what is waiting already included."""
        self._stir.set()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._work())]

    async def stop(self) -> None:
        """Stop; what is under way is published again by another relay, or the next time."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _listen(self) -> None:
        """Keep one connection of our own on which the database tells of new rows; a pooler would not pass that on."""
        while True:
            with suppress(Unavailable):
                async with self._pool.listening(_CHANNEL, self._stir.set) as gone:
                    self._stir.set()  # of what came before we listened
                    await gone.wait()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _work(self) -> None:
        while True:
            with suppress(TimeoutError):  # the net below the notifications
                await asyncio.wait_for(self._stir.wait(), _POLL_SECONDS)
            self._stir.clear()
            try:
                while await self._batch():
                    pass
            except HayaiError as wrong:
                _log.warning("What is in the outbox cannot be published yet: %s", wrong)
                await asyncio.sleep(_AGAIN_SECONDS)
                self._stir.set()

    async def _batch(self) -> bool:
        """Publish up to a batch; whether there may be more that we could publish."""
        async with self._pool.unbound() as connection:
            waiting = [row["shard"] for row in await connection.fetch(_SHARDS_WAITING)]
            ours = [shard for shard in waiting if await connection.fetchval(_LOCKED, shard)]
            rows = await connection.fetch(_WAITING, ours, _BATCH)
            if rows:
                await self._send([_outgoing(row) for row in rows])
                await connection.execute(_REMOVE, [row["position"] for row in rows])
        return bool(rows)


def _outgoing(row: asyncpg.Record) -> Outgoing:
    return Outgoing(row["id"], row["subject"], row["type"], row["body"])
