"""Advisories, on a real server: what a stranger ends there becomes a dead letter of the handler that misses it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import nats
import pytest

from hayai.bus.advisories import ADVISORIES, Advisories
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.streams import NANOSECONDS
from hayai.migrations import migrate
from hayai.runtime.assembly import components
from hayai.testing.bus_install import ledgered_bus
from hayai.testing.bus_words import PATIENCE, BellRung, Ears
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from hayai.envelope import Envelope
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase
    from hayai.vocabulary.operations import DeadLettered


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus]:
    """A bus that writes the letters, stopped afterwards."""
    bus = NatsBus(NatsSettings.model_validate({"url": server.url, **settings}))
    await bus.start()
    advisories = Advisories(bus, versions={"known_hear": "1.2"})
    await advisories.start()
    try:
        yield bus
    finally:
        await advisories.stop()
        await bus.stop()


async def letters(bus: NatsBus, count: int) -> Sequence[tuple[Envelope, DeadLettered]]:
    """The dead letters, once there are so many."""
    for _ in range(int(PATIENCE / 0.1)):
        if len(found := await bus.dead_letters()) >= count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(await bus.dead_letters())} dead letters, not {count}")


async def told(bus: NatsBus, count: int) -> None:
    """Return once the server has told of so many, and all were looked at."""
    for _ in range(int(PATIENCE / 0.1)):
        stream = await bus.jetstream.stream(ADVISORIES.name)
        (reader,) = await bus.jetstream.consumers(ADVISORIES.name)
        if stream and stream["state"]["messages"] == count == reader["ack_floor"]["stream_seq"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the server has not told of {count}, or not all were looked at")


async def take(server: NatsServer, consumer: str, answer: bytes) -> None:
    """As a stranger: take an event of that consumer and answer that, or nothing."""
    stranger = await nats.connect(server.url)
    subscription = await stranger.subscribe("stranger")
    request = b'{"batch": 1, "expires": 5000000000}'
    await stranger.publish(f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{consumer}", request, reply="stranger")
    taken = await subscription.next_msg(timeout=5)
    if answer:
        await stranger.publish(taken.reply, answer)
    await stranger.drain()


async def test_an_event_that_a_stranger_terminates_becomes_a_dead_letter(server: NatsServer) -> None:
    """With the pointer and the sentence; it is written by whoever comes later, where nobody is there."""
    ears = Ears()
    ears.name = "known"
    async with started(server) as bus:
        name = await ears.listen(bus)
    async with started(server) as bus:
        sent = await bus.publish(BellRung(number=1), tenant="acme", key="k")
    await take(server, f"{name}_0", b"+TERM for fun")
    async with started(server) as bus:
        ((envelope, letter),) = await letters(bus, 1)
        assert (letter.handler, letter.handler_version, letter.sequence) == (name, "1.2", 1)
        assert (letter.error, letter.attempts) == ("GivenUp", 1)
        assert "Somebody terminated it on the server (+TERM)" in letter.explanation
        assert (envelope.tenant, envelope.cause) == ("acme", sent.id)


async def test_an_event_that_an_edited_consumer_hands_out_no_more_becomes_a_dead_letter(server: NatsServer) -> None:
    """Whoever had it said nothing of it, and the server has been told to hand it out once."""
    ears = Ears()
    async with started(server, ack_wait=0.5) as bus:
        name = await ears.listen(bus)
    async with started(server) as bus:
        found = await bus.jetstream.consumer("EVENTS", f"{name}_0")
        assert found is not None
        await bus.jetstream.create_consumer("EVENTS", {**found["config"], "max_deliver": 1}, action="update")
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        await take(server, f"{name}_0", b"")
        ((_, letter),) = await letters(bus, 1)
        assert (letter.handler, letter.error) == (name, "GivenUp")
        assert "handed it out 1 times, as often as its consumer was edited to" in letter.explanation


async def test_what_is_no_handlers_is_no_dead_letter(server: NatsServer) -> None:
    """A stranger's consumer, and words that are no advisory."""
    async with started(server) as bus:
        audit = {"durable_name": "audit_0", "filter_subject": "ev.>", "ack_policy": "explicit"}
        await bus.jetstream.create_consumer("EVENTS", {**audit, "ack_wait": NANOSECONDS})
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        await take(server, "audit_0", b"+TERM")
        for words in (b"no json", b"{}", b'{"stream_seq": 99, "consumer": "x_0"}'):
            await bus._connection.post(f"{ADVISORIES.prefix}.MSG_TERMINATED.EVENTS.x_0", words)
        await told(bus, 4)
        assert await bus.dead_letters() == []


@pytest.fixture
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database with every table."""
    database = postgres_server.database(postgres_server.create())
    asyncio.run(migrate(database, components()[0]))
    return database


async def test_what_the_ledger_has_an_outcome_of_is_no_dead_letter(
    server: NatsServer, database: ServedDatabase
) -> None:
    """Its handler came to its end, and the server heard too late of it."""
    ears = Ears()
    async with ledgered_bus(server, database) as bus:
        name = await ears.listen(bus)
        sent = await bus.publish(BellRung(number=1), tenant="acme", key="k")
        ledger = bus._ledger
        assert ledger is not None
        for _ in range(100):
            if await ledger.seen(name, [("acme", sent.id)]):
                break
            await asyncio.sleep(0.05)
        advisories = Advisories(bus, versions={}, ledger=ledger)
        await advisories.start()
        advisory = {"stream": "EVENTS", "stream_seq": 1, "consumer": f"{name}_0", "deliveries": 1}
        subject = f"{ADVISORIES.prefix}.MAX_DELIVERIES.EVENTS.{name}_0"
        await bus._connection.post(subject, json.dumps(advisory).encode())
        await told(bus, 1)
        assert await bus.dead_letters() == []
        await advisories.stop()
