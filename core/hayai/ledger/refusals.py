"""Refusals: the events that the bus would not take, kept until a person sends them again or drops them."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.ledger.asking import asked

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.pools import Pool

_ALL = """
select tenant, id, type, error, octet_length(body) as bytes, refused_at from hayai.refused
 where $2::text is null or tenant = $2 order by refused_at, id limit $1
"""
_DROP = "delete from hayai.refused where (tenant, id) = ($1, $2) returning true"
_RETRY = """
with back as (
    delete from hayai.refused where (tenant, id) = ($1, $2) returning tenant, id, type, subject, body
), put as (
    insert into hayai.outbox (tenant, id, type, subject, body) select * from back returning true
)
select pg_notify('hayai_outbox', '') from put
"""


@dataclass(frozen=True)
class Refusal:
    """One such event: its id and wire type, the class of the bus's error, and how many bytes it has."""

    tenant: str
    id: str
    type: str
    error: str
    bytes: int
    refused_at: datetime


class Refusals:
    """What a person decides; `pool` is one of the role "ledger". All methods raise DatabaseUnfit, Unavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def waiting(self, *, tenant: str | None = None, most: int = 100) -> list[Refusal]:
        """The oldest first; those of `tenant` alone where one is given."""
        return [Refusal(*row) for row in await asked(self._pool, _ALL, most, tenant)]

    async def retry(self, tenant: str, id: str) -> bool:  # noqa: A002 - CloudEvents calls it id
        """Put it into the outbox again, behind what is there; False where there is none of that id."""
        return bool(await asked(self._pool, _RETRY, tenant, id))

    async def drop(self, tenant: str, id: str) -> bool:  # noqa: A002 - CloudEvents calls it id
        """Forget it for good; False where there is none of that id."""
        return bool(await asked(self._pool, _DROP, tenant, id))
