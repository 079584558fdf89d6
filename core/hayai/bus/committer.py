"""Committer: what handlers came to is committed together, as much as has come up while the last commit was on its way.

A lone event is committed at once; under load a commit carries hundreds, which costs the database little more than one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.errors import Fenced, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hayai.ledger.outcome import Outcome

    Commit = Callable[[Sequence[Outcome]], Awaitable[object]]
    Done = Callable[[Exception | None], Awaitable[None]]

_log = logging.getLogger(__name__)
_MOST = 200
_AT_ONCE = 2
"""Commits under way at once: the next batch is written while the last one is made durable."""


class Committer:
    """Commits outcomes; `done` is told of each whether it stands, with None, or why it does not."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: deque[tuple[Outcome, Done]] = deque()
        self._working = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, outcome: Outcome, done: Done) -> None:
        """Commit `outcome` with the next batch; never waits."""
        self._waiting.append((outcome, done))
        if self._working < _AT_ONCE and len(self._waiting) == 1:
            self._working += 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:
            _log.error("A commit failed outside of the ledger: %s", explained(wrong))

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
                await self._try(batch)
        finally:
            self._working -= 1

    async def _try(self, batch: list[tuple[Outcome, Done]]) -> None:
        """Commit all of `batch`; where that fails, each alone, so that one cannot hold up the others."""
        wrong: Exception | None = None
        try:
            await self._commit([outcome for outcome, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is those outcomes' and must be told
            wrong = error
        if wrong is not None and len(batch) > 1 and not _is_everybodys(wrong):
            for each in batch:
                await self._try([each])
            return
        for _, done in batch:
            try:
                await done(wrong)
            except Exception as defect:  # noqa: BLE001 - one that cannot hear it must not leave the others in the dark
                _log.error("An event cannot be told what became of its outcome: %s", explained(defect))


def _is_everybodys(wrong: Exception) -> bool:
    """Whether it is the database's own trouble, which another try of each outcome alone would only meet again."""
    return isinstance(wrong, TransientError) and not isinstance(wrong, Fenced)
