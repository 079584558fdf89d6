"""Shares: which partitions this process works in, by the leases that workers hold in the ledger.

Without a ledger there are no leases: the process works in every partition, and others that do so too take turns with
it at single events, as the server hands them out.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.ledger.leases import Changes
from hayai.ledger.outcome import Fence

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from hayai.bus.post import Post
    from hayai.ledger.ledger import Ledger

_log = logging.getLogger(__name__)
_LEAVING_SECONDS = 5.0
"""How long what runs may go on in a partition that another worker shall have."""


class Shares:
    """Staffs posts in the partitions that this process holds, and follows the leases as they come and go.

    Each handler has leases of its own, since not every worker runs every handler.
    """

    def __init__(self, partitions: int, posts: Mapping[str, Post], ledger: Ledger | None) -> None:
        self._partitions = range(partitions)
        self._posts = posts
        changes = Changes(acquired=self._acquired, releasing=self._releasing, lost=self._lost)
        self._leases = ledger.leases([], changes) if ledger else None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to ask for a share. Raises Unavailable."""
        if self._leases is not None:
            await self._leases.start()

    async def stop(self, seconds: float) -> None:
        """Leave every partition, where what runs may finish for at most `seconds`, and give every lease back."""
        if self._leases is not None:
            self._leases.retire()  # a lease that is taken while we leave would be given back as if we had worked there
        left = await asyncio.gather(*(each.drain(seconds) for each in self._posts.values()))
        if self._leases is not None:
            in_order = zip(self._posts, left, strict=True)
            await self._leases.stop([f"{handler}/{each}" for handler, those in in_order for each in those])
        for task in self._tasks:
            task.cancel()

    async def staff(self, handler: str) -> None:
        """Let the post of `handler` work in every partition that is ours. Raises HandlerMisdeclared, Unavailable."""
        if self._leases is None:
            post = self._posts[handler]
            await asyncio.gather(*(post.take(each) for each in self._partitions))
        else:
            await self._leases.add([f"{handler}/{each}" for each in self._partitions])

    def are_ours(self, fence: Fence | None) -> bool:
        """Whether work under `fence` is ours to do at this moment; a process that was stopped may not know yet."""
        return fence is None or self._leases is None or self._leases.holds(fence.lease)

    async def confirm(self, fence: Fence | None) -> bool:
        """Whether work under `fence` is ours alone, by the database. Raises Unavailable."""
        if fence is None or self._leases is None:
            return False
        await self._leases.confirm()
        return self._leases.holds(fence.lease)

    def _acquired(self, name: str, epoch: int, orphaned: bool) -> None:  # noqa: FBT001 - Changes calls it so
        post, partition = self._place(name)
        if post is not None:
            self._start(post.take_soon(partition, Fence(name, epoch), orphaned=orphaned))

    async def _releasing(self, name: str) -> bool:
        """Leave before the lease is given to somebody else; whether that was in good order."""
        post, partition = self._place(name)
        return post is None or await post.leave(partition, seconds=_LEAVING_SECONDS)

    def _lost(self, name: str) -> None:
        post, partition = self._place(name)
        if post is not None:
            self._start(post.abandon(partition))

    def _place(self, name: str) -> tuple[Post | None, int]:
        handler, _, partition = name.rpartition("/")
        return self._posts.get(handler), int(partition)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:
            _log.error("A partition is held and not worked on: %s", explained(wrong))
