"""The bus on NATS with its ledger in Postgres: what follows is committed first, and partitions have one worker each."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from contextlib import asynccontextmanager
from subprocess import PIPE
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.indexing import NAME, Indexing
from hayai.bus.received import NatsMessage
from hayai.errors import Unavailable
from hayai.handlers import Policy
from hayai.ledger.index import EventIndex
from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.runtime.assembly import components
from hayai.testing.bus import BusContract
from hayai.testing.bus_install import ledgered_bus
from hayai.testing.bus_words import PATIENCE, BellRung, DoorOpened, Ears, letter_of
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

    from hayai.bus.nats import NatsBus
    from hayai.handlers import Context
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One server for the tests that leave it alive."""
    with NatsServer() as server:
        yield server


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database with every table."""
    database = postgres_server.database(postgres_server.create())
    found, _ = components()
    asyncio.run(migrate(database, found))
    return database


@asynccontextmanager
async def started(server: NatsServer, database: ServedDatabase, **settings: Any) -> AsyncGenerator[NatsBus]:
    """A bus with its ledger and relay, stopped afterwards."""
    async with ledgered_bus(server, database, **{"ack_wait": 2, "heartbeat": 0.2, **settings}) as bus:
        yield bus


@pytest.fixture
async def bus(server: NatsServer, database: ServedDatabase) -> AsyncIterator[NatsBus]:
    """A started bus."""
    async with started(server, database) as bus:
        yield bus


@pytest.fixture
async def peer(server: NatsServer, database: ServedDatabase) -> AsyncIterator[NatsBus]:
    """Another bus on the same servers."""
    async with started(server, database) as bus:
        yield bus


class TestLedgeredNatsBus(BusContract):
    """BusContract, on JetStream and Postgres."""

    @pytest.fixture
    def plant(self, bus: NatsBus) -> Callable[[str, bytes], Awaitable[None]]:
        """Bytes straight into the stream."""

        async def plant(subject: str, body: bytes) -> None:
            await bus._connection.request(subject, body, seconds=5)

        return plant


async def test_what_was_handled_is_not_handled_again(
    bus: NatsBus, server: NatsServer, database: ServedDatabase
) -> None:
    """The ledger knows the event, however it comes back: here to a consumer that begins anew."""
    ears = Ears()
    name = await ears.listen(bus)
    sent = await bus.publish(BellRung(number=1), tenant="acme")
    await until_marked(database, name, sent.id)
    await bus.drain(1)
    again = Ears()
    again.name = ears.name
    async with started(server, database) as other:
        await begin_anew(other, f"{name}_0")
        await again.listen(other)
        last = await bus.publish(BellRung(number=2), tenant="acme")
        await until_marked(database, name, last.id)
    heard = [context.envelope.id for context in again.contexts]
    assert sent.id not in heard
    assert last.id in heard


async def until_marked(database: ServedDatabase, handler: str, event: str) -> None:
    """Return once the ledger has an outcome of that event."""
    marked = f"select count(*) from hayai.inbox where handler = '{handler}' and event = '{event}'"
    for _ in range(int(PATIENCE / 0.05)):
        if database.server.sql(marked, database.name) == "1":
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{handler} is not done with {event}")


async def begin_anew(bus: NatsBus, consumer: str) -> None:
    """Let the consumer begin again with the first event of the stream."""
    server = bus.jetstream
    found = await server.consumer("EVENTS", consumer)
    assert found is not None
    await server._call(f"CONSUMER.DELETE.EVENTS.{consumer}", {})
    await server.create_consumer("EVENTS", {**found["config"], "deliver_policy": "all"})


@pytest.mark.parametrize("transactional", [False, True])
async def test_what_follows_is_published_once_it_is_committed(bus: NatsBus, transactional: bool) -> None:
    """Through the outbox, whether the handler has a transaction of its own or shares a commit with others."""

    async def open_door(event: BellRung, _context: Context) -> DoorOpened:
        return DoorOpened(number=event.number)

    bells, doors = Ears(open_door), Ears()
    policy = Policy(transactional=transactional)
    await bells.listen(bus, policy=policy)
    await doors.listen(bus, DoorOpened)
    for number in range(20):
        await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number % 3}")
    await doors.until(20)
    assert sorted(doors.numbers) == list(range(20))
    for key in range(3):
        assert [number for number in doors.numbers if number % 3 == key] == list(range(key, 20, 3))


async def test_every_event_comes_into_the_index(bus: NatsBus, database: ServedDatabase) -> None:
    """With what it followed from, and its place in the stream; also where its consumer is deleted in between."""

    async def open_door(event: BellRung, _context: Context) -> DoorOpened:
        return DoorOpened(number=event.number)

    await Ears(open_door).listen(bus)
    pools = Pool(database, role="ledger"), Pool(database)
    for pool in pools:
        await pool.start()
    index = EventIndex(*pools)
    indexing = Indexing(bus, index)
    await indexing.start()
    sent = await bus.publish(BellRung(number=1), tenant="indexed", key="k")
    await until_told(index, sent.id, 2)
    await bus.jetstream._call(f"CONSUMER.DELETE.EVENTS.{NAME}", {})
    later = await bus.publish(BellRung(number=2), tenant="indexed", key="k")
    await until_told(index, later.id, 2)
    found = await index.find("indexed", later.id)
    assert found is not None
    assert (found.type, found.key, found.stream) == ("bell.rung.v2", "k", "EVENTS")
    assert await bus.jetstream.body("EVENTS", found.sequence)
    await indexing.stop()
    for pool in pools:
        await pool.stop()


async def until_told(index: EventIndex, event: str, count: int) -> None:
    """Return once the story of that event has so many events."""
    for _ in range(int(PATIENCE / 0.05)):
        if len(await index.story("indexed", event)) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the index has {await index.story('indexed', event)}")


async def test_a_handler_of_no_order_takes_one_key_at_once(bus: NatsBus) -> None:
    """Ten events of one key wait for each other, which they could not one after another."""
    together = asyncio.Barrier(10)

    async def meet(_event: BellRung, _context: Context) -> None:
        await together.wait()

    ears = Ears(meet)
    await ears.listen(bus, policy=Policy(order="none"))
    for number in range(10):
        await bus.publish(BellRung(number=number), tenant="acme", key="k")
    await ears.until(10)


WORKER = """
    import asyncio, json, os, sys
    from pydantic import SecretStr
    from hayai.bus.nats import NatsBus, NatsSettings
    from hayai.handlers import Handlers, Policy
    from hayai.ledger.ledger import Ledger
    from hayai.pools import Pool
    from hayai.ports.database import Address, Database
    from hayai.testing.bus_words import BellRung
    from hayai.tier import Tier

    where = json.loads(sys.argv[1])

    class There(Database):
        async def address(self, role):
            user, password = where["users"][role]
            return Address(where["host"], where["port"], where["name"], user, SecretStr(password), None)

    async def hear(event: BellRung, context) -> None:
        print("begins", event.number, flush=True)
        if where["mode"] == "die" and event.number == 3:
            os._exit(9)
        await asyncio.sleep(where["seconds"])
        print("ends", event.number, flush=True)

    async def main():
        pools = Pool(There(), role="ledger"), Pool(There())
        for pool in pools:
            await pool.start()
        bus = NatsBus(NatsSettings(url=where["nats"], partitions=where["partitions"]), ledger=Ledger(*pools))
        await bus.start()
        group = Handlers(where["group"])
        group.add(BellRung, hear, Policy(attempts=3, defects=1))
        for subscription in group:
            await bus.subscribe(subscription, Tier({}))
        print("ready", flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
"""


class Worker:
    """A process that runs one handler, and what it told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[str] = []

    async def until(self, line: str) -> None:
        """Read on until it says that."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line not in self.told:
                said = await self.process.stdout.readline()
                assert said, f"it ended after {self.told}"
                self.told.append(said.decode().strip())


@asynccontextmanager
async def worker(
    server: NatsServer, database: ServedDatabase, group: str, *, mode: str = "", seconds: float = 0.05
) -> AsyncGenerator[Worker]:
    """A running worker, killed afterwards."""
    import json

    users = {}
    for role in ("application", "ledger"):
        address = await database.address(role)
        assert address.password
        users[role] = (address.user, address.password.get_secret_value())
    where = {
        "host": address.host, "port": address.port, "name": address.database, "users": users, "nats": server.url,
        "group": group, "mode": mode, "seconds": seconds, "partitions": 1,
    }  # fmt: skip
    command = [sys.executable, "-c", textwrap.dedent(WORKER), json.dumps(where)]
    found = Worker(await asyncio.create_subprocess_exec(*command, stdout=PIPE))
    try:
        yield found
    finally:
        if found.process.returncode is None:
            found.process.kill()
        await found.process.wait()


async def test_a_killed_workers_events_come_first_and_in_order(
    server: NatsServer, database: ServedDatabase, bus: NatsBus
) -> None:
    """SIGKILL in mid-work: another worker has the partition within five seconds and skips what was committed."""
    group = Ears().name
    async with worker(server, database, group) as first, worker(server, database, group) as second:
        await asyncio.gather(first.until("ready"), second.until("ready"))
        for number in range(40):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        busy, idle = (first, second) if (await one_of(first, second)) is first else (second, first)
        await busy.until("ends 4")
        begun = asyncio.get_running_loop().time()
        busy.process.kill()
        await busy.process.wait()
        await idle.until("begins 5") if "begins 5" not in busy.told else None
        await idle.until("ends 39")
        assert asyncio.get_running_loop().time() - begun < 5 + 35 * 0.2
    ends = [int(line.split()[1]) for line in idle.told if line.startswith("ends")]
    assert ends == list(range(ends[0], 40))
    assert ends[0] <= 6


async def one_of(*workers: Worker) -> Worker:
    """The one that begins."""
    tasks = {asyncio.create_task(each.until("begins 0")): each for each in workers}
    done, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for each in late:
        each.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return tasks[done.pop()]


async def test_an_event_that_kills_its_worker_ends_as_a_dead_letter(
    server: NatsServer, database: ServedDatabase, bus: NatsBus
) -> None:
    """Each process that begins with it dies; after a few it is given up, and those behind it go on."""
    group = Ears().name
    async with worker(server, database, group, mode="die") as dying:
        await dying.until("ready")
        for number in range(6):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await dying.process.wait()
    for _ in range(8):
        async with worker(server, database, group, mode="die") as dying:
            try:
                await dying.until("ends 5")
                break
            except AssertionError:
                continue
    _, letter = await letter_of(bus, f"{group}_hear")
    assert "never settled" in letter.explanation


async def test_an_id_that_the_database_does_not_take_holds_nobody_up(bus: NatsBus) -> None:
    """A stranger's message without an envelope becomes a dead letter, and what comes behind it is handled."""
    ears = Ears()
    name = await ears.listen(bus)
    await bus._connection.post("ev.acme.k.bell.rung.v2", b"?", headers={"Nats-Msg-Id": "a\x00b"})
    await bus.publish(BellRung(number=1), tenant="acme", key="k")
    await ears.until(1)
    await letter_of(bus, name)


async def test_a_process_is_counted_once_however_often_it_tries(
    server: NatsServer, database: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that was in a dead process's hands and meets an outage has all its attempts."""
    tries = 0

    async def be_away(_event: BellRung, _context: Context) -> None:
        nonlocal tries
        tries += 1
        if tries < 8:
            raise Unavailable("The provider is away.")

    ears = Ears(be_away)
    policy = Policy(attempts=10, defects=1, first_delay=0.01, longest_delay=0.02)
    async with started(server, database) as bus:
        monkeypatch.setattr(NatsMessage, "inherited", True)
        monkeypatch.setattr(NatsMessage, "__setattr__", _all_but_inherited)
        await ears.listen(bus, policy=policy)
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.until(1)
    assert tries == 8


def _all_but_inherited(message: NatsMessage, name: str, value: object) -> None:
    if name != "inherited":
        object.__setattr__(message, name, value)
