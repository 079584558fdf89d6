"""Relay on a real Postgres: order, several at once, and what happens when the bus, the database or a relay dies."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hayai.errors import MessageTooLarge, Unavailable
from hayai.ledger.outcome import Outcome, Outgoing
from hayai.ledger.relay import Relay
from hayai.testing.ledger import describe, ledger_database, opened, outcome
from hayai.testing.postgres_server import PostgresServer

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence

    from hayai.ledger.ledger import Ledger
    from hayai.pools import Pool
    from hayai.testing.ledger import Opened
    from hayai.testing.postgres_server import ServedDatabase

PROCESS = Path(__file__).with_name("ledger_process.py")


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[ServedDatabase]:
    """The ledger's tables, empty."""
    database = ledger_database(postgres_server)
    yield database
    postgres_server.drop(database.name)


@pytest.fixture
async def it(database: ServedDatabase) -> AsyncIterator[Opened]:
    """The ledger whose outbox is published."""
    async with opened(database) as it:
        yield it


@pytest.fixture
def pool(it: Opened) -> Pool:
    """Connections in the ledger's role."""
    return it.pool


@pytest.fixture
def ledger(it: Opened) -> Ledger:
    """The ledger itself."""
    return it.ledger


class Recorder:
    """A bus that keeps what it is sent; `trouble` is raised by the next sends, one each."""

    def __init__(self, *trouble: Exception) -> None:
        self.events: list[Outgoing] = []
        self.trouble = list(trouble)

    async def send(self, several: Sequence[Outgoing]) -> None:
        """Keep them all, or none."""
        if self.trouble:
            raise self.trouble.pop(0)
        self.events += several

    @property
    def ids(self) -> list[str]:
        """In the order in which they came."""
        return [each.id for each in self.events]


async def until(true: Callable[[], bool]) -> None:
    """Wait for it; the test's own timeout ends it otherwise."""
    while not true():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)


async def emptied(pool: Pool) -> None:
    """Wait until the outbox is empty, which it is a moment after the bus has the last of it."""
    while await pool.fetch("select from hayai.outbox limit 1"):  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)


@asynccontextmanager
async def at_work(relay: Relay) -> AsyncGenerator[None]:
    """Between start and stop."""
    await relay.start()
    try:
        yield
    finally:
        await relay.stop()


@asynccontextmanager
async def child(what: str, database: ServedDatabase, bus: Path) -> AsyncGenerator[Process]:
    """A process at work, killed at the end; what it says is added to the file `bus`, in the order of all of them."""
    command = (sys.executable, str(PROCESS), what, await describe(database))
    ready = said(bus).count("ready") + 1
    with bus.open("ab") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out)
    try:
        await until(lambda: said(bus).count("ready") == ready)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def said(bus: Path) -> list[str]:
    """The lines so far."""
    return bus.read_text().splitlines() if bus.exists() else []


def waiting_on_the_bus(database: ServedDatabase) -> bool:
    """Whether a relay has claimed something that the bus has not acknowledged yet."""
    found = database.server.sql(
        "select count(*) from pg_stat_activity where state = 'idle in transaction' and query ~ 'hayai.outbox' "
        f"and datname = '{database.name}' and backend_xid is not null",
        database.name,
    )
    return found != "0"


def per_key(bus: Path) -> dict[str, list[str]]:
    """What relays published, each id where it came first, by key."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in dict.fromkeys(said(bus)):
        subject, _, event = line.partition(" ")
        if event:
            found[subject.split(".")[2]].append(event)
    return found


async def test_what_is_committed_is_published_in_order_and_removed(ledger: Ledger, pool: Pool) -> None:
    """More than one batch of it, and what was there before the relay as well as what comes later."""
    bus = Recorder()
    events = [f"e{place:04}" for place in range(1200)]
    await ledger.commit([outcome(each) for each in events[:900]])
    async with at_work(Relay(pool, bus.send)):
        await until(lambda: len(bus.events) == 900)
        await ledger.commit([outcome(each) for each in events[900:]])
        await until(lambda: len(bus.events) == 1200)
        await emptied(pool)
    assert bus.ids == [f"{each}-0" for each in events]


async def test_a_lone_event_is_published_by_its_notification(ledger: Ledger, pool: Pool) -> None:
    """Long before the poll would find it."""
    bus = Recorder()
    async with at_work(Relay(pool, bus.send)):
        await asyncio.sleep(0.3)
        for place in range(5):
            await ledger.commit([outcome(f"e{place}")])
            async with asyncio.timeout(0.9):
                await until(lambda place=place: len(bus.events) == place + 1)  # type: ignore[misc]


async def test_without_notifications_the_poll_finds_it(ledger: Ledger, pool: Pool) -> None:
    """The relay's own connection is cut off, as a pooler or a firewall would."""
    bus = Recorder()
    relay = Relay(pool, bus.send)
    async with at_work(relay):
        relay._tasks[0].cancel()
        await ledger.commit([outcome("e1")])
        await until(lambda: bus.ids == ["e1-0"])


@pytest.mark.parametrize("trouble", [Unavailable("away"), ZeroDivisionError()])
async def test_a_bus_that_fails_is_tried_again(trouble: Exception, ledger: Ledger, pool: Pool) -> None:
    """Whatever it raises; nothing is lost and the order stays."""
    bus = Recorder(trouble, trouble)
    await ledger.commit([outcome(f"e{place}") for place in range(20)])
    async with at_work(Relay(pool, bus.send)):
        await until(lambda: len(bus.events) == 20)
    assert bus.ids == [f"e{place}-0" for place in range(20)]


async def test_what_the_bus_refuses_for_good_is_set_aside(ledger: Ledger, pool: Pool) -> None:
    """It is kept, with the reason, and what waits behind it is published."""

    class Choosy(Recorder):
        async def send(self, several: Sequence[Outgoing]) -> None:
            if any(each.id == "e1-0" for each in several):
                raise MessageTooLarge("Too large.")
            await super().send(several)

    bus = Choosy()
    await ledger.commit([outcome(f"e{place}") for place in range(3)])
    async with at_work(Relay(pool, bus.send)):
        await emptied(pool)
    assert bus.ids == ["e0-0", "e2-0"]
    (row,) = await pool.fetch("select id, tenant, error from hayai.refused")
    assert tuple(row) == ("e1-0", "acme", "MessageTooLarge")


async def test_a_transaction_that_commits_late_is_not_overlooked(ledger: Ledger, pool: Pool, it: Opened) -> None:
    """It wrote before others whose events are published and gone, and the relay looks only at what is new."""
    bus = Recorder()
    async with at_work(Relay(pool, bus.send)):
        async with it.application.transaction("acme") as connection:
            await connection.execute(
                "insert into hayai.outbox (tenant, id, type, subject, body) "
                "values ('acme', 'late', 'thing.done.v1', 'ev.acme.key.thing.done.v1', '{}')"
            )
            for place in range(5):
                await ledger.commit([outcome(f"e{place}")])
                await until(lambda place=place: len(bus.events) == place + 1)  # type: ignore[misc]
        await emptied(pool)
    assert bus.ids[5:] == ["late"]


async def test_large_events_go_in_smaller_batches(ledger: Ledger, pool: Pool) -> None:
    """So that a backlog of them does not fill the memory."""
    sizes: list[int] = []

    async def send(several: Sequence[Outgoing]) -> None:
        sizes.append(sum(len(each.body) for each in several))

    for place in range(24):
        event = Outgoing(f"e{place}", "ev.acme.key.thing.done.v1", "thing.done.v1", bytes(1_000_000))
        await ledger.commit([Outcome("acme", "answer", f"e{place}", (event,))])
    async with at_work(Relay(pool, send)):
        await until(lambda: sum(sizes) == 24_000_000)
    assert max(sizes) <= 9_000_000


@pytest.mark.fault
async def test_two_relays_publish_everything_in_order_while_one_is_killed(
    ledger: Ledger, database: ServedDatabase, tmp_path: Path
) -> None:
    """Whoever publishes: each key's events come in their order."""
    keys, bus = [f"k{place}" for place in range(20)], tmp_path / "bus"
    async with child("relay", database, bus) as first, child("relay", database, bus):
        for place in range(100):
            await ledger.commit([outcome(f"{key}-{place:03}", key=key) for key in keys])
            if place == 50:
                first.kill()
        await until(lambda: len(set(said(bus))) == 2001)
    assert per_key(bus) == {key: [f"{key}-{place:03}-0" for place in range(100)] for key in keys}


@pytest.mark.fault
async def test_a_relay_that_hangs_holds_nothing_up_for_long(
    ledger: Ledger, pool: Pool, database: ServedDatabase, tmp_path: Path
) -> None:
    """Stopped in the middle of a batch, it loses its locks to the other."""
    bus = tmp_path / "bus"
    async with child("relay", database, bus) as hung:
        await ledger.commit([outcome("first")])
        await until(lambda: waiting_on_the_bus(database))
        hung.send_signal(signal.SIGSTOP)
        async with child("relay", database, bus):
            await ledger.commit([outcome("last")])
            async with asyncio.timeout(15):
                await until(lambda: {"first-0", "last-0"} <= {line.rpartition(" ")[2] for line in said(bus)})
                await emptied(pool)
        hung.send_signal(signal.SIGCONT)


@pytest.mark.fault
async def test_a_relay_survives_its_database(postgres_server: PostgresServer) -> None:
    """SIGKILL to Postgres under load, twice: what was committed is published, in order, and nothing is started anew."""
    with PostgresServer({"fsync": "off"}) as server:
        database = await asyncio.to_thread(ledger_database, server)
        bus, committed = Recorder(), list[str]()

        async def commit(ledger: Ledger, event: str) -> None:
            while True:
                try:
                    await ledger.commit([outcome(event)])
                except Unavailable:
                    await asyncio.sleep(0.05)
                else:
                    committed.append(f"{event}-0")
                    return

        async def commit_all(ledger: Ledger) -> None:
            for place in range(600):
                await commit(ledger, f"e{place:04}")

        async with opened(database) as it, at_work(Relay(it.pool, bus.send)):
            load = asyncio.create_task(commit_all(it.ledger))
            for part in (100, 300):
                await until(lambda part=part: len(committed) > part)  # type: ignore[misc]
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
            await load
            await until(lambda: set(bus.ids) == set(committed))
    assert list(dict.fromkeys(bus.ids)) == committed


@pytest.mark.parametrize("turns", range(6))
async def test_a_relay_that_is_told_to_stop_and_to_work_at_once_stops(turns: int, ledger: Ledger, pool: Pool) -> None:
    """Whichever of the two comes first, and by how few turns of the loop."""
    del ledger
    relay = Relay(pool, Recorder().send)
    await relay.start()
    await asyncio.sleep(0.3)
    relay._stir()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await relay.stop()
