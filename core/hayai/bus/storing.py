"""Storing: this process learns every few seconds how many bytes the stream keeps of each tenant, for their limits."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.bus.streams import EVENTS
from hayai.ledger.stored import stored_bytes

if TYPE_CHECKING:
    from hayai.limits import Limits
    from hayai.pools import Pool

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 5.0


class Storing:
    """Works from start() to stop(), where anybody's bytes are limited; `max_age_days` is the stream's.

    `pool` is one of the role "ledger". While the ledger cannot be asked, what it said last goes on to hold.
    """

    def __init__(self, pool: Pool, limits: Limits, *, max_age_days: float, every: float = _EVERY_SECONDS) -> None:
        self._pool, self._limits = pool, limits
        self._max_age_days, self._every = max_age_days, every
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn it now, and then again and again. Raises Unavailable."""
        if self._limits.settings.limits_stored:
            await self.look()
            self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def look(self) -> None:
        """Learn it now. Raises Unavailable."""
        self._limits.stored = await stored_bytes(self._pool, EVENTS.name, max_age_days=self._max_age_days)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception as wrong:  # noqa: BLE001 - whatever it is, the next time it may be well
                _log.warning("How much is stored of each tenant could not be learnt: %s", explained(wrong))
