"""Cancelling: a task that is cancelled while a library waits in asyncio.wait_for() ends, and does not go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


async def heeded(work: Awaitable[T]) -> T:
    """The result of `work`; raises CancelledError where this task was cancelled in the meantime, result or not.

    Before Python 3.12, asyncio.wait_for() swallows a cancellation that comes in the same turn of the loop as the
    result (https://github.com/python/cpython/issues/86296), and nats-py waits in it: a loop over such a call would
    go on for ever after its cancel(). Our own code says asyncio.timeout(), which has no such hole.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    result = await work
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return result
