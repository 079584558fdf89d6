"""Relay: publishes what is in the outbox, in order for each key, and removes it once the bus has acknowledged it.

Rows are in shards by key, and a relay locks the shards that it works on: of several relays one at a time publishes a
shard, so the order stays whoever publishes. What was published and not removed (the process died in between) is
published again under the same id, which the bus stores once within its duplicate window.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.errors import HayaiError, PermanentError
from hayai.ledger.outcome import Outgoing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import asyncpg

    from hayai.pools import Pool

    Send = Callable[[Sequence[Outgoing]], Awaitable[None]]
    """Returns once the bus has acknowledged all of them. Raises Unavailable; a PermanentError where it will never take
    one of them."""

_log = logging.getLogger(__name__)
_CHANNEL = "hayai_outbox"
_BATCH = 500
_SHARE = 200
"""The most of one shard, so that not all have to be looked at as far as a batch goes."""
_BYTES = 8_388_608
_POLL_SECONDS = 2.0
_HANDS = 2
"""So many work at once, each in shards of its own: while one waits for the bus, the other has the database."""
_AGAIN_SECONDS = 0.5
_SIGN_SECONDS = 1.0

# The locks end with the transaction, and that ends soon after its process hangs or dies: while the bus takes its time
# we give a sign of life. What is small when the statement is planned may be large when it runs: the index, always.
_LOCK = """
select set_config('idle_in_transaction_session_timeout', '4s', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true),
       array(select shard from generate_series($1::int, 7, $2) shard
              where pg_try_advisory_xact_lock(hashtext('hayai.outbox'), shard)) as shards
"""
# Whatever was written by a transaction before `since` is gone, so the remains of it need not be looked at again.
# The row that comes without a position says only how far `since` may go: to the oldest transaction that is open.
_CLAIM = """
with due as materialized (
    select o.* from unnest($1::int[], $2::text[]) ours (shard, since) cross join lateral (
        select ctid, written_by, position, octet_length(body) as size from hayai.outbox o
         where o.shard = ours.shard and o.written_by >= ours.since::xid8 order by o.written_by, o.position limit $5) o
     order by o.written_by, o.position limit $3
), few as (
    select ctid from (
        select ctid, sum(size) over w - size as before from due window w as (order by written_by, position)) due
     where before < $4
), claimed as (
    delete from hayai.outbox where ctid = any(array(select ctid from few))
    returning position, written_by, shard, tenant, id, subject, type, body
)
select pg_snapshot_xmin(pg_current_snapshot())::text as open, c.*, c.written_by::text as written
  from (select) nothing left join claimed c on true
"""
_REFUSE = """
insert into hayai.refused (tenant, id, type, subject, body, error) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""


class Relay:
    """Works from start() to stop(); `pool` is one of the role "ledger"."""

    def __init__(self, pool: Pool, send: Send) -> None:
        self._pool = pool
        self._send = send
        self._stirs = [asyncio.Event() for _ in range(_HANDS)]
        self._since: dict[int, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Publish from now on, what is waiting already included."""
        self._stir()
        hands = [asyncio.create_task(self._work(hand)) for hand in range(_HANDS)]
        self._tasks = [asyncio.create_task(self._listen()), *hands]

    async def stop(self) -> None:
        """Stop; what is under way is published again by another relay, or the next time."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _stir(self) -> None:
        for each in self._stirs:
            each.set()

    async def _listen(self) -> None:
        """Keep one connection of our own on which the database tells of new rows; a pooler would not pass that on."""
        while True:
            # Without it the poll finds what is new, and that says what is wrong with the database.
            with suppress(Exception):
                async with self._pool.listening(_CHANNEL, self._stir) as gone:
                    self._stir()  # of what came before we listened
                    await gone.wait()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _work(self, hand: int) -> None:
        stir = self._stirs[hand]
        while True:
            with suppress(TimeoutError):  # the net below the notifications
                async with asyncio.timeout(_POLL_SECONDS):
                    await stir.wait()
            stir.clear()
            try:
                while await self._batch(hand):
                    pass
            except Exception as wrong:  # noqa: BLE001 - whatever it is, the outbox must be worked on
                level = logging.WARNING if isinstance(wrong, HayaiError) else logging.ERROR
                _log.log(level, "What is in the outbox cannot be published yet: %s", _said(wrong))
                self._since.clear()  # the database may be another one by now
                await asyncio.sleep(_AGAIN_SECONDS)
                stir.set()

    async def _batch(self, hand: int) -> bool:
        """Publish up to a batch out of a hand's shards; whether there may be more that we could publish."""
        async with self._pool.unbound() as connection:
            shards = (await connection.fetch(_LOCK, hand, _HANDS))[0]["shards"]
            since = [str(self._since.get(each, 0)) for each in shards]
            (first, *rest) = await connection.fetch(_CLAIM, shards, since, _BATCH, _BYTES, _SHARE)
            rows = [] if first["position"] is None else sorted((first, *rest), key=_position)
            if rows:
                await self._published(connection, rows)
        # The transaction is committed: what was claimed is gone for good.
        self._advance(shards, int(first["open"]), rows)
        return bool(rows)

    def _advance(self, shards: Sequence[int], oldest_open: int, rows: Sequence[asyncpg.Record]) -> None:
        """Look no more at what was claimed; each shard was claimed from its beginning, but not equally far."""
        reached = {} if rows else dict.fromkeys(shards, oldest_open)
        for row in rows:
            reached[row["shard"]] = max(reached.get(row["shard"], 0), int(row["written"]))
        self._since |= {shard: min(oldest_open, written) for shard, written in reached.items()}

    async def _published(self, connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> None:
        """Send them, telling the database now and then that we are alive; what the bus refuses for good is kept."""
        sending = asyncio.create_task(self._sent(rows))
        try:
            while not (await asyncio.wait({sending}, timeout=_SIGN_SECONDS))[0]:
                await connection.execute("select")
            for row, wrong in await sending:
                _log.error("The bus refuses a %s for good; it is kept in hayai.refused: %s", row["type"], wrong)
                kept = (row["tenant"], row["id"], row["type"], row["subject"], row["body"], type(wrong).__name__)
                await connection.execute(_REFUSE, *kept)
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    async def _sent(self, rows: Sequence[asyncpg.Record]) -> list[tuple[asyncpg.Record, PermanentError]]:
        """Which of them the bus will never take; where it refuses one, each is sent alone."""
        try:
            await self._send([_outgoing(row) for row in rows])
        except PermanentError as wrong:
            if len(rows) == 1:
                return [(rows[0], wrong)]
            return [refused for row in rows for refused in await self._sent([row])]
        return []


def _position(row: asyncpg.Record) -> int:
    return int(row["position"])


def _outgoing(row: asyncpg.Record) -> Outgoing:
    return Outgoing(row["id"], row["subject"], row["type"], row["body"])


def _said(wrong: Exception) -> str:
    return str(wrong) if isinstance(wrong, HayaiError) else type(wrong).__name__
