"""PostgresConsents: what each person has said about being written to, in rows that nobody may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.ports.consents import Consents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.pools import Pool
    from hayai.ports.base import Settings
    from hayai.ports.consents import Consent
    from hayai.vocabulary.consent import Purpose

_RECORD = """
insert into hayai.consent (tenant, person, channel, purpose, source, allowed, said_at)
select $1, $2, $3, purpose, $5, $6, $7 from unnest($4::text[]) purpose
on conflict do nothing
"""
_STANDING = """
select distinct on (purpose) purpose, allowed from hayai.consent
 where tenant = $1 and person = $2 and channel = $3 and place < all (
       select place from hayai.consent where tenant = $1 and person = $2 and channel = $3 and source = $4)
 order by purpose, place desc
"""


class PostgresConsents(Consents):
    """Table hayai.consent; every call joins the transaction open in the task."""

    def __init__(self, settings: Settings, *, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool

    async def record(self, tenant: str, said: Consent) -> None:
        """Add what they said, once. Raises KeyNotOpaque, Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            await connection.execute(
                _RECORD, tenant, said.person, said.channel, said.purposes, said.source, said.allowed, said.at
            )

    async def standing(
        self, tenant: str, person: str, channel: str, *, before: str | None = None
    ) -> Mapping[Purpose, bool]:
        """What was said last of each purpose, until then. Raises KeyNotOpaque, Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            rows = await connection.fetch(_STANDING, tenant, person, channel, before)
        return {row["purpose"]: row["allowed"] for row in rows}
