"""Stored: how many bytes the stream of events keeps of each tenant, as the index has counted them."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from hayai.pools import Pool

# The words of a server's instants stand in their order; of two streams of one name the later one is there.
_SUMS = """
select tenant, sum(bytes)::bigint as bytes from hayai.stored
 where stream = $1 and born = (select max(born) from hayai.stored where stream = $1)
   and day + 1 > clock_timestamp() at time zone 'UTC' - make_interval(secs => 86400 * $2::float8)
   and ($3::text[] is null or tenant = any($3))
 group by tenant
"""


async def stored_bytes(
    pool: Pool, stream: str, *, max_age_days: float, tenants: Collection[str] | None = None
) -> dict[str, int]:
    """What `stream`, which keeps events for so many days, holds of these tenants, or of all that it holds any of.

    A day counts until all of it is gone. `pool` is one of the role "ledger". Raises Unavailable.
    """
    rows = await pool.fetch(_SUMS, stream, max_age_days, None if tenants is None else list(tenants))
    return {row["tenant"]: row["bytes"] for row in rows}
