"""Lanes: one item of a key at a time, in order, and many keys at once.

Keys that have something to do stand in one queue, and a few tasks take turns at it: a key is served once and goes to
the end, so that no key with a long lane keeps the others waiting, and no task is made for each item. As soon as there
are keys of several tenants, the tenants take turns, and none has all of the places.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from hayai.bus.explain import explained
from hayai.bus.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
_CANCEL_GRACE = 1.0
_DEFECT_DELAY = 1.0
_MOST_RESTING = 2
"""Tasks that stay for the next item when there is nothing to do; the others end."""

PARKED: Final = -1.0
"""What work returns when somebody else will say through resume() how the item ended."""

_KEPT_FREE = 4
"""One place in so many is never the same tenant's as the others."""

K = TypeVar("K", bound=Sequence[str])
"""A key whose first word is the tenant."""
T = TypeVar("T")


class Lanes(Generic[K, T]):
    """Works items off: those of one key one after another, those of up to `concurrency` keys at once.

    `work(item)` returns None when the item is done with, the seconds after which it wants to be worked on again, or
    PARKED. Meanwhile its lane waits, and its place among the `concurrency` is free for another key. One tenant has at
    most `most_of_one(tenant)` of the places; where that is not said, all of them until a second tenant comes.
    """

    def __init__(
        self,
        work: Callable[[T], Awaitable[float | None]],
        *,
        concurrency: int,
        most_of_one: Callable[[str], int] | None = None,
    ) -> None:
        self._work = work
        self._concurrency = concurrency
        self._lanes: dict[K, deque[T]] = {}
        self._ready: deque[K] | Turns[K] = deque()
        self._tenant: str | None = None
        self._turns: Turns[K] | None = None
        self._most_of_one = most_of_one or self._all_but_a_few
        if most_of_one:
            self._take_turns_fairly()
        self._under_way = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._resting: list[asyncio.Future[None]] = []
        self._stirred = False
        self._closing = False
        self._ended: asyncio.Future[None] | None = None
        # A worker must not inherit the context of whoever put the first item: a transaction may be open there.
        self._context = copy_context()

    def put(self, key: K, item: T) -> None:
        """Queue `item` behind the others of its key; never waits."""
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(item)
            return
        self._lanes[key] = deque((item,))
        if key[0] != self._tenant and self._turns is None:
            self._meet(key[0])
        self._ready.append(key)
        if not self._stirred:
            self._stir()

    def length(self, key: K) -> int:
        """How many items of `key` are here, the one included that is at work."""
        lane = self._lanes.get(key)
        return 0 if lane is None else len(lane)

    def resume(self, key: K, again: float | None) -> None:
        """Say how a parked item ended: None when it is done with, else the seconds until its next try."""
        self._under_way -= 1
        self._after(key, again)
        if self._closing and not self._under_way:
            self._tell_the_end()

    def halt(self) -> None:
        """Start nothing more; what is put from now on is only kept for close()."""
        self._closing = True
        for resting in self._resting:
            if not resting.done():
                resting.set_result(None)

    async def close(self, seconds: float) -> list[T]:
        """Start nothing more, wait for what runs at most `seconds`, cancel the rest; what is unfinished, in order."""
        self.halt()
        if self._under_way:
            if self._ended is None:  # it may be closed again, in more of a hurry
                self._ended = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._ended}, timeout=seconds)
        for worker in self._workers:
            worker.cancel()
        if self._workers:
            await asyncio.wait(set(self._workers), timeout=_CANCEL_GRACE)
        return [item for lane in self._lanes.values() for item in lane]

    def _all_but_a_few(self, tenant: str) -> int:  # noqa: ARG002 - the same for each
        return max(1, self._concurrency - self._concurrency // _KEPT_FREE)

    def _meet(self, tenant: str) -> None:
        """A tenant comes: with the second one it begins to matter whose turn it is."""
        if self._tenant is not None:
            self._take_turns_fairly()
        self._tenant = tenant

    def _take_turns_fairly(self) -> None:
        self._ready = self._turns = Turns(self._ready, most=self._most_of_one)

    def _stir(self) -> None:
        """See to it that somebody looks at what is ready: one more task each turn of the loop, however much arrives."""
        if self._closing or self._stirred:
            return
        if self._resting:
            self._stirred = True
            self._resting.pop().set_result(None)
        elif len(self._workers) < self._concurrency:
            self._stirred = True
            worker = asyncio.create_task(self._serve(), context=self._context.copy())
            self._workers.add(worker)
            worker.add_done_callback(self._dismiss)

    def _dismiss(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if self._ready:
            self._stir()

    async def _serve(self) -> None:
        """Take turns at what is ready, until there is nothing to do for so many of us."""
        while True:
            self._stirred = False
            await self._take_turns()
            if copy_context() != self._context:  # a handler left something behind that is not the next one's
                return
            if self._closing or len(self._resting) >= _MOST_RESTING:
                return
            resting = asyncio.get_running_loop().create_future()
            self._resting.append(resting)
            await resting

    async def _take_turns(self) -> None:
        """One try of the first item of each key that is ready, until none is, or this task is not fit for another."""
        while self._ready and not self._closing and copy_context() == self._context:
            turns, key = self._turns, self._ready.popleft()
            if self._ready and not self._stirred:
                self._stir()  # should this handler wait for something, another task goes on with the next key
            self._under_way += 1
            again: float | None = _DEFECT_DELAY
            try:
                again = await self._work(self._lanes[key][0])
            except Exception as defect:  # noqa: BLE001 - a defect of ours must not stop the lane; the item stays
                _log.error("A lane's work failed outside of its handler and is tried again: %s", explained(defect))
            finally:  # also when the work cancelled its own task: the next try is another task's
                if turns is not None:
                    turns.done(key)
                if again != PARKED:
                    self.resume(key, again)

    def _after(self, key: K, again: float | None) -> None:
        lane = self._lanes[key]
        if again:
            asyncio.get_running_loop().call_later(again, self._due, key)
            return
        if again is None:
            lane.popleft()
        if lane:
            self._due(key)
        else:
            del self._lanes[key]

    def _due(self, key: K) -> None:
        self._ready.append(key)
        if not self._stirred:
            self._stir()

    def _tell_the_end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
