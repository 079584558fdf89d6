"""Ledger: the outcomes of handlers, committed many at a time."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.errors import EventTooOld, Fenced
from hayai.ledger.desk import Desk
from hayai.ledger.effects import LedgerEffects
from hayai.ledger.leases import Leases
from hayai.ledger.outcome import LIVE
from hayai.ledger.places import Places
from hayai.ledger.unit import Unit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from datetime import datetime

    from hayai.ledger.leases import Changes
    from hayai.ledger.outcome import Fence, Outcome
    from hayai.pools import Pool

HORIZON = timedelta(days=30)
"""How long the ledger remembers what was handled, where nothing else is said."""

# A subquery for each event, and no join: measured, a join's plan is made while the table is small, is kept while it
# grows by the million, and compares everything with everything.
_SEEN = """
select asked.tenant, asked.event from unnest($3::text[], $4::text[]) asked (tenant, event)
 where (select true from hayai.inbox i
         where (i.tenant, i.event, i.handler, i.run) = (asked.tenant, asked.event, $1, $2))
"""
# One statement is one round trip and one transaction. A lease is locked against being taken over, not against being
# renewed; where one epoch is not the current one, nothing is written.
_COMMIT = """
with fence as materialized (
    select l.name from hayai.lease l join unnest($1::text[], $2::bigint[]) f (name, epoch) using (name, epoch)
       for key share of l
), marked as (
    insert into hayai.inbox (tenant, event, handler, run)
    select o.* from unnest($3::text[], $4::text[], $5::text[], $6::text[]) o
     where (select count(*) from fence) = cardinality($1::text[])
     order by 1, 2
    on conflict do nothing returning tenant, event, handler, run
), put as (
    insert into hayai.outbox (tenant, id, type, subject, body)
    select o.tenant, o.id, o.type, o.subject, o.body
      from unnest($7::int[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::text[])
           with ordinality o (of, id, type, subject, body, tenant, place)
      join marked m on m.tenant = ($3::text[])[o.of] and m.event = ($4::text[])[o.of]
                   and m.handler = ($5::text[])[o.of] and m.run = ($6::text[])[o.of]
     order by o.place
    returning 1
)
select (select count(*) from fence) as fences, (select array_agg(event) from marked) as events,
       case when exists (select from put) then pg_notify('hayai_outbox', '') end
"""

_HASTEN = "select set_config('idle_in_transaction_session_timeout', $1, true)"
_IDLE = "3s"
_BEGUN = "select begun from hayai.suspect where (tenant, event, handler) = ($1, $2, $3)"
_BEGIN = """
insert into hayai.suspect as s (tenant, event, handler, begun) values ($1, $2, $3, 1)
on conflict (tenant, event, handler) do update set begun = s.begun + 1, begun_at = now()
"""


class Ledger:
    """What was handled and what is to be published, in one Postgres.

    `pool` is one of the role "ledger"; `application` is the one whose transactions transactional handlers work in.
    `horizon` is how long the ledger remembers at least (hayai.ledger.retention keeps rows for longer).
    """

    def __init__(self, pool: Pool, application: Pool, *, horizon: timedelta = HORIZON) -> None:
        self._pool = pool
        self._horizon = horizon
        self._application = application
        self._desk = Desk(pool)

    def refuse_too_old(self, happened: datetime, now: datetime) -> None:
        """Raises EventTooOld for an event of that time (aware): what was done for it may be forgotten."""
        if now - happened > self._horizon:
            raise EventTooOld(
                f"The event is older than the {self._horizon.days} days that the ledger remembers, so nobody knows "
                "what was done for it, and nothing is done again: publish a new event if it is wanted still."
            )

    async def seen(self, handler: str, events: Sequence[tuple[str, str]], run: str = LIVE) -> set[tuple[str, str]]:
        """Those `events`, given as (tenant, id), that `handler` is done with. Raises Unavailable."""
        if not events:
            return set()
        tenants, ids = zip(*events, strict=True)
        rows = await self._pool.fetch(_SEEN, handler, run, list(tenants), list(ids))
        return {(row["tenant"], row["event"]) for row in rows}

    async def commit(self, outcomes: Sequence[Outcome]) -> set[str]:
        """Keep the outcomes, all or none, and what follows from those that are new; the ids of the events of these.

        Raises Fenced where a lease under which one was made is somebody else's by now, Unavailable.
        """
        outcomes = _once_each(outcomes)
        fences = {(each.fence.lease, each.fence.epoch) for each in outcomes if each.fence}
        (row,) = await self._pool.fetch(_COMMIT, *_columns(fences, 2), *_marks(outcomes), *_follow_ups(outcomes))
        if row["fences"] < len(fences):
            raise Fenced("Another process works in this partition by now: what this one did there does not count.")
        return set(row["events"] or ())

    async def begun(self, tenant: str, event: str, handler: str) -> int:
        """How often begin() was called for it: by processes that died with it in hand. Raises Unavailable."""
        rows = await self._pool.fetch(_BEGUN, tenant, event, handler)
        return int(rows[0]["begun"]) if rows else 0

    async def begin(self, tenant: str, event: str, handler: str) -> None:
        """Note that this process begins with an event that another left unfinished when it died. Raises Unavailable."""
        await self._pool.fetch(_BEGIN, tenant, event, handler)

    @asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncGenerator[Unit]:
        """One transaction for an event's mark, the rows that its handler writes, and its follow-ups.

        It is undone when nothing is asked of the database for `_IDLE`: a process that hangs would keep its partition's
        lease, and the rows that it has locked, from all others. Raises what Pool.transaction raises.
        """
        async with self._application.transaction(tenant) as connection:
            await connection.fetchrow(_HASTEN, _IDLE)
            yield Unit(tenant, connection)

    def effects(self, tenant: str, event: str, handler: str, *, fence: Fence | None = None) -> LedgerEffects:
        """The outward acts of `handler` for `event`, the same in every run."""
        return LedgerEffects(self._desk, (tenant, event, handler), fence)

    def places(self) -> Places:
        """How far each handler has come."""
        return Places(self._pool)

    def leases(self, names: Sequence[str], changes: Changes, *, seconds: float = 3.0) -> Leases:
        """This process's share of the leases called `names`; each lasts `seconds` unless it is renewed."""
        return Leases(self._pool, names, changes, seconds=seconds)


def _once_each(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The first of those with the same mark, so that the follow-ups of a double are not put twice."""
    first: dict[tuple[str, ...], Outcome] = {}
    for each in outcomes:
        first.setdefault((each.tenant, each.event, each.handler, each.run), each)
    return list(first.values())


def _marks(outcomes: Iterable[Outcome]) -> list[list[object]]:
    return _columns(((each.tenant, each.event, each.handler, each.run) for each in outcomes), 4)


def _follow_ups(outcomes: Iterable[Outcome]) -> list[list[object]]:
    """Columns of the outbox; the first says which outcome, counted from 1, the row follows from."""
    rows = [
        (place, each.id, each.type, each.subject, each.body, outcome.tenant)
        for place, outcome in enumerate(outcomes, 1)
        for each in outcome.outgoing
    ]
    return _columns(rows, 6)


def _columns(rows: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """The rows as columns, which unnest() takes."""
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
