"""PostgresPeople: who is behind an address, in Postgres, kept apart by tenant in the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.ports.people import Contact, People
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Collection

    import asyncpg

    from hayai.pools import Pool
    from hayai.ports.base import Settings

# clock_timestamp: two meetings within one transaction have an order, too.
_MET = """
insert into hayai.contact (tenant, kind, address, person, conversation, via)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant, kind, address) do update set via = excluded.via, seen_at = clock_timestamp()
returning *
"""
_REACH = """
select * from hayai.contact where tenant = $1 and person = $2 and kind = any ($3)
 order by seen_at desc, kind, address limit 1
"""


class PostgresPeople(People):
    """Table hayai.contact; every call joins the transaction open in the task."""

    def __init__(self, settings: Settings, *, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool

    async def met(self, tenant: str, kind: str, address: str, *, via: str) -> Contact:
        """Whoever has that address; new where nobody has it. Raises KeyNotOpaque, Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            row = await connection.fetchrow(_MET, tenant, kind, address, fresh(), fresh(), via)
        assert row is not None
        return _contact(row)

    async def reach(self, tenant: str, person: str, kinds: Collection[str]) -> Contact | None:
        """The contact that the person used last. Raises KeyNotOpaque, Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            row = await connection.fetchrow(_REACH, tenant, person, list(kinds))
        return None if row is None else _contact(row)


def _contact(row: asyncpg.Record) -> Contact:
    return Contact(row["person"], row["conversation"], row["kind"], row["address"], row["via"])
