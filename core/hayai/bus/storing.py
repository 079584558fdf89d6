"""Storing: this process learns every few seconds how many bytes the stream keeps of each tenant, for their limits."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.bus.streams import EVENTS
from hayai.ledger.stored import stored_bytes

if TYPE_CHECKING:
    from hayai.bus.nats import NatsBus
    from hayai.pools import Pool

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 5.0


class Storing:
    """Works from start() to stop() for the limits of `bus`, where anybody's bytes are limited.

    `pool` is one of the role "ledger". While bus or ledger cannot be asked, what was said last goes on to hold.
    """

    def __init__(self, bus: NatsBus, pool: Pool, *, every: float = _EVERY_SECONDS) -> None:
        self._bus, self._pool, self._every = bus, pool, every
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn it now, and then again and again. Raises Unavailable."""
        if self._bus.limits.settings.limits_stored:
            await self.look()
            self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def look(self) -> None:
        """Learn it now. Raises Unavailable."""
        self._bus.limits.stored = await stored_now(self._bus, self._pool)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception as wrong:  # noqa: BLE001 - whatever it is, the next time it may be well
                _log.warning("How much is stored of each tenant could not be learnt: %s", explained(wrong))


async def stored_now(bus: NatsBus, pool: Pool) -> dict[str, int]:
    """The bytes that the stream of events keeps of each tenant; the day of its oldest event counts whole.

    So what the stream let go of from its beginning is not counted, by age or since somebody purged it, and a stream
    that was made anew holds nothing of the one before. Raises Unavailable.
    """
    stream = await bus.jetstream.stream(EVENTS.name)
    if stream is None or not stream["state"]["messages"]:
        return {}
    since = date.fromisoformat(stream["state"]["first_ts"][:10])
    return await stored_bytes(pool, EVENTS.name, born=str(stream["created"]), since=since)
