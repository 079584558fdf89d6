"""Lanes: one item of a key at a time, in order, and many keys at once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from hayai.bus.explain import explained

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
_CANCEL_GRACE = 1.0
_DEFECT_DELAY = 1.0

T = TypeVar("T")


class Lanes(Generic[T]):
    """Works items off: those of one key one after another, those of up to `concurrency` keys at once.

    `work(item)` returns None when the item is done with, or the seconds after which it wants to be worked on again;
    meanwhile its lane waits, and its place among the `concurrency` is free for another key.
    """

    def __init__(self, work: Callable[[T], Awaitable[float | None]], *, concurrency: int) -> None:
        self._work = work
        self._lanes: dict[str, deque[T]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(concurrency)
        self._closing = asyncio.Event()
        # A lane must not inherit the context of whoever put the first item: a database transaction may be open there.
        self._context = copy_context()

    def put(self, key: str, item: T) -> None:
        """Queue `item` behind the others of its key; never waits."""
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(item)
            return
        self._lanes[key] = deque([item])
        self._start(key)

    def halt(self) -> None:
        """Start nothing more; what is put from now on is only kept for close()."""
        self._closing.set()

    async def close(self, seconds: float) -> list[T]:
        """Start nothing more, wait for what runs at most `seconds`, cancel the rest; what is unfinished, in order."""
        self.halt()
        running = list(self._tasks.values())
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_CANCEL_GRACE)
        return [item for lane in self._lanes.values() for item in lane]

    def _start(self, key: str) -> None:
        if not self._closing.is_set():
            self._tasks[key] = asyncio.create_task(self._run(key), context=self._context.copy())

    async def _run(self, key: str) -> None:
        lane = self._lanes[key]
        try:
            while lane and not self._closing.is_set():
                again = await self._once(lane[0])
                if again is None:
                    lane.popleft()
                else:
                    await self._pause(again)
        finally:
            del self._tasks[key]
            if not lane:
                del self._lanes[key]
            elif not self._closing.is_set():  # the work cancelled its own task; no other leaves a lane like this
                asyncio.get_running_loop().call_later(_DEFECT_DELAY, self._start, key)

    async def _once(self, item: T) -> float | None:
        async with self._slots:
            if self._closing.is_set():
                return 0.0
            try:
                return await self._work(item)
            except Exception as defect:  # noqa: BLE001 - a defect of ours must not stop the lane; the item stays
                _log.error("A lane's work failed outside of its handler and is tried again: %s", explained(defect))
                return _DEFECT_DELAY

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
