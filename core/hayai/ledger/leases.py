"""Leases: which of some names this process holds, shared fairly among the workers that are alive.

Each lease has an epoch that grows whenever it changes hands: what is written under an old one is refused. A lease is
its holder's as long as others hear of that worker (hayai.ledger.roster). All count seconds of their own: the holder
from before it said that it is alive, the others from after they heard of it, and so it stops before they begin.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hayai.errors import Unavailable
from hayai.ledger.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from hayai.pools import Pool

_log = logging.getLogger(__name__)
_RENEWALS = 4
"""How often a lease is renewed within its time."""
_MARGIN = 0.75
"""After this part of its time without a renewal the holder lets go, before anybody else may take it."""
_SILENCE = 0.85
"""After this part of a lease's time its holder is taken for dead by whoever saw no sign of it meanwhile."""
_SOON = 0.05

_HELD = "select name, epoch from hayai.lease where holder = $1"
_FREE = """
select name, epoch from hayai.lease l
 where name = any($1::text[]) and not exists (select from hayai.worker where id = l.holder)
"""
# A lease that is free stays so until its epoch grows: who is struck off never comes back. Whether its holder is alive
# must not be asked here: of a row that was changed by somebody faster, Postgres looks at the new version, and not again
# at rows of other tables that did not match the old one. FOR UPDATE waits for the commits that are being made under the
# lease, which hold it FOR KEY SHARE.
_TAKE = """
update hayai.lease l set holder = $3, epoch = l.epoch + 1
  from (select name, l.holder from hayai.lease l join unnest($1::text[], $2::bigint[]) free (name, epoch)
         using (name, epoch) order by name for update of l skip locked) free
 where l.name = free.name returning l.name, l.epoch, free.holder is not null as orphaned
"""
# What is left in disorder goes to a holder who is not alive, so that whoever takes it knows.
_RELEASE = """
update hayai.lease set holder = case when $3 then null else 'nobody' end where holder = $1 and name = any($2::text[])
"""
_RELEASE_ALL = "update hayai.lease set holder = 'nobody' where holder = $1"
_DECLARE = "insert into hayai.lease (name) select unnest($1::text[]) on conflict do nothing"


@dataclass(frozen=True)
class Changes:
    """What is told when leases come and go."""

    acquired: Callable[[str, int, bool], None]
    """A lease is ours, with its epoch; and whether nobody gave it back, so that work under it may be unfinished."""
    releasing: Callable[[str], Awaitable[bool]]
    """Another worker shall have it; it is given back when this returns, as orphaned where that is False."""
    lost: Callable[[str], None]
    """It is ours no more, and another worker's perhaps already."""


class Leases:
    """A worker's share of the leases, from start() to stop().

    `names` is one group that is shared; add() brings others. A lease's worker must be heard of every `seconds`.
    """

    def __init__(self, pool: Pool, names: Sequence[str], changes: Changes, *, seconds: float) -> None:
        self._pool = pool
        self._groups: dict[str, tuple[str, ...]] = {names[0]: tuple(names)} if names else {}
        self._changes = changes
        self._seconds = seconds
        self._roster = Roster(pool, silence=seconds * _SILENCE)
        self._held: dict[str, int] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._retires = False
        self._renewed_at = 0.0
        self._rounds = asyncio.Lock()
        self._confirming = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def held(self) -> dict[str, int]:
        """What is ours now, with the epochs."""
        return dict(self._held)

    async def start(self) -> None:
        """Ask for a share now, and go on with it. Raises Unavailable."""
        for names in self._groups.values():
            await self._pool.fetch(_DECLARE, list(names))
        await self._round()
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._watch())]

    async def add(self, names: Sequence[str]) -> None:
        """Ask for a share of these as well; what is ours of them is told before this returns. Raises Unavailable."""
        await self._pool.fetch(_DECLARE, list(names))
        self._groups[names[0]] = tuple(names)
        try:
            await self._round()
        except BaseException:
            del self._groups[names[0]]  # the next round gives back what this one may have taken
            self._lose(names)  # and add(), should it be tried again before that, tells of it again
            raise

    def holds(self, name: str) -> bool:
        """Whether `name` is ours for certain, by our own clock; a process that was stopped may not have noticed yet."""
        return name in self._held and asyncio.get_running_loop().time() < self._until()

    async def confirm(self) -> None:
        """See in the database what is ours; what is not is told as lost before this returns. Raises Unavailable.

        Somebody may have taken it although we renewed it in time by our seconds, where our machine was asleep.
        """
        asked_at = asyncio.get_running_loop().time()
        async with self._confirming:
            if self._renewed_at < asked_at:  # else another one has asked for us all
                await self._round()

    def _until(self) -> float:
        return self._renewed_at + self._seconds * _MARGIN

    def retire(self) -> None:
        """Ask for nothing more: what is held is only kept up from now on, and others may reckon without us."""
        self._retires = True

    async def stop(self, in_order: Collection[str] = ()) -> None:
        """Give everything back, all but what was left `in_order` as orphaned; nothing is told: the caller has left.

        What a round took while the caller left is nobody's business, and so is orphaned if it was.
        """
        tasks = [*self._tasks, *self._leaving.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # or one of them may take again what is given back here
        self._tasks.clear()
        self._held.clear()
        try:
            ours = self._roster.worker
            await self._pool.fetch(_RELEASE, ours, list(in_order), True)  # noqa: FBT003 - a statement's value
            await self._pool.fetch(_RELEASE_ALL, ours)
            await self._roster.leave()
        except Unavailable as wrong:
            _log.warning("The leases run out by themselves, since they could not be given back: %s", wrong)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(min(self._seconds / _RENEWALS, max(_SOON, self._roster.patience())))
            try:
                await self._round()
            except Unavailable as wrong:
                _log.warning("The leases could not be renewed: %s", wrong)
            except Exception as wrong:  # noqa: BLE001 - whatever it is, leases that nobody renews help nobody
                _log.warning("The leases could not be renewed, which is a defect: %s", type(wrong).__name__)

    async def _watch(self) -> None:
        """Let go of everything in time where renewals do not come through, however long one of them hangs."""
        loop = asyncio.get_running_loop()
        while True:
            left = self._until() - loop.time()
            if left <= 0 and self._held:
                _log.warning("The leases were not renewed in time: another worker may have them by now.")
                self._lose(list(self._held))
            await asyncio.sleep(max(left, self._seconds / _RENEWALS / 4))

    async def _round(self) -> None:
        """Say that we are alive, see what is ours, give back what is too much, and take what is free."""
        async with self._rounds:
            asked_at = asyncio.get_running_loop().time()
            await self._roster.sign(() if self._retires else self._groups)
            held = {row["name"]: row["epoch"] for row in await self._pool.fetch(_HELD, self._roster.worker)}
            self._renewed_at = asked_at
            await self._give_back_strays(held)
            self._lose([name for name, epoch in self._held.items() if held.get(name) != epoch])
            if not self._retires:
                self._gain(held, orphaned=set(held))  # ours already: we had let go of it ourselves
                await self._share()

    async def _give_back_strays(self, held: dict[str, int]) -> None:
        """Let go of what add() took before it failed, in `held` and in the database."""
        wanted = {name for names in self._groups.values() for name in names}
        strays = [name for name in held if name not in wanted]
        if strays:
            self._lose(strays)
            await self._pool.fetch(_RELEASE, self._roster.worker, strays, False)  # noqa: FBT003
        for name in strays:
            del held[name]

    async def _share(self) -> None:
        """Give back what is more than our share of a group, and take what is free and less."""
        workers = await self._roster.call()
        free = await self._free()
        wanted: list[str] = []
        for scope, names in self._groups.items():
            ours = [name for name in names if name in self._held]
            share = _share(scope, len(names), *workers.get(scope, (1, 0)))
            for name in ours[share:]:
                self._release(name)
            wanted += [name for name in names if name in free][: max(0, share - len(ours))]
        if wanted:
            taken = await self._pool.fetch(_TAKE, wanted, [free[name] for name in wanted], self._roster.worker)
            orphaned = {row["name"] for row in taken if row["orphaned"]}
            self._gain({row["name"]: row["epoch"] for row in taken}, orphaned=orphaned)

    async def _free(self) -> dict[str, int]:
        """What nobody holds who is alive, with the epochs."""
        others = [name for names in self._groups.values() for name in names if name not in self._held]
        return {row["name"]: row["epoch"] for row in await self._pool.fetch(_FREE, others)} if others else {}

    def _gain(self, held: dict[str, int], *, orphaned: set[str]) -> None:
        for name, epoch in held.items():
            if name not in self._held:
                self._held[name] = epoch
                self._changes.acquired(name, epoch, name in orphaned)

    def _release(self, name: str) -> None:
        """Give `name` back once it is left in good order; it is renewed until then."""
        if name not in self._leaving:
            task = self._leaving[name] = asyncio.create_task(self._leave(name))
            task.add_done_callback(partial(self._left, name))

    def _left(self, name: str, task: asyncio.Task[None]) -> None:
        if self._leaving.get(name) is task:
            del self._leaving[name]

    async def _leave(self, name: str) -> None:
        in_order = await self._changes.releasing(name)
        async with self._rounds:  # a round in between would find it ours, and take it up again
            if self._leaving.get(name) is not asyncio.current_task():
                return  # we were cancelled, which asyncio.wait_for swallows where its answer comes in that moment
            with suppress(Unavailable):  # then the next round finds it ours, and leaves it again
                await self._pool.fetch(_RELEASE, self._roster.worker, [name], in_order)
            self._held.pop(name, None)

    def _lose(self, names: Sequence[str]) -> None:
        for name in names:
            if self._held.pop(name, None) is not None:
                if leaving := self._leaving.pop(name, None):
                    leaving.cancel()  # else it would give back, untold, what may be ours again by then
                self._changes.lost(name)


def _share(scope: str, leases: int, workers: int, before: int) -> int:
    """How many of a group's leases are ours, with so many workers `before` us: the odd ones go to others each time."""
    place = (before + zlib.crc32(scope.encode())) % workers
    return leases // workers + (place < leases % workers)
