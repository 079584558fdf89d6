"""`hayai bus status`: asked of real servers, beside workers and without any."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.connection import Connection
from hayai.bus.jetstream import JetStream
from hayai.bus.pacing import Pacing
from hayai.errors import PermanentError
from hayai.handlers import Policy
from hayai.pools import Pool
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import PATIENCE, BellRung, Ears, letters_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.bus.nats import NatsBus
    from hayai.handlers import Context
    from hayai.testing.postgres_server import PostgresServer


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """A NATS server of the test's own, a migrated database and a tier file."""
    with installed(postgres_server, tmp_path) as servers:
        yield servers


async def _row(servers: Servers, handler: str, **wanted: int) -> dict[str, Any]:
    """The handler's row, once it says what is `wanted`: acknowledgements and leases take a moment."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        rows = (await servers.asked("bus", "status"))["handlers"]
        (row,) = [each for each in rows if each["name"] == handler]
        if wanted.items() <= row.items() or asyncio.get_running_loop().time() > until:
            return dict(row)


async def test_each_handler_has_a_row_summed_over_its_partitions(servers: Servers) -> None:
    """What waits, what is in hand, what was given up, and who works; afterwards nobody works and events wait."""
    gate = asyncio.Event()

    async def wait(_event: BellRung, _context: Context) -> None:
        await gate.wait()

    async def refuse(_event: BellRung, _context: Context) -> None:
        raise PermanentError("No.")

    slow, deaf = Ears(wait), Ears(refuse)
    async with servers.bus() as bus:
        await slow.listen(bus, policy=Policy(timeout=600))
        await deaf.listen(bus)
        for number in range(6):
            await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")
        await letters_of(bus, deaf.name, 6)
        at_work = {"paused": False, "workers": 1, "leases": 2, "held": 2, "lag": 0, "redelivered": 0}
        untold = {"attempts": 0, "failed": 0, "p50": None, "p99": None}
        busy = {"name": f"{slow.name}_hear", "in_flight": 6, "dead_letters": 0, **at_work, **untold}
        row = await _row(servers, f"{slow.name}_hear", in_flight=6)
        assert row.pop("oldest")
        assert row == busy
        done = {"name": f"{deaf.name}_hear", "in_flight": 0, "oldest": None, "dead_letters": 6, **at_work, **untold}
        assert await _row(servers, f"{deaf.name}_hear", in_flight=0) == done
        gate.set()
        await slow.until(6)
        assert (await _row(servers, f"{slow.name}_hear", in_flight=0))["in_flight"] == 0
    async with servers.bus() as bus:
        await bus.publish(BellRung(), tenant="acme", key="k")
        idle = {"in_flight": 0, "lag": 1, "workers": 0, "leases": 2, "held": 0}
        assert idle.items() <= (await _row(servers, f"{slow.name}_hear", **idle)).items()


async def test_attempts_and_times_are_told_over_all_processes(servers: Servers) -> None:
    """Of what each has written down; a process that is gone counts for an hour."""

    async def hear(event: BellRung, _context: Context) -> None:
        await asyncio.sleep(0.02)
        if event.number == 9:
            raise PermanentError("No.")

    ears = Ears(hear)
    name = f"{ears.name}_hear"
    for _ in range(2):
        async with servers.bus() as bus:
            await ears.listen(bus)
            for number in range(5, 10):
                await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")
            await letters_of(bus, name, 1)
            await _row(servers, name, in_flight=0, lag=0)
            await _paced(servers, bus)
    row = await _row(servers, name)
    assert (row["attempts"], row["failed"]) == (10, 2)
    assert 0.02 <= row["p50"] <= row["p99"] < PATIENCE
    told = (await servers.hayai("bus", "status")).out.splitlines()[1].split()
    assert told[:7] == [name, "0", "0", "-", "0", "2", "10"]
    servers.sql("update hayai.pace set measured_at = now() - interval '2 hours'")
    assert (await _row(servers, name))["attempts"] == 0


async def _paced(servers: Servers, bus: NatsBus) -> None:
    pool = Pool(servers.database, role="ledger")
    await pool.start()
    await Pacing(pool, bus).write()
    await pool.stop()


async def test_the_oldest_event_that_waits_is_the_one_behind_which_others_wait(servers: Servers) -> None:
    """Whatever came and went after it, in its partition or another."""
    gate = asyncio.Event()

    async def wait(event: BellRung, _context: Context) -> None:
        if event.number == 1:
            await gate.wait()

    ears = Ears(wait)
    async with servers.bus() as bus:
        name = await ears.listen(bus, policy=Policy(timeout=600))
        await bus.publish(BellRung(number=0), tenant="acme", key="k0")
        await ears.until(1)
        begun = datetime.now(UTC)
        await bus.publish(BellRung(number=1), tenant="acme", key="k1")
        await asyncio.sleep(0.5)
        for number in range(2, 6):
            await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")
        await ears.until(5)
        oldest = datetime.fromisoformat((await _row(servers, name, in_flight=1))["oldest"][:23] + "+00:00")
        assert abs(oldest - begun).total_seconds() < 0.4
        gate.set()
        assert (await _row(servers, name, in_flight=0))["oldest"] is None


async def test_streams_and_ledger_are_told(servers: Servers) -> None:
    """Messages, bytes of the most, first and last time; rows that wait, the oldest's age, and what was refused."""
    async with servers.bus(max_bytes=1 << 20) as bus:
        await bus.publish(BellRung(), tenant="acme", key="k")
    servers.sql(
        "insert into hayai.outbox (tenant, id, type, subject, body, written_at) "
        "select 'acme', 'e' || n, 't', 'ev.acme.k.t', '', now() - n * interval '1 minute' from generate_series(1, 2) n;"
        "insert into hayai.refused (id, tenant, type, subject, body, error) values ('r', 'acme', 't', 's', '', 'e')"
    )
    told = await servers.asked("bus", "status")
    assert (told["ledger"]["waiting"], told["ledger"]["refused"]) == (2, 1)
    assert 120 <= told["ledger"]["oldest"] < 120 + PATIENCE
    events, letters = told["streams"]
    assert (events["name"], events["messages"], events["max_bytes"]) == ("EVENTS", 1, 1 << 20)
    assert events["first"] == events["last"]
    assert 0 < events["bytes"] < 1 << 20
    assert (letters["name"], letters["messages"], letters["first"]) == ("DEADLETTERS", 0, None)


async def test_a_person_gets_tables(servers: Servers) -> None:
    """Headed columns, sizes with units, and a sentence where there is nothing."""
    empty = await servers.hayai("bus", "status")
    assert empty.out == (
        "No handler has a place on the server.\n\n"
        "The server has no stream of Hayai's.\n\n"
        "outbox: 0 waiting; refused: 0\n"
    )
    ears = Ears()
    async with servers.bus() as bus:
        await ears.listen(bus)
        told = (await servers.hayai("bus", "status")).out.splitlines()
    assert told[0].split("  ")[0].strip() == "handler"
    assert told[1].split() == [f"{ears.name}_hear", "0", "0", "-", "0", "0", "0", "0", "-", "-", "1", "2/2"]
    assert told[4].split() == ["EVENTS", "0", "0", "B", "2.0", "GiB", "-", "-"]


async def test_looking_creates_nothing(servers: Servers) -> None:
    """A server without streams has none afterwards."""
    await servers.hayai("bus", "status")
    connection = Connection(servers.nats.url)
    await connection.start(5)
    assert await JetStream(connection).stream("EVENTS") is None
    await connection.stop()


async def test_a_server_that_is_away_is_one_sentence(servers: Servers) -> None:
    """Exit status 1, and no traceback."""
    servers.nats.kill()
    told = await servers.hayai("bus", "status")
    assert (told.out, told.status) == ("", 1)
    assert told.err.startswith("hayai: No NATS server takes us at 127.0.0.1:")
    assert told.err.count("\n") == 1


async def test_a_database_without_a_ledger_says_what_to_run(servers: Servers) -> None:
    """One sentence as well."""
    servers.sql("drop schema hayai cascade")
    told = await servers.hayai("bus", "status")
    assert told.err == "hayai: The database has no ledger that can be read: run `hayai migrate`.\n"


async def test_a_bus_that_is_not_on_nats_is_refused(servers: Servers) -> None:
    """There is nothing to look at."""
    path = servers.folder / "tier.toml"
    path.write_text(path.read_text().replace('"nats"\n', '"memory"\n').replace(f'url = "{servers.nats.url}"\n', ""))
    path.write_text(path.read_text().replace("partitions = 2\n", ""))
    told = await servers.hayai("bus", "status")
    assert "only one on NATS can be looked at" in told.err


async def test_watching_goes_on_over_a_broken_server_until_ctrl_c(servers: Servers) -> None:
    """A document a line; while the server is away its sentence, then documents again; exit status 0."""
    process = await servers.begin("bus", "status", "--watch", "--json")
    assert process.stdout
    assert process.stderr
    async with asyncio.timeout(60):
        assert json.loads(await process.stdout.readline())["streams"] == []
        servers.nats.kill()
        while b"did not answer" not in await process.stderr.readline():
            pass
        servers.nats.restart()
        async with servers.bus():
            while not json.loads(await process.stdout.readline())["streams"]:
                pass
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_a_list_of_many_consumers_is_read_to_its_end(servers: Servers) -> None:
    """The server gives 256 a page."""
    async with servers.bus() as bus:
        jetstream = JetStream(bus._connection)
        for number in range(300):
            place = {"durable_name": f"acme_{number}", "filter_subject": "ev.0.*.*.bell.rung.*"}
            await jetstream.create_consumer("EVENTS", {**place, "ack_policy": "explicit"})
        found = await jetstream.consumers("EVENTS")
        assert len({each["name"] for each in found}) == 300
        assert await jetstream.consumers("NONE") == []
