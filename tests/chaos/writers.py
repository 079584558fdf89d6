"""Writers: programs beside the house that write rows to its database and remember what was committed, and when."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Self

from hayai.errors import Unavailable
from hayai.pools import Pool
from tests.chaos.handlers import TENANT

if TYPE_CHECKING:
    from hayai.ports.database import Database
    from tests.chaos.plan import Report
    from tests.chaos.world import World

_INSERT = "insert into chaos.line (name, key, number) values ('writer', $1, $2)"
_PAUSE = 0.01
_AGAIN = 0.05


class Writers:
    """So many tasks write from entering the context to leaving it, each a row at a time."""

    def __init__(self, database: Database, count: int = 10) -> None:
        self._pool = Pool(database, size=count)
        self._count = count
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._committed: list[tuple[str, float]] = []

    async def __aenter__(self) -> Self:
        await self._pool.start()
        self._tasks = [asyncio.create_task(self._write(f"w{place}")) for place in range(self._count)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
        await self._pool.stop()

    async def _write(self, key: str) -> None:
        for number in itertools.count():
            if self._stopping:
                return
            try:
                async with self._pool.transaction(TENANT) as connection:
                    await connection.execute(_INSERT, key, number)
            except Unavailable:  # whether that one was committed nobody knows
                await asyncio.sleep(_AGAIN)
            else:
                self._committed.append((f"writer.{key}.{number}", time.monotonic()))
                await asyncio.sleep(_PAUSE)

    async def judge(self, world: World, report: Report, *, gap: float) -> None:
        """Demand that what was committed is there, and that nobody waited longer than `gap` seconds for a commit."""
        rows = (await world.evidence(world.spec)).rows
        times = [at for _, at in self._committed]
        report.show("rows committed beside the house", len(times))
        report.demand("committed and lost", sum(name not in rows for name, _ in self._committed))
        longest = max((later - sooner for sooner, later in itertools.pairwise(times)), default=0)
        report.demand("longest time without a commit", round(longest, 2), most=gap, unit=" s")
