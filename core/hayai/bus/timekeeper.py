"""Timekeeper: cancels what takes too long, with one timer for many tasks: one for each event would cost too much."""

from __future__ import annotations

import asyncio


class Timekeeper:
    """Tasks that may take at most `seconds` each, from begin() to end()."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: dict[asyncio.Task[object], float] = {}
        self._overdue: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: asyncio.Task[object]) -> None:
        """Cancel `task` once its time is over, unless end() comes first."""
        loop = asyncio.get_running_loop()
        self._deadlines[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    def end(self, task: asyncio.Task[object]) -> bool:
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
