"""A loop that stands still is noticed, and the handler that holds it is named with its line."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from hayai.bus.memory import MemoryBus
from hayai.handlers import Handlers
from hayai.runtime.watch import Blocked, Watch
from hayai.testing.bus_words import BellRung
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import pytest

    from hayai.handlers import Context

handlers = Handlers("watched")


def _wait(seconds: float) -> None:
    """As a library does that knows nothing of the loop."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def wrapped(handler: Callable[..., Any]) -> Callable[..., Any]:
    """As a decorator does."""

    @wraps(handler)
    async def outside(event: BellRung, context: Context) -> None:
        await handler(event, context)

    return outside


@handlers.on(BellRung)
@wrapped
async def dawdle(event: BellRung, _context: Context) -> None:
    """Block the loop for a second, in what it calls."""
    if event.number == 1:
        _wait(1)
    await asyncio.sleep(1)


@asynccontextmanager
async def watching() -> AsyncGenerator[list[Blocked]]:
    """What is told while it watches."""
    told: list[Blocked] = []
    watch = Watch(handlers, tell=told.append)
    await watch.start()
    yield told
    await watch.stop()


async def test_a_handler_that_blocks_is_named_with_its_line_and_the_innermost_one() -> None:
    """Behind a decorator too; once for the whole time that it blocks."""
    bus = MemoryBus()
    (subscription,) = handlers
    await bus.subscribe(subscription, Tier({}))
    async with watching() as told:
        await bus.publish(BellRung(number=1), tenant="acme")
        await bus.settle()
    (blocked,) = told
    assert blocked.handler == "watched_dawdle"
    assert blocked.places[0].startswith("test_hayai_runtime_watch.py:")
    assert blocked.places[0].endswith(" in dawdle")
    assert blocked.places[1].endswith(" in _wait")
    assert "asyncio.to_thread" in str(blocked)
    await bus.stop()


async def test_a_handler_that_waits_as_it_should_is_left_in_peace() -> None:
    """However long it takes."""
    bus = MemoryBus()
    (subscription,) = handlers
    await bus.subscribe(subscription, Tier({}))
    async with watching() as told:
        await bus.publish(BellRung(number=2), tenant="acme")
        await bus.settle()
    assert told == []
    await bus.stop()


async def test_what_blocks_outside_of_all_handlers_is_told_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    """By its line alone; and that it goes on, afterwards."""
    with caplog.at_level("INFO"):
        watch = Watch([])
        await watch.start()
        await asyncio.sleep(0)
        _wait(1)
        begun = time.monotonic()
        while "turns again" not in caplog.text:
            assert time.monotonic() - begun < 10
            await asyncio.sleep(0.01)
        await watch.stop()
    assert "Something outside of all handlers blocks the event loop" in caplog.text
    assert " in _wait" in caplog.text


async def test_a_watch_that_never_began_stops() -> None:
    """As the rest of an install that failed at its start."""
    await Watch([]).stop()
