"""Many callers at once, on a real server: each event is stored once, and each caller hears what became of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from hayai.bus.combiner import Way
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.envelope import Envelope, decode
from hayai.errors import MessageTooLarge, Unavailable
from hayai.testing.bus_words import BellRung
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from hayai.ledger.outcome import Outgoing


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own, which waits for each write to its disk."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer, *, together: bool = True) -> AsyncGenerator[NatsBus]:
    """A bus that has learnt already which way is the quicker one."""
    bus = NatsBus(NatsSettings(url=server.url))
    bus._combiner._way = Way.TOGETHER if together else Way.ALONE
    await bus.start()
    yield bus
    await bus.stop()


def publish(bus: NatsBus, number: int, who: str = "") -> asyncio.Task[Envelope]:
    """An event of one of 50 keys, with an id that says its number."""
    event = BellRung(number=number, who=who)
    return asyncio.create_task(bus.publish(event, tenant="acme", key=f"k{number % 50}", id=f"bell{number}"))


async def stored(bus: NatsBus) -> list[int]:
    """The numbers of what is in the stream, in its order."""
    found = await bus.jetstream.stream("EVENTS")
    assert found is not None
    bodies = [await bus.jetstream.body("EVENTS", each + 1) for each in range(found["state"]["last_seq"])]
    return [int(decode(body).data["number"]) for body in bodies if body]


def batches_of(bus: NatsBus) -> list[int]:
    """Filled with the size of each batch from now on."""
    sizes: list[int] = []
    together = bus._combiner._batches.together

    async def watched(members: list[Outgoing]) -> bool:
        sizes.append(len(members))
        return await together(members)

    bus._combiner._batches.together = watched  # type: ignore[method-assign,assignment]
    return sizes


async def test_what_comes_at_once_is_combined(server: NatsServer) -> None:
    """A few go at once, the others in few batches; all are stored, once, and in order."""
    async with started(server) as bus:
        sizes = batches_of(bus)
        await asyncio.gather(*(publish(bus, number) for number in range(600)))
        numbers = await stored(bus)
        assert sorted(numbers) == list(range(600))
        assert sum(sizes) > 500
        assert len(sizes) < 12
        assert [each for each in numbers if each % 50 == 7] == list(range(7, 600, 50))


async def test_whoever_is_alone_waits_for_nobody(server: NatsServer) -> None:
    """One after the other, none is in a batch."""
    async with started(server) as bus:
        sizes = batches_of(bus)
        for number in range(20):
            await publish(bus, number)
        assert (await stored(bus), sizes) == (list(range(20)), [])


async def test_the_quicker_way_is_found_under_load() -> None:
    """Where each write is waited for it is the batch; each way was tried."""
    with NatsServer() as server:
        async with started(server, together=False) as bus:

            async def caller(first: int) -> None:
                for number in range(first, 6000, 200):
                    await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")

            await asyncio.gather(*map(caller, range(200)))
            seconds = bus._combiner._ways.seconds
            assert 0 < seconds[Way.TOGETHER] < seconds[Way.ALONE]
            assert bus._combiner._way is Way.TOGETHER


async def test_an_event_too_large_is_its_own_callers_trouble(server: NatsServer) -> None:
    """Whether it is found here or by the server in the middle of a batch; all others are stored."""
    async with started(server) as bus:
        config = (await bus.jetstream.stream("EVENTS") or {})["config"]
        await bus.jetstream._call("STREAM.UPDATE.EVENTS", {**config, "max_msg_size": 2000})
        large = {50: "x" * 3_000, 70: "x" * 3_000_000}
        told = await asyncio.gather(*(publish(bus, n, large.get(n, "")) for n in range(100)), return_exceptions=True)
        assert {n for n, each in enumerate(told) if isinstance(each, MessageTooLarge)} == {50, 70}
        assert not [each for each in told if isinstance(each, BaseException) and not isinstance(each, MessageTooLarge)]
        assert sorted(await stored(bus)) == sorted(set(range(100)) - {50, 70})


async def test_a_caller_who_leaves_takes_nobody_along(server: NatsServer) -> None:
    """The others' events are stored."""
    async with started(server) as bus:
        callers = [publish(bus, number) for number in range(100)]
        await asyncio.sleep(0)
        for each in callers[20:40]:
            each.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert set(range(100)) - set(range(20, 40)) <= set(await stored(bus))


async def test_each_event_is_stored_once_while_its_server_is_killed_over_and_over(server: NatsServer) -> None:
    """Each caller returns once its event is stored."""
    async with started(server) as bus:
        restarts = {server.server_id}

        async def caller(first: int) -> None:
            for number in range(first, 9000, 300):
                await publish(bus, number)

        sending = asyncio.gather(*map(caller, range(300)))
        for _ in range(3):
            await asyncio.sleep(0.1)
            server.kill()
            server.start()
            restarts.add(server.server_id)
        await sending
        assert len(restarts) == 4
        assert sorted(await stored(bus)) == list(range(9000))


async def test_who_waits_when_the_bus_stops_is_told(server: NatsServer) -> None:
    """With the sentence, at once."""
    async with started(server) as bus:
        callers = [publish(bus, number) for number in range(400)]
        await asyncio.sleep(0)
        await bus.stop()
        async with asyncio.timeout(5):
            told = await asyncio.gather(*callers, return_exceptions=True)
        wrong = [each for each in told if isinstance(each, BaseException)]
        assert wrong
        assert all(isinstance(each, Unavailable) for each in wrong)
