"""Unit: an inbox mark and follow-ups inside the transaction in which a handler writes its own rows."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.errors import Fenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from hayai.ledger.outcome import Outcome, Outgoing

_MARK = """
insert into hayai.inbox (tenant, event, handler, run) values ($1, $2, $3, $4) on conflict do nothing returning true
"""
_PUT = "insert into hayai.outbox (tenant, id, type, subject, body) values ($1, $2, $3, $4, $5)"


class Unit:
    """One event's work in one transaction of its tenant, which commits or undoes all of it."""

    def __init__(self, tenant: str, connection: asyncpg.Connection) -> None:
        self._tenant = tenant
        self.connection = connection
        """The transaction's connection; Pool.transaction() of the same tenant joins it in this task."""

    async def mark(self, outcome: Outcome) -> bool:
        """Whether the event is new to its handler, which it is no more from here on. Raises Fenced."""
        fence = outcome.fence
        if fence and not await self.connection.fetchval("select hayai.fence_holds($1, $2)", fence.lease, fence.epoch):
            raise Fenced("Another process works in this partition by now: this one leaves the event to it.")
        values = (outcome.tenant, outcome.event, outcome.handler, outcome.run)
        return bool(await self.connection.fetchval(_MARK, *values))

    async def put(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish these once the transaction is committed."""
        if outgoing:
            rows = [(self._tenant, each.id, each.type, each.subject, each.body) for each in outgoing]
            await self.connection.executemany(_PUT, rows)
            await self.connection.execute("select pg_notify('hayai_outbox', '')")
