"""Schedules: an event comes when it is due, once, and not at all once it is cancelled; on both engines."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

import hayai
from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import Unavailable
from hayai.testing.bus_schedules import A_WHILE, SchedulesContract, soon
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.testing.clock import MovableClock
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One server for the tests that leave it alive."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus, None]:
    """A bus with short waits, stopped afterwards."""
    bus = NatsBus(NatsSettings.model_validate({"url": server.url, "ack_wait": 2, "partitions": 3, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


class TestMemorySchedules(SchedulesContract):
    """SchedulesContract, in memory."""

    @pytest.fixture
    async def bus(self) -> AsyncIterator[MemoryBus]:
        """A bus of its own."""
        bus = MemoryBus()
        yield bus
        await bus.stop()

    @pytest.fixture
    async def restarted(self, bus: MemoryBus) -> AsyncIterator[Callable[[], Awaitable[MemoryBus]]]:
        """Another bus on the log of one that died."""
        later = MemoryBus(log=bus.log)

        async def restarted() -> MemoryBus:
            await bus.crash()
            return later

        yield restarted
        await later.stop()


class TestNatsSchedules(SchedulesContract):
    """SchedulesContract, on JetStream."""

    @pytest.fixture
    async def bus(self, server: NatsServer) -> AsyncIterator[NatsBus]:
        """A started bus."""
        async with started(server) as bus:
            yield bus

    @pytest.fixture
    async def restarted(self, bus: NatsBus, server: NatsServer) -> AsyncIterator[Callable[[], Awaitable[NatsBus]]]:
        """Another bus on the server, which was killed and started again."""
        async with AsyncExitStack() as stack:

            async def restarted() -> NatsBus:
                await bus.stop()
                died = server.kill()
                server.restart()  # in this thread, with which it ends: other tests need it too
                assert server.server_id != died
                return await stack.enter_async_context(started(server))

            yield restarted


async def test_the_memory_bus_goes_by_its_own_clock() -> None:
    """A test moves the clock and settles; in the order of their times, and nothing before."""
    clock = MovableClock()
    bus, ears = MemoryBus(clock=clock), Ears()
    await ears.listen(bus)
    for hours in (3, 1, 2):
        at = clock() + timedelta(hours=hours)
        await bus.publish_at(BellRung(number=hours), at, tenant="acme", schedule=f"s{hours}", key="k")
    for hours in range(3):
        await bus.settle()
        assert ears.numbers == list(range(1, hours + 1))
        clock.advance(timedelta(hours=1))
    await bus.settle()
    assert ears.numbers == [1, 2, 3]
    await bus.stop()


async def test_schedules_survive_the_death_of_the_server() -> None:
    """Of three the second is cancelled with an event; killed and away when they are due, it gives the others later."""
    with NatsServer() as server:
        async with started(server) as bus:
            bells, doors = Ears(), Ears()
            await bells.listen(bus)
            await doors.listen(bus, DoorOpened)
            for number in range(3):
                await bus.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule=f"s{number}")
            await bus.cancel("s1", tenant="acme", event=DoorOpened())
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(A_WHILE)
            await asyncio.to_thread(server.restart)
            await bells.until(2)
            await doors.until(1)
            await asyncio.sleep(A_WHILE)
            assert sorted(bells.numbers) == [0, 2]
            assert len(doors.events) == 1


async def test_what_came_due_waits_for_room_in_a_full_stream() -> None:
    """Nothing is dropped: it reaches its handler once somebody has made room."""
    with NatsServer() as server:
        async with started(server, max_bytes=4096) as bus:
            ears = Ears()
            await ears.listen(bus)
            with pytest.raises(Unavailable, match="no room"):
                await asyncio.gather(*(bus.publish(DoorOpened(number=n), tenant="acme") for n in range(30)))
            await bus.publish_at(BellRung(number=1, who="x" * 600), soon(bus), tenant="acme", schedule="s")
            await asyncio.sleep(A_WHILE)
            assert ears.events == []
            await _call(server, "STREAM.PURGE.EVENTS", {})
            await ears.until(1)


async def test_a_script_outside_schedules_and_cancels(server: NatsServer) -> None:
    """With the streams as the house made them."""
    ears = Ears()
    async with started(server) as bus, hayai.connect(server.url) as script:
        await ears.listen(bus)
        for number in (1, 2):
            await script.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule=f"o{number}")
        await script.cancel("o1", tenant="acme")
        await ears.until(1)
        await asyncio.sleep(A_WHILE)
        assert ears.numbers == [2]


async def test_without_the_stream_of_schedules_the_sentence_says_so() -> None:
    """At the deadline, as for any server that does not answer."""
    with NatsServer() as server:
        async with started(server, publish_deadline=0.5) as bus:
            await _call(server, "STREAM.DELETE.SCHEDULES", {})
            with pytest.raises(Unavailable, match="has the stream SCHEDULES, which Hayai creates"):
                await bus.publish_at(BellRung(), soon(bus), tenant="acme", schedule="s")


async def _call(server: NatsServer, verb: str, request: dict[str, Any]) -> None:
    client = Client()
    await client.connect(server.url)
    answer = json.loads((await client.request(f"$JS.API.{verb}", json.dumps(request).encode(), timeout=5)).data)
    await client.close()
    assert "error" not in answer, answer
