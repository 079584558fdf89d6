"""Leases: which of some names this process holds, shared fairly among the workers that are alive.

Each lease has an epoch that grows whenever it changes hands: what is written under an old one is refused. The
database's clock says when a lease has run out; the holder goes by its own, from before it asked, and so stops before
others begin.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.errors import Unavailable
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hayai.pools import Pool

_log = logging.getLogger(__name__)
_RENEWALS = 4
"""How often a lease is renewed within its time."""
_MARGIN = 0.75
"""After this part of its time without a renewal the holder lets go, well before anybody else may take it."""

_ALIVE = """
insert into hayai.worker (id, expires_at) values ($1, clock_timestamp() + make_interval(secs => $2))
on conflict (id) do update set expires_at = excluded.expires_at
"""
_RENEW = """
update hayai.lease set expires_at = clock_timestamp() + make_interval(secs => $2)
 where holder = $1 and name = any($3::text[]) returning name, epoch
"""
_WORKERS = "select count(*) from hayai.worker where expires_at > clock_timestamp()"
# FOR UPDATE waits for the commits that are being made under the lease, which hold it FOR KEY SHARE.
_TAKE = """
update hayai.lease l set holder = $1, epoch = l.epoch + 1, expires_at = clock_timestamp() + make_interval(secs => $2)
  from (select name from hayai.lease
         where name = any($3::text[]) and (holder is null or expires_at <= clock_timestamp())
         order by name limit $4 for update skip locked) free
 where l.name = free.name returning l.name, l.epoch
"""
_RELEASE = """
update hayai.lease set holder = null, expires_at = '-infinity' where holder = $1 and name = any($2::text[])
"""
_DECLARE = "insert into hayai.lease (name) select unnest($1::text[]) on conflict do nothing"
_GONE = "delete from hayai.worker where id = $1 or expires_at < clock_timestamp() - interval '1 hour'"


@dataclass(frozen=True)
class Changes:
    """What is told when leases come and go."""

    acquired: Callable[[str, int], None]
    """A lease is ours, with its epoch."""
    releasing: Callable[[str], Awaitable[None]]
    """Another worker shall have it; it is given back when this returns."""
    lost: Callable[[str], None]
    """It is ours no more, and another worker's perhaps already."""


class Leases:
    """A worker's share of the leases, from start() to stop()."""

    def __init__(self, pool: Pool, names: Sequence[str], changes: Changes, *, seconds: float) -> None:
        self._pool = pool
        self._names = list(names)
        self._changes = changes
        self._seconds = seconds
        self._worker = fresh()
        self._held: dict[str, int] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._renewed_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def held(self) -> dict[str, int]:
        """What is ours now, with the epochs."""
        return dict(self._held)

    async def start(self) -> None:
        """Ask for a share now, and go on with it. Raises Unavailable."""
        await self._pool.fetch(_DECLARE, self._names)
        await self._round()
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._watch())]

    async def stop(self) -> None:
        """Give everything back; what is told of it is nothing: the caller has left already."""
        for task in [*self._tasks, *self._leaving.values()]:
            task.cancel()
        self._tasks.clear()
        held, self._held = list(self._held), {}
        try:
            await self._pool.fetch(_RELEASE, self._worker, held)
            await self._pool.fetch(_GONE, self._worker)
        except Unavailable as wrong:
            _log.warning("The leases run out by themselves, since they could not be given back: %s", wrong)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / _RENEWALS)
            try:
                await self._round()
            except Unavailable as wrong:
                _log.warning("The leases could not be renewed: %s", wrong)

    async def _watch(self) -> None:
        """Let go of everything in time where renewals do not come through, however long one of them hangs."""
        loop = asyncio.get_running_loop()
        while True:
            left = self._renewed_at + self._seconds * _MARGIN - loop.time()
            if left <= 0 and self._held:
                _log.warning("The leases were not renewed in time: another worker may have them by now.")
                self._lose(list(self._held))
            await asyncio.sleep(max(left, self._seconds / _RENEWALS / 4))

    async def _round(self) -> None:
        """Renew what is ours, give back what is too much, and take what is free."""
        asked_at = asyncio.get_running_loop().time()
        await self._pool.fetch(_ALIVE, self._worker, self._seconds)
        renewed = await self._pool.fetch(_RENEW, self._worker, self._seconds, list(self._held))
        kept = {row["name"] for row in renewed if self._held.get(row["name"]) == row["epoch"]}
        self._renewed_at = asked_at
        self._lose([name for name in self._held if name not in kept])
        share = await self._share()
        for name in list(self._held)[share:]:
            self._release(name)
        await self._take(share - len(self._held))

    async def _share(self) -> int:
        """How many are ours by right: as many as everybody's, rounded up."""
        (row,) = await self._pool.fetch(_WORKERS)
        workers: int = max(1, row["count"])
        return -(-len(self._names) // workers)

    async def _take(self, count: int) -> None:
        if count <= 0:
            return
        for row in await self._pool.fetch(_TAKE, self._worker, self._seconds, self._names, count):
            self._held[row["name"]] = row["epoch"]
            self._changes.acquired(row["name"], row["epoch"])

    def _release(self, name: str) -> None:
        """Give `name` back once it is left in good order; it is renewed until then."""
        if name not in self._leaving:
            task = self._leaving[name] = asyncio.create_task(self._leave(name))
            task.add_done_callback(lambda _: self._leaving.pop(name, None))

    async def _leave(self, name: str) -> None:
        await self._changes.releasing(name)
        if self._held.pop(name, None) is not None:
            with suppress(Unavailable):  # then it runs out by itself
                await self._pool.fetch(_RELEASE, self._worker, [name])

    def _lose(self, names: Sequence[str]) -> None:
        for name in names:
            if self._held.pop(name, None) is not None:
                self._changes.lost(name)
