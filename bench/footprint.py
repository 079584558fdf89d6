"""Footprint: what a process costs that only stands there, and the memory of one that works a backlog off."""

from __future__ import annotations

import asyncio
import resource
import sys

import psutil

from bench.measure import Stopwatch

_SETTLING = 1.0
_MEGABYTE = 1e6


async def share(seconds: float) -> dict[str, float]:
    """The percentage of a core that this process takes over so many seconds, once it has settled."""
    await asyncio.sleep(_SETTLING)
    watch = Stopwatch()
    await asyncio.sleep(seconds)
    taken = watch.taken(1)
    return {"share": 100 * taken.processor / taken.seconds}


class Memory:
    """The memory of this process, looked at while `events` events come."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._come = 0
        self._half = 0.0
        self._all = asyncio.Event()

    def take(self) -> None:
        """One event has come."""
        self._come += 1
        if self._come == self._events // 2:
            self._half = _resident()
        if self._come == self._events:
            self._all.set()

    async def over(self) -> dict[str, float]:
        """The most that it was, and how much it grew over the second half of the events, in megabytes."""
        await self._all.wait()
        return {"most": _most(), "growth": _resident() - self._half}


def _resident() -> float:
    return psutil.Process().memory_info().rss / _MEGABYTE


def _most() -> float:
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes, and bytes on macOS
    return kept / _MEGABYTE if sys.platform == "darwin" else kept * 1024 / _MEGABYTE
