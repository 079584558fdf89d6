"""Bookmarks: how far each handler has come, kept in the ledger in case the server loses it.

A consumer that is lost while a process is at work there is made again from what the process knows. Where nobody was,
the bookmark says where to go on: a little early, since it is written now and then; the inbox tells what was done.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hayai.bus.explain import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.bus.post import Post
    from hayai.ledger.places import Place, Places

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 5.0


class Bookmarks:
    """Keeps the places of all `posts` from start() to stop(); without a ledger's `places` nothing is kept or found."""

    def __init__(self, posts: Mapping[str, Post], places: Places | None) -> None:
        self._posts = posts
        self._places = places
        self._kept: dict[str, Place] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep them."""
        if self._places is not None and self._task is None:
            self._task = asyncio.create_task(self._work(self._places))

    async def stop(self) -> None:
        """Keep no more; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def find(self, name: str) -> Place | None:
        """The place of the consumer of that name; None where nobody was ever at work. Raises Unavailable."""
        return None if self._places is None else await self._places.find(name)

    async def keep(self, name: str, place: Place) -> None:
        """Remember the place of one consumer now. Raises Unavailable."""
        if self._places is not None:
            await self._places.keep({name: place})

    async def _work(self, places: Places) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            now = {name: place for post in list(self._posts.values()) for name, place in post.places()}
            moved = {name: place for name, place in now.items() if self._kept.get(name) != place}
            try:
                if moved:
                    await places.keep(moved)
                self._kept = now
            except Exception as wrong:  # noqa: BLE001 - whatever it is, the next time it may be well
                _log.warning("How far handlers have come could not be kept: %s", explained(wrong))
