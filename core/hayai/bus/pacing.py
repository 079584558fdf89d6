"""Pacing: this process writes into the ledger how long its handlers took in about the last hour."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.ledger.pace import Pace, write_paces
from hayai.telemetry.histogram import less
from hayai.tokens import fresh

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from hayai.pools import Pool

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 15.0
_TURN_SECONDS = 1800.0
"""What is written reaches back one to two turns."""


class Pacing:
    """Works from start() to stop(); `pool` is one of the role "ledger"."""

    def __init__(self, pool: Pool, bus: Bus, *, every: float = _EVERY_SECONDS, turn: float = _TURN_SECONDS) -> None:
        self._pool, self._bus = pool, bus
        self._every, self._turn = every, turn
        self._process = fresh()
        self._before: deque[dict[str, Pace]] = deque([{}], maxlen=2)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Write now and then."""
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._forget())]

    async def stop(self) -> None:
        """Stop; what was written stays for an hour."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(self._turn)
            self._before.append(self._counted())

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.write()
            except Exception as wrong:  # noqa: BLE001 - whatever it is, the next round may do better
                _log.warning("How long handlers take could not be written down: %s", explained(wrong))

    async def write(self) -> None:
        """Write what there is to say. Raises Unavailable."""
        before = self._before[0]
        paces = {name: _since(before.get(name, Pace()), pace) for name, pace in self._counted().items()}
        if tried := {name: pace for name, pace in paces.items() if pace.attempts}:
            await write_paces(self._pool, self._process, tried)

    def _counted(self) -> dict[str, Pace]:
        """Everything since the process began."""
        return {
            name: Pace(meter.durations, sum(each.failed for each in meter.tenants.values()))
            for name, meter in self._bus.meters.handlers.items()
        }


def _since(before: Pace, now: Pace) -> Pace:
    return Pace(less(now.durations, before.durations), now.failed - before.failed)
