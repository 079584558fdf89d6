"""Pace: how long handlers take, written by every process now and then, and read over all of them."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hayai.ledger.asking import asked
from hayai.telemetry.histogram import merged, quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hayai.pools import Pool

_WRITE = """
insert into hayai.pace (handler, process, durations, failed)
select o.handler, $1, o.durations::json, o.failed
  from unnest($2::text[], $3::text[], $4::bigint[]) o (handler, durations, failed) order by 1
on conflict (handler, process) do update
   set durations = excluded.durations, failed = excluded.failed, measured_at = clock_timestamp()
"""
_CLEAR = "delete from hayai.pace where measured_at < clock_timestamp() - interval '1 hour'"
_READ = "select handler, durations, failed from hayai.pace where measured_at > clock_timestamp() - interval '1 hour'"


@dataclass(frozen=True)
class Pace:
    """One handler's tries of about the last hour."""

    durations: Mapping[int, int] = field(default_factory=dict[int, int])
    """How many there were in each bucket of a Histogram."""
    failed: int = 0
    """How many of them raised."""

    @property
    def attempts(self) -> int:
        """How many tries there were."""
        return sum(self.durations.values())

    def within(self, part: float) -> float | None:
        """The seconds that `part` (0 to 1) of the tries did not exceed; None without a try."""
        return quantile(self.durations, part)


async def write_paces(pool: Pool, process: str, paces: Mapping[str, Pace]) -> None:
    """Keep what `process` has seen of each handler in place of what it said before. Raises Unavailable.

    What no process has written for an hour goes. `pool` is one of the role "ledger".
    """
    durations = [json.dumps(each.durations) for each in paces.values()]
    await pool.fetch(_WRITE, process, list(paces), durations, [each.failed for each in paces.values()])
    await pool.fetch(_CLEAR)


async def read_paces(pool: Pool) -> dict[str, Pace]:
    """What all processes have seen of each handler, by a pool of the role "ledger".

    Raises DatabaseUnfit, Unavailable.
    """
    found: dict[str, list[Pace]] = {}
    for row in await asked(pool, _READ):
        durations = {int(place): int(count) for place, count in json.loads(row["durations"]).items()}
        found.setdefault(row["handler"], []).append(Pace(durations, row["failed"]))
    return {handler: _together(several) for handler, several in sorted(found.items())}


def _together(several: Sequence[Pace]) -> Pace:
    return Pace(merged(each.durations for each in several), sum(each.failed for each in several))
