"""Timekeeper: cancels what takes too long, with one timer for many tasks: one for each event would cost too much."""

from __future__ import annotations

import asyncio
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

T = TypeVar("T")


class Overdue(Exception):
    """The time was over."""


class Timekeeper:
    """Lets work take at most `seconds`, each within its own task."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: dict[asyncio.Task[object], float] = {}
        self._overdue: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` comes to. Raises Overdue once its time is over, and whatever it raises itself.

        Its first step is done here: what comes to its end in it, as many handlers do, waits for nothing and needs no
        time to be kept.
        """
        try:
            awaited = work.send(None)
        except StopIteration as done:
            return cast("T", done.value)
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._begin(task)
        try:
            return await _rest(work, awaited)
        except asyncio.CancelledError:
            if not self._end(task) or task.cancelling():
                raise
            raise Overdue from None
        finally:
            self._end(task)

    def _begin(self, task: asyncio.Task[object]) -> None:
        """Cancel `task` once its time is over, unless _end() comes first."""
        loop = asyncio.get_running_loop()
        self._deadlines[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    def _end(self, task: asyncio.Task[object]) -> bool:
        """Let go of `task`; whether it was cancelled here, which this takes back."""
        self._deadlines.pop(task, None)
        if task not in self._overdue:
            return False
        self._overdue.remove(task)
        task.uncancel()
        return True

    def _look(self) -> None:
        """Cancel who is over the time. All have the same time, so the first to have begun is the first to be over."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        for task, deadline in list(self._deadlines.items()):
            if deadline > now:
                self._timer = loop.call_at(deadline, self._look)
                return
            del self._deadlines[task]
            self._overdue.add(task)
            task.cancel()


@coroutine
def _rest(work: Coroutine[Any, Any, T], awaited: object) -> Generator[Any, Any, T]:
    """The rest of `work`, which has begun and waits for what is `awaited`."""
    try:
        while True:
            try:
                told = yield awaited
            except GeneratorExit:
                work.close()
                raise
            except BaseException as thrown:  # noqa: BLE001 - a cancellation is the work's to see
                awaited = work.throw(thrown)
            else:
                awaited = work.send(told)
    except StopIteration as done:
        return cast("T", done.value)
