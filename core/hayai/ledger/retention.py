"""Retention: rows that are older than their table's days go, a few pages at a time, once a day and by one process."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hayai.errors import HayaiError, SettingsError
from hayai.ledger.ledger import HORIZON

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from hayai.pools import Pool

_log = logging.getLogger(__name__)

DAYS: Mapping[str, int] = {"inbox": 35, "effect": 35, "suspect": 35, "refused": 365, "event_index": 365, "stored": 400}
"""How long each table keeps its rows where nothing else is said."""

# What is in doubt stays until a person has decided.
_OLD = {
    "inbox": "handled_at < now() - make_interval(days => $3)",
    "effect": "claimed_at < now() - make_interval(days => $3) and state <> 'unknown'",
    "suspect": "begun_at < now() - make_interval(days => $3)",
    "refused": "refused_at < now() - make_interval(days => $3)",
    "event_index": '"time" < now() - make_interval(days => $3)',
    "stored": "day < now() - make_interval(days => $3)",
}
_GUARDED = ("inbox", "effect")
_SLACK_DAYS = 1
"""Clocks differ, and a pass takes its time."""

_CLAIM = """
update hayai.retention set begun_at = now()
 where table_name = $1 and begun_at < now() - make_interval(secs => $2) returning true
"""
_PAGES = "select pg_relation_size($1::text::regclass) / current_setting('block_size')::int as pages"
_CHUNK = 256
_LOOK_SECONDS = 600.0
_EVERY_SECONDS = 86_400.0
_SHARE = 4
"""After each chunk, so many times as long as it took is left to others."""


class Retention:
    """Works from start() to stop(); `pool` is one of the role "ledger".

    Raises SettingsError for days of a table that remembers what was done which are not beyond `horizon`: the engine
    takes events that young, and would do anew what was done for them.
    """

    def __init__(self, pool: Pool, days: Mapping[str, int] = DAYS, *, horizon: timedelta = HORIZON) -> None:
        self._pool = pool
        self._days = {**DAYS, **days}
        self._tasks: list[asyncio.Task[None]] = []
        least = horizon.days + _SLACK_DAYS
        if short := [table for table in _GUARDED if self._days[table] < least]:
            raise SettingsError(
                f"The ledger takes events that are {horizon.days} days old and must remember what was done for them: "
                f"keep {' and '.join(short)} for {least} days at least, or lower the horizon."
            )

    async def start(self) -> None:
        """Look now and then whether a table is due."""
        self._tasks = [asyncio.create_task(self._work())]

    async def stop(self) -> None:
        """Stop; what is left goes the next time."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _work(self) -> None:
        while True:
            for table in _OLD:
                try:
                    if await self._pool.fetch(_CLAIM, table, _EVERY_SECONDS):
                        await self.clear(table)
                except Exception as wrong:  # noqa: BLE001 - whatever it is, the other tables are still to be cleared
                    said = str(wrong) if isinstance(wrong, HayaiError) else type(wrong).__name__
                    _log.warning("What is too old in hayai.%s could not be removed: %s", table, said)
            await asyncio.sleep(_LOOK_SECONDS)

    async def clear(self, table: str) -> int:
        """Remove what is too old in one of the tables of DAYS, without an index and in short transactions; how many.

        Raises Unavailable.
        """
        loop, removed = asyncio.get_running_loop(), 0
        (size,) = await self._pool.fetch(_PAGES, f"hayai.{table}")
        for first in range(0, size["pages"], _CHUNK):
            begun = loop.time()
            (row,) = await self._pool.fetch(_clear(table), f"({first},0)", f"({first + _CHUNK},0)", self._days[table])
            removed += row["count"]
            await asyncio.sleep((loop.time() - begun) * _SHARE)
        if removed:
            _log.info("%d rows of hayai.%s were too old and are removed.", removed, table)
        return removed


def _clear(table: str) -> str:
    """A range of pages is read as it lies, whatever has been removed from it before."""
    return (
        f"with gone as (delete from hayai.{table} where ctid >= $1::text::tid and ctid < $2::text::tid "  # noqa: S608
        f"and {_OLD[table]} returning true) select count(*) from gone"
    )
