"""Many events in one go, on a real server: all of them, once, in order, whichever way the server takes them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from hayai.bus.atomic import Atomic
from hayai.bus.ingest import Ingest
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.streams import outgoing
from hayai.envelope import PlainCodec, decode, wrap
from hayai.errors import MessageTooLarge
from hayai.testing.bus_words import BellRung
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from hayai.ledger.outcome import Outgoing


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer) -> AsyncGenerator[NatsBus]:
    """A bus."""
    bus = NatsBus(NatsSettings(url=server.url))
    await bus.start()
    yield bus
    await bus.stop()


def bells(*numbers: int) -> list[Outgoing]:
    """An event for each number, of three keys, with an id that says which."""
    return [
        outgoing(
            wrap(BellRung(number=n), tenant="acme", source="/x", codec=PlainCodec(), key=f"k{n % 3}", id=f"bell{n}")
        )
        for n in numbers
    ]


async def stored(bus: NatsBus) -> list[int]:
    """The numbers of what is in the stream, in its order."""
    found = await bus.jetstream.stream("EVENTS")
    assert found is not None
    bodies = [await bus.jetstream.body("EVENTS", each + 1) for each in range(found["state"]["last_seq"])]
    return [int(decode(body).data["number"]) for body in bodies if body]


@pytest.mark.parametrize("kind", [Ingest, Atomic])
@pytest.mark.parametrize("count", [1, 2, 300])
async def test_a_batch_is_stored_in_order(server: NatsServer, kind: type[Ingest | Atomic], count: int) -> None:
    """One acknowledgement for all of it."""
    async with started(server) as bus:
        assert await kind(bus._connection).stored(bells(*range(count)))
        assert await stored(bus) == list(range(count))


async def test_what_the_stream_has_is_left_out_of_a_batch_that_is_ingested(server: NatsServer) -> None:
    """Whether it is the first, the last or one between: the others are stored, and all count as stored."""
    async with started(server) as bus:
        await bus.send_all(bells(0, 4, 9))
        assert await Ingest(bus._connection).stored(bells(*range(10)))
        assert await stored(bus) == [0, 4, 9, 1, 2, 3, 5, 6, 7, 8]


async def test_a_batch_that_the_stream_has_in_part_is_refused_whole_where_it_is_atomic(server: NatsServer) -> None:
    """And is sent one by one then, so that what is missing is stored."""
    async with started(server) as bus:
        await bus.send_all(bells(4))
        assert not await Atomic(bus._connection).stored(bells(*range(10)))
        assert await stored(bus) == [4]
        await bus.send_all(bells(*range(10)))
        assert sorted(await stored(bus)) == list(range(10))


async def test_a_stream_of_an_older_release_takes_batches_the_old_way(server: NatsServer) -> None:
    """It was made without fast ingest: the first batch finds that out, and the next ones do not ask again."""
    async with started(server) as bus:
        config = (await bus.jetstream.stream("EVENTS") or {})["config"]
        del config["allow_batched"]
        await bus.jetstream._found("STREAM.DELETE.EVENTS", {})
        await bus.jetstream.create_stream(config)
        for first in (0, 20, 40):
            await bus.send_all(bells(*range(first, first + 20)))
        assert sorted(await stored(bus)) == list(range(60))
        ingest, atomic = bus._batches._ways.seconds.values()
        assert ingest > atomic


async def test_a_broken_batch_is_made_whole(server: NatsServer) -> None:
    """Its server is killed over and over: each event is in the stream once, and in its key's order."""
    async with started(server) as bus:
        restarts = {server.server_id}

        async def send() -> None:
            for first in range(0, 6000, 300):
                await bus.send_all(bells(*range(first, first + 300)))

        sending = asyncio.create_task(send())
        for _ in range(3):
            await asyncio.sleep(0.03)
            server.kill()
            server.start()
            restarts.add(server.server_id)
        await sending
        assert len(restarts) == 4
        numbers = await stored(bus)
        assert sorted(numbers) == list(range(6000))
        assert _in_order(numbers)


async def test_what_the_server_refuses_in_the_middle_is_said_and_keeps_its_place(server: NatsServer) -> None:
    """The stream takes no event of that size: those before it are there, and nothing of its key behind it."""
    async with started(server) as bus:
        config = (await bus.jetstream.stream("EVENTS") or {})["config"]
        await bus.jetstream._call("STREAM.UPDATE.EVENTS", {**config, "max_msg_size": 600})
        many = bells(*range(12))
        large = json.loads(many[5].body) | {"padding": "x" * 600}
        many[5] = type(many[5])(many[5].id, many[5].subject, many[5].type, json.dumps(large).encode())
        with pytest.raises(MessageTooLarge):
            await bus.send_all(many)
        found = await stored(bus)
        assert 5 not in found
        assert {0, 1, 2, 3, 4} <= set(found)
        assert {8, 11}.isdisjoint(found)


def _in_order(numbers: Sequence[int]) -> bool:
    """Whether each key's numbers only rise."""
    return all(lane == sorted(lane) for lane in ([n for n in numbers if n % 3 == key] for key in range(3)))
