"""Roster: which workers are alive, as one of them sees it: by their beats, and by no clock on a wall.

Each worker counts up a number of its own while it is alive. Who sees the number stand still for long enough, by the
seconds that he counts himself, strikes the worker off. That is for good: who was struck off and is alive after all goes
on as another worker, which holds nothing.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hayai.pools import Pool

_log = logging.getLogger(__name__)

# Until when a worker is taken for alive is told to people: it goes by the database's clock, which may be set.
_SIGN = """
update hayai.worker
   set beat = beat + 1, scopes = $3, expires_at = clock_timestamp() + make_interval(secs => $2)
 where id = $1 returning beat
"""
_ENTER = """
insert into hayai.worker (id, scopes, expires_at) values ($1, $3, clock_timestamp() + make_interval(secs => $2))
"""
_ROLL = "select id, scopes, beat from hayai.worker"
_STRIKE = """
delete from hayai.worker where id = any(array(
    select w.id from hayai.worker w join unnest($1::text[], $2::bigint[]) silent (id, beat) using (id, beat)
       for update of w skip locked))
returning id
"""
_LEAVE = "delete from hayai.worker where id = $1"


class Roster:
    """`silence` is how many seconds a worker's beat stands still before it is struck off."""

    def __init__(self, pool: Pool, *, silence: float) -> None:
        self._pool = pool
        self._silence = silence
        self._beats: dict[str, tuple[int, float]] = {}
        """The beat of each worker, and since when we have seen it so, by our own seconds."""
        self._read_at = 0.0
        self.worker = fresh()
        """Who we are; another one after we were struck off."""

    async def sign(self, scopes: Collection[str]) -> None:
        """Say that we are alive and want a share of these. Raises Unavailable."""
        if not await self._pool.fetch(_SIGN, self.worker, self._silence, list(scopes)):
            self.worker = fresh()
            await self._pool.fetch(_ENTER, self.worker, self._silence, list(scopes))

    async def leave(self) -> None:
        """Be there no more. Raises Unavailable."""
        await self._pool.fetch(_LEAVE, self.worker)

    async def call(self) -> dict[str, tuple[int, int]]:
        """For each scope how many workers want a share of it, and how many of these stand before us.

        Strikes off who was silent for too long. Raises Unavailable.
        """
        scopes: dict[str, list[str]] = {}
        beats: dict[str, int] = {}
        for row in await self._pool.fetch(_ROLL):
            scopes[row["id"]], beats[row["id"]] = row["scopes"], row["beat"]
        self._note(beats)
        for struck in await self._strike():
            del scopes[struck]
        every = Counter(scope for wanted in scopes.values() for scope in wanted)
        before = Counter(scope for worker, wanted in scopes.items() if worker < self.worker for scope in wanted)
        return {scope: (workers, before[scope]) for scope, workers in every.items()}

    def patience(self) -> float:
        """Seconds until somebody may be struck off, unless he is heard of before that."""
        since = min((since for worker, (_, since) in self._beats.items() if worker != self.worker), default=None)
        return self._silence if since is None else since + self._silence - asyncio.get_running_loop().time()

    def _note(self, beats: dict[str, int]) -> None:
        """Since when each beat is as it is now; who is not there is forgotten."""
        now = asyncio.get_running_loop().time()
        if now - self._read_at >= self._silence:
            self._beats.clear()  # the database, or this process, was away: nobody could be heard of
        self._read_at = now
        known = self._beats
        self._beats = {
            worker: known[worker] if worker in known and known[worker][0] == beat else (beat, now)
            for worker, beat in beats.items()
        }

    async def _strike(self) -> Sequence[str]:
        """Who is struck off now; whoever was heard of in this very moment is not."""
        silent = {
            worker: beat
            for worker, (beat, since) in self._beats.items()
            if worker != self.worker and self._read_at - since >= self._silence
        }
        if not silent:
            return ()
        struck = [row["id"] for row in await self._pool.fetch(_STRIKE, list(silent), list(silent.values()))]
        _log.warning("Workers that were not heard of for %.1f s are taken for dead: %d.", self._silence, len(struck))
        return struck
