"""Shares: which partitions this process works in, by the leases that workers hold in the ledger.

Without a ledger there are no leases: the process works in every partition, and others that do so too take turns with
it at single events, as the server hands them out.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai.ledger.leases import Changes
from hayai.ledger.outcome import Fence

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from hayai.bus.post import Post
    from hayai.ledger.leases import Leases
    from hayai.ledger.ledger import Ledger

_LEAVING_SECONDS = 5.0
"""How long what runs may go on in a partition that another worker shall have."""


class Shares:
    """Staffs posts in the partitions that this process holds, and follows the leases as they come and go."""

    def __init__(self, partitions: int, posts: Mapping[str, Post], ledger: Ledger | None) -> None:
        self._partitions = range(partitions)
        self._posts = posts
        self._ledger = ledger
        self._leases: Leases | None = None
        self._fences: dict[int, Fence] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Ask for a share. Raises Unavailable."""
        if self._ledger is not None:
            names = {_name(each): each for each in self._partitions}
            changes = Changes(
                acquired=lambda name, epoch: self._acquired(names[name], Fence(name, epoch)),
                releasing=lambda name: self._releasing(names[name]),
                lost=lambda name: self._lost(names[name]),
            )
            self._leases = self._ledger.leases(list(names), changes)
            await self._leases.start()

    async def stop(self) -> None:
        """Give every lease back."""
        leases, self._leases = self._leases, None
        if leases is not None:
            await leases.stop()
        for task in self._tasks:
            task.cancel()

    async def staff(self, post: Post) -> None:
        """Let `post` work in every partition that is ours. Raises HandlerMisdeclared, Unavailable."""
        if self._ledger is None:
            await asyncio.gather(*(post.take(each) for each in self._partitions))
        else:
            await asyncio.gather(*(post.take(each, fence) for each, fence in self._fences.items()))

    def _acquired(self, partition: int, fence: Fence) -> None:
        self._fences[partition] = fence
        for post in self._posts.values():
            self._start(post.take_soon(partition, fence))

    async def _releasing(self, partition: int) -> None:
        """Leave in good order before the lease is given to somebody else."""
        self._fences.pop(partition, None)
        await asyncio.gather(*(each.leave(partition, seconds=_LEAVING_SECONDS) for each in self._posts.values()))

    def _lost(self, partition: int) -> None:
        self._fences.pop(partition, None)
        for post in self._posts.values():
            self._start(post.abandon(partition))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _name(partition: int) -> str:
    return f"partition-{partition}"
