"""Bookmarks, on real servers: a place that NATS loses while nobody is at work there is found again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus import bookmarks
from hayai.handlers import Policy
from hayai.migrations import migrate
from hayai.runtime.assembly import components
from hayai.testing.bus_install import ledgered_bus
from hayai.testing.bus_words import BellRung, Ears
from hayai.testing.servers import NatsServer
from hayai.vocabulary.operations import ConsumerRecreated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from hayai.bus.nats import NatsBus
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

_EVERY = 0.1


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own."""
    with NatsServer() as server:
        yield server


@pytest.fixture
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database of the test's own, since each test begins its stream anew."""
    database = postgres_server.database(postgres_server.create())
    asyncio.run(migrate(database, components()[0]))
    return database


@asynccontextmanager
async def hearing(
    server: NatsServer, database: ServedDatabase, ears: Ears, **settings: Any
) -> AsyncGenerator[tuple[NatsBus, Ears]]:
    """A bus on which `ears` listen, and others for the reports of lost consumers; stopped afterwards."""
    async with ledgered_bus(server, database, **{"ack_wait": 2, "heartbeat": 0.2, **settings}) as bus:
        reports = Ears()
        reports.name = "reports"
        await reports.listen(bus, ConsumerRecreated)
        await ears.listen(bus)
        yield bus, reports


async def publish(bus: NatsBus, numbers: Sequence[int]) -> None:
    """An event for each number, of two keys."""
    for number in numbers:
        await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number % 2}")


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_consumer_that_is_lost_while_nobody_works_goes_on_where_it_was(
    server: NatsServer, database: ServedDatabase, monkeypatch: pytest.MonkeyPatch, partitions: int
) -> None:
    """What was published in the meantime is handled, once, in order; nothing from before; and it is told."""
    monkeypatch.setattr(bookmarks, "_EVERY_SECONDS", _EVERY)
    ears, again = Ears(), Ears()
    again.name = ears.name
    async with hearing(server, database, ears, partitions=partitions) as (bus, _):
        await publish(bus, range(20))
        await ears.until(20)
        await asyncio.sleep(4 * _EVERY)
    async with ledgered_bus(server, database, partitions=partitions) as bus:
        await publish(bus, range(20, 70))
        for partition in range(partitions):
            await bus.jetstream.delete_consumer("EVENTS", f"{ears.name}_hear_{partition}")
    async with hearing(server, database, again, partitions=partitions) as (bus, reports):
        await again.until(50)
        await reports.until(partitions)
        await publish(bus, [70])
        await again.until(51)
    assert sorted(again.numbers) == list(range(20, 71))
    for key in range(2):
        of_key = [each for each in again.numbers if each % 2 == key]
        assert of_key == sorted(of_key)
    assert {each.handler for each in reports.events} == {f"{ears.name}_hear"}


async def test_what_was_handled_since_the_last_bookmark_is_not_handled_again(
    server: NatsServer, database: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbox tells it: the place that is kept here is the very first one."""
    monkeypatch.setattr(bookmarks, "_EVERY_SECONDS", 3600)
    ears, again = Ears(), Ears()
    again.name = ears.name
    async with hearing(server, database, ears) as (bus, _):
        await publish(bus, range(20))
        await ears.until(20)
    async with ledgered_bus(server, database) as bus:
        await bus.jetstream.delete_consumer("EVENTS", f"{ears.name}_hear_0")
    async with hearing(server, database, again) as (bus, _):
        await publish(bus, [20])
        await again.until(1)
    assert again.numbers == [20]
    assert database.server.sql("select floor from hayai.place where name like 'ears%'", database.name) == "0"


async def test_a_handler_that_nobody_ever_ran_begins_with_what_comes(
    server: NatsServer, database: ServedDatabase
) -> None:
    """As it did; and from then on there is a place to go back to."""
    ears = Ears()
    async with hearing(server, database, Ears()) as (bus, reports):
        await publish(bus, [1])
        await ears.listen(bus)
        await publish(bus, [2])
        await ears.until(1)
        assert (ears.numbers, reports.events) == ([2], [])
    floor = f"select floor from hayai.place where name = '{ears.name}_hear_0'"
    assert int(database.server.sql(floor, database.name)) >= 1


async def test_a_stream_that_was_made_anew_is_read_from_its_beginning(
    server: NatsServer, database: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sequences are others, and lower ones than the place that is kept."""
    monkeypatch.setattr(bookmarks, "_EVERY_SECONDS", _EVERY)
    ears, again = Ears(), Ears()
    again.name = ears.name
    async with hearing(server, database, ears) as (bus, _):
        await publish(bus, range(20))
        await ears.until(20)
        await asyncio.sleep(4 * _EVERY)
    async with ledgered_bus(server, database) as bus:
        await bus.jetstream._call("STREAM.DELETE.EVENTS", {})
        await bus.ensure_streams()
        await publish(bus, range(20, 25))
    async with hearing(server, database, again) as (_, reports):
        await again.until(5)
        await reports.until(1)
    assert again.numbers == [20, 21, 22, 23, 24]


async def test_a_handler_without_the_ledger_has_a_place_in_it_too(
    server: NatsServer, database: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may see again what came since the last bookmark, and misses nothing."""
    monkeypatch.setattr(bookmarks, "_EVERY_SECONDS", _EVERY)
    ears, again = Ears(), Ears()
    again.name = ears.name
    async with ledgered_bus(server, database) as bus:
        await ears.listen(bus, policy=Policy(stateless=True))
        await publish(bus, range(5))
        await ears.until(5)
        await asyncio.sleep(4 * _EVERY)
    async with ledgered_bus(server, database) as bus:
        await publish(bus, range(5, 9))
        await bus.jetstream.delete_consumer("EVENTS", f"{ears.name}_hear_0")
    async with ledgered_bus(server, database) as bus:
        await again.listen(bus, policy=Policy(stateless=True))
        await again.until(4)
    assert again.numbers[-4:] == [5, 6, 7, 8]
