"""Work within its time is as if it had been awaited; work beyond it is cancelled and said to be overdue."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from hayai.bus.timekeeper import Overdue, Timekeeper

_word: ContextVar[str] = ContextVar("_word", default="")


async def answer(*pauses: float) -> int:
    """Wait that often, then 42."""
    for pause in pauses:
        await asyncio.sleep(pause)
    return 42


@pytest.mark.parametrize("pauses", [(), (0,), (0, 0.01, 0)])
async def test_what_ends_in_time_gives_its_result(pauses: tuple[float, ...]) -> None:
    """Whether it waits for nothing, for a turn of the loop, or for several things."""
    assert await Timekeeper(5).within(answer(*pauses)) == 42


async def test_what_takes_too_long_is_cancelled_and_overdue() -> None:
    """It hears of it as a cancellation, and may tidy up; its task goes on unharmed."""
    tidied = False

    async def linger() -> None:
        nonlocal tidied
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            tidied = True

    keeper = Timekeeper(0.02)
    with pytest.raises(Overdue):
        await keeper.within(linger())
    assert tidied
    assert await keeper.within(answer(0.001)) == 42


async def test_what_goes_on_after_its_time_and_ends_well_has_ended_well() -> None:
    """Whoever swallows the cancellation is not overdue, and his task is not cancelled later either."""

    async def stay() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
        return "there"

    assert await Timekeeper(0.02).within(stay()) == "there"
    await asyncio.sleep(0)


@pytest.mark.parametrize("pauses", [(), (0.001,)])
async def test_a_timeout_of_the_works_own_stays_its_own(pauses: tuple[float, ...]) -> None:
    """Before it waits for anything, and after."""

    async def fail() -> None:
        await answer(*pauses)
        raise TimeoutError("A server did not answer.")

    with pytest.raises(TimeoutError, match="A server"):
        await Timekeeper(5).within(fail())


async def test_a_cancellation_from_outside_is_passed_on() -> None:
    """Also where the time is over in the same moment."""
    task = asyncio.create_task(Timekeeper(5).within(answer(60)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_work_runs_in_the_callers_context() -> None:
    """What it sets before and behind its first wait is seen outside, as with an await."""

    async def say() -> None:
        _word.set("one")
        await asyncio.sleep(0)
        _word.set(_word.get() + " two")

    await Timekeeper(5).within(say())
    assert _word.get() == "one two"


async def test_work_that_is_given_up_is_closed() -> None:
    """Its `finally` runs when the coroutine that waits for it is closed."""
    closed = False

    async def wait() -> None:
        nonlocal closed
        try:
            await asyncio.Event().wait()
        finally:
            closed = True

    keeping = Timekeeper(5).within(wait())
    keeping.send(None)
    keeping.close()
    assert closed
