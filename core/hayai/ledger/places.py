"""Places: how far each handler has come in its stream, as the ledger remembers it beside the bus."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.pools import Pool

_FIND = "select born, floor from hayai.place where name = $1"
# In the order of the names: several processes may write the same ones.
_KEEP = """
insert into hayai.place as p (name, born, floor)
select * from unnest($1::text[], $2::text[], $3::bigint[]) order by 1
on conflict (name) do update set born = excluded.born, floor = excluded.floor, kept_at = clock_timestamp()
"""


class Place(NamedTuple):
    """Up to the sequence `floor` of the stream that was made at `born` (the server's words) nothing is left to do."""

    born: str
    floor: int


class Places:
    """The places by the names of the consumers; `pool` is one of the role "ledger"."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, name: str) -> Place | None:
        """The place of that name; None where nobody was ever at work. Raises Unavailable."""
        rows = await self._pool.fetch(_FIND, name)
        return Place(rows[0]["born"], rows[0]["floor"]) if rows else None

    async def keep(self, places: Mapping[str, Place]) -> None:
        """Remember these, whatever was remembered before. Raises Unavailable."""
        born, floors = zip(*places.values(), strict=True)
        await self._pool.fetch(_KEEP, list(places), list(born), list(floors))
