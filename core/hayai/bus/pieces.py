"""Pieces: what one listener of an ephemeral topic has not read yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MOST_UNREAD = 1024


class Pieces:
    """A queue that keeps the newest 1024 pieces for a listener that is slow: pieces are hints, not facts."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_MOST_UNREAD)

    def put(self, piece: bytes) -> None:
        """Add a piece; never waits."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(piece)

    async def read(self) -> AsyncIterator[bytes]:
        """The pieces as they come, without an end."""
        while True:
            yield await self._queue.get()
