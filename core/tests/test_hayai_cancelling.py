"""A cancellation that comes together with a result ends the task, over asyncio.wait_for() and over nats-py."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from hayai.bus.connection import Connection
from hayai.cancelling import heeded
from hayai.testing.servers import NatsServer


async def over_wait_for(answer: asyncio.Future[str]) -> str:
    """As nats-py waits for an answer."""
    return await heeded(asyncio.wait_for(answer, 10))


async def test_a_cancellation_with_the_result_is_heeded() -> None:
    """Where wait_for() alone gives the result and forgets it."""
    answer = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(over_wait_for(answer))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    answer.set_result("answered")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_of_before_is_no_matter() -> None:
    """What tidies up after its own cancellation may ask and be answered."""

    async def tidies() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        answer = asyncio.get_running_loop().create_future()
        answer.set_result("answered")
        return await over_wait_for(answer)

    task = asyncio.create_task(tidies())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "answered"


async def test_a_timeout_around_it_is_a_timeout() -> None:
    """And no cancellation of the task."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await heeded(asyncio.Event().wait())


async def test_a_task_that_asks_the_server_over_and_over_ends_when_it_is_cancelled() -> None:
    """At whatever instant: each of three hundred, cancelled within its first answers."""
    with NatsServer() as server:
        connection = Connection(server.url)
        await connection.start(10)

        async def ask() -> None:
            while True:
                await connection.ask("$JS.API.INFO", b"", headers={}, seconds=5)

        for number in range(300):
            task = asyncio.create_task(ask())
            await asyncio.sleep(number % 7 / 2000)
            task.cancel()
            _, going_on = await asyncio.wait({task}, timeout=5)
            assert not going_on, f"task {number} swallowed its cancellation"
        await connection.stop()
