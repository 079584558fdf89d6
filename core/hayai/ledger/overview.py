"""Overview: what waits in the ledger, and how many workers hold the leases of each handler."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.ledger.asking import asked

if TYPE_CHECKING:
    from hayai.pools import Pool

_STATE = """
select (select count(*) from hayai.outbox) as waiting,
       (select extract(epoch from clock_timestamp() - min(written_at))::float8 from hayai.outbox) as oldest,
       (select count(*) from hayai.refused) as refused
"""
# A lease is called HANDLER/PARTITION, and is its holder's as long as that worker is alive.
_STAFF = """
select regexp_replace(l.name, '/[^/]*$', '') as handler, count(*) as leases, count(w.id) as held,
       count(distinct w.id) as workers
  from hayai.lease l left join hayai.worker w on w.id = l.holder and w.expires_at > clock_timestamp()
 group by 1
"""


@dataclass(frozen=True)
class LedgerState:
    """What waits in the ledger."""

    waiting: int
    """Rows of the outbox: committed and not published yet."""
    oldest: float | None
    """The age of the oldest of these, in seconds; None where none waits."""
    refused: int
    """Events that the bus will never take; they are kept for a person."""


@dataclass(frozen=True)
class Staff:
    """Who works for one handler."""

    workers: int
    leases: int
    """One for each partition."""
    held: int
    """How many of these a living worker holds."""


async def ledger_state(pool: Pool) -> LedgerState:
    """What waits, by a pool of the role "ledger". Raises DatabaseUnfit, Unavailable."""
    (row,) = await asked(pool, _STATE)
    return LedgerState(row["waiting"], row["oldest"], row["refused"])


async def staff(pool: Pool) -> dict[str, Staff]:
    """Who works for each handler that ever had a lease, by a pool of the role "ledger". Raises as ledger_state()."""
    rows = await asked(pool, _STAFF)
    return {row["handler"]: Staff(row["workers"], row["leases"], row["held"]) for row in rows}
