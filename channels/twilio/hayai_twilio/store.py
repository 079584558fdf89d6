"""Store: what Postgres keeps of the messages that were sent: how far each got, and when a number is free again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_twilio.statuses import rank

if TYPE_CHECKING:
    from hayai.pools import Pool

_STATUS = "select status, rank from hayai.twilio_message where tenant = $1 and sid = $2 for update"
_RAISE = """
insert into hayai.twilio_message (tenant, sid, reply, status, rank, code) values ($1, $2, $3, $4, $5, $6)
on conflict (tenant, sid) do update
   set status = excluded.status, rank = excluded.rank, code = excluded.code, changed_at = now()
 where hayai.twilio_message.rank < excluded.rank
returning status
"""
_KNOWN = "select sid from hayai.twilio_message where tenant = $1 and sid = any ($2) and reply <> $3"
_TURN = """
insert into hayai.twilio_pace as p (tenant, number, free_at) values ($1, $2, clock_timestamp() + $3)
on conflict (tenant, number) do update set free_at = greatest(p.free_at, clock_timestamp()) + $3
 where p.free_at < clock_timestamp() + $4
returning extract(epoch from free_at - $3 - clock_timestamp())
"""


class Store:
    """Tables hayai.twilio_message and hayai.twilio_pace; every call raises Unavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def raised(self, tenant: str, sid: str, reply: str, status: str, code: str = "") -> tuple[bool, str | None]:
        """Keep `status` where it is further than what was known; whether it is, and what was known.

        Joins the transaction that is open in this task.
        """
        async with self._pool.transaction(tenant) as connection:
            known = await connection.fetchrow(_STATUS, tenant, sid)
            row = await connection.fetchval(_RAISE, tenant, sid, reply, status, rank(status), code)
        return row is not None, known["status"] if known else None

    async def of_others(self, tenant: str, sids: list[str], reply: str) -> set[str]:
        """Those of `sids` that belong to another answer than `reply`."""
        async with self._pool.transaction(tenant) as connection:
            return {row["sid"] for row in await connection.fetch(_KNOWN, tenant, sids, reply)}

    async def turn(self, tenant: str, number: str, *, each: float, longest: float) -> float | None:
        """Take the number's next turn: seconds until it comes, or None where that is more than `longest`.

        Every replica asks here, so that a number sends one message in `each` seconds, whoever sends it.
        """
        async with self._pool.transaction(tenant) as connection:
            wait = await connection.fetchval(_TURN, tenant, number, timedelta(seconds=each), timedelta(seconds=longest))
        return None if wait is None else max(0.0, float(wait))
