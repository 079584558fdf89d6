"""Stored: how many bytes the stream of events keeps of each tenant, as the index has counted them."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from hayai.pools import Pool

_SUMS = """
select tenant, sum(bytes)::bigint as bytes from hayai.stored
 where stream = $1 and born = $2 and day >= $3 and ($4::text[] is null or tenant = any($4))
 group by tenant
"""


async def stored_bytes(
    pool: Pool, stream: str, *, born: str, since: date, tenants: Collection[str] | None = None
) -> dict[str, int]:
    """What `stream`, made at `born` (the server's words), took of these tenants, or of all, from the day `since` on.

    `pool` is one of the role "ledger". Raises Unavailable.
    """
    rows = await pool.fetch(_SUMS, stream, born, since, None if tenants is None else list(tenants))
    return {row["tenant"]: row["bytes"] for row in rows}
