"""Gate: events whose outcome the ledger has already are told from the others before a handler sees them.

Whatever has arrived while the last question was on its way is asked about in one; the order stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from hayai.bus.explain import explained

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hayai.bus.received import NatsMessage

    Seen = Callable[[Sequence[tuple[str, str]]], Awaitable[set[tuple[str, str]]]]
    """Which events, given as (tenant, id), have an outcome. Raises Unavailable."""
    Enter = Callable[[NatsMessage], None]

_log = logging.getLogger(__name__)
_MOST = 500
_PAUSE = 0.5


class Gate:
    """Messages go in by put() and come out in order through `enter`; those whose outcome stands are acknowledged."""

    def __init__(self, seen: Seen, enter: Enter) -> None:
        self._seen = seen
        self._enter = enter
        self._waiting: deque[NatsMessage] = deque()
        self._task: asyncio.Task[None] | None = None
        self._open = True

    def put(self, message: NatsMessage) -> None:
        """Ask about `message` with the next question; never waits."""
        self._waiting.append(message)
        if self._task is None and self._open:
            self._task = asyncio.create_task(self._work())

    def close(self) -> None:
        """Let nothing more through."""
        self._open = False
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._ask(min(_MOST, len(self._waiting)))
        finally:
            self._task = None

    async def _ask(self, count: int) -> None:
        claimed = [self._waiting[each].claimed() for each in range(count)]
        try:
            known = await self._seen([each for each in claimed if each[1]])
        except Exception as wrong:  # noqa: BLE001 - whatever it is, what waits here must not wait for ever
            _log.warning("The ledger cannot say what is handled already, and is asked again: %s", explained(wrong))
            await asyncio.sleep(_PAUSE)
            return
        for event in claimed:
            message = self._waiting.popleft()
            if event in known:
                await message.ack()
            else:
                self._enter(message)
