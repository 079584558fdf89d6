"""The doctor at a running bus: asked of real servers, each thing wrong once."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

from hayai.bus.nats import NatsSettings
from hayai.errors import BusUnsafe
from hayai.ledger.overview import LedgerState
from hayai.runtime.bus_checks import outbox, replicas, sync, version, window
from hayai.runtime.bus_safety import refuse_unsafe
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import Ears
from hayai.testing.servers import NatsServer, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """A NATS server with its monitoring port in the data folder's book, a migrated database and a tier file."""
    monitor = free_port()
    (tmp_path / ".hayai").mkdir()
    (tmp_path / ".hayai" / "ports.json").write_text(json.dumps({"monitor": monitor}))
    settings = f'http: "127.0.0.1:{monitor}"'
    with installed(postgres_server, tmp_path, agents='"receptionist"', nats=settings) as servers:
        yield servers


async def _findings(servers: Servers) -> dict[str, tuple[bool, str]]:
    return {each["part"]: (each["ok"], each["says"]) for each in await servers.asked("doctor")}


async def _edit(servers: Servers, subject: str, change: dict[str, Any]) -> None:
    """Change a stream or consumer behind Hayai's back."""
    client = Client()
    await client.connect(servers.nats.url)
    kind, _, name = subject.partition(" ")
    found = json.loads((await client.request(f"$JS.API.{kind}.INFO.{name}", timeout=5)).data)["config"] | change
    if kind == "STREAM":
        answer = await client.request(f"$JS.API.STREAM.UPDATE.{name}", json.dumps(found).encode(), timeout=5)
    else:
        request = {"stream_name": name.partition(".")[0], "config": found, "action": "update"}
        path = f"{name}.{found['filter_subject']}"
        answer = await client.request(f"$JS.API.CONSUMER.CREATE.{path}", json.dumps(request).encode(), timeout=5)
    assert "error" not in json.loads(answer.data)
    await client.close()


async def _settled(servers: Servers) -> None:
    """Streams as this release makes them, with the places of the receptionist's handlers."""
    from hayai.fronts import agent

    async with servers.bus() as bus:
        for subscription in await asyncio.to_thread(lambda: list(agent("receptionist"))):
            for durable in bus._durables(subscription):
                await durable.find_or_create()


async def test_what_is_as_declared_is_well(servers: Servers) -> None:
    """Version, sync, replicas, streams, consumers and ledger are each told, and none is wrong."""
    await _settled(servers)
    found = await _findings(servers)
    assert found["bus version"][1].startswith("nats-server 2.")
    assert found["bus sync"] == (True, "an event is on the disk before it is acknowledged")
    assert found["bus stream EVENTS"] == (True, "as declared")
    assert found["bus consumers"][1].endswith(" as declared")
    assert found["duplicate window"] == (True, "600 s, and nothing has waited that long")
    assert found["refused events"] == (True, "none")
    assert found["outbox horizon"] == (True, "300 s, and the server knows an id for 600 s")
    assert found["handler times"] == (True, "no handler had 20 tries within the last hour")
    parts = ("bus version", "bus replicas", "bus stream DEADLETTERS", "outbox", "database", "bus")
    assert all(found[part][0] for part in parts)
    assert "bus leftovers" not in found


async def test_what_drifted_is_named_with_what_to_do(servers: Servers) -> None:
    """A stream that keeps less, one with other limits, a consumer with other settings, and one of nobody's handler."""
    await _settled(servers)
    gone = Ears()
    async with servers.bus() as bus:
        await gone.listen(bus)
    await _edit(servers, "STREAM EVENTS", {"discard": "old"})
    await _edit(servers, "STREAM DEADLETTERS", {"max_bytes": 1 << 20})
    await _edit(servers, "CONSUMER EVENTS.receptionist_answer_0", {"ack_wait": 90_000_000_000})
    found = await _findings(servers)
    ok, says = found["bus stream EVENTS"]
    assert not ok
    assert "discard 'old' instead of 'new'" in says
    assert found["bus stream DEADLETTERS"] == (True, "has limits of its own: max_bytes 1048576 instead of 268435456")
    ok, says = found["bus consumers"]
    assert not ok
    assert "receptionist_answer_0 has ack_wait 90000000000 instead of 5000000000. Restart Hayai" in says
    ok, says = found["bus leftovers"]
    assert not ok
    assert f"Events wait for {gone.name}_hear, and no plugin" in says


async def test_what_waits_in_the_ledger_too_long_is_wrong(servers: Servers) -> None:
    """A backlog, one that outlasts the duplicate window, and refused events."""
    await _settled(servers)
    servers.sql(
        "insert into hayai.outbox (tenant, id, type, subject, body, written_at) "
        "values ('acme', 'e', 't', 'ev.acme.k.t', '', now() - interval '1 hour');"
        "insert into hayai.refused (id, tenant, type, subject, body, error) values ('r', 'acme', 't', 's', '', 'e')"
    )
    found = await _findings(servers)
    assert [found[part][0] for part in ("outbox", "refused events", "duplicate window")] == [False, False, False]
    assert "1 event waits to be published, the oldest for 36" in found["outbox"][1]


async def test_a_server_that_syncs_now_and_then_is_wrong(servers: Servers) -> None:
    """The default of two minutes is told by the server's own monitoring port."""
    monitor = json.loads((servers.folder / ".hayai" / "ports.json").read_text())["monitor"]
    servers.nats.stop()
    lax = f'http: "127.0.0.1:{monitor}"\njetstream {{ store_dir: "{servers.folder}/lax" }}'
    with NatsServer(lax, jetstream=False) as nats:
        other = Servers(nats, servers.database, servers.folder)
        other.write(agents='"receptionist"')
        ok, says = (await _findings(other))["bus sync"]
    assert not ok
    assert "syncs its disk every 120 s" in says


async def test_what_must_be_safe_does_not_start_on_a_server_that_is_not(servers: Servers) -> None:
    """Lazy sync, a short memory of ids, and both are said at once; without the demand the same server is taken."""
    monitor = free_port()
    lax = f'http: "127.0.0.1:{monitor}"\njetstream {{ store_dir: "{servers.folder}/lax" }}'
    with NatsServer(lax, jetstream=False) as nats:
        other = Servers(nats, servers.database, servers.folder)
        demanded = f'durability = "strict"\nmonitor = "http://127.0.0.1:{monitor}"\nduplicate_window = 120'
        other.write(bus=demanded)
        told = await other.hayai("run")
        findings = await _findings(other)
        await refuse_unsafe(NatsSettings(url=nats.url))
    assert (told.status, told.out) == (1, "")
    assert told.err.startswith('hayai: The tier file demands durability = "strict" under [bus]. The server syncs its')
    assert "The server knows an id for 120 s" in told.err
    assert told.err.count("\n") == 1
    assert [findings[part][0] for part in ("bus sync", "outbox horizon")] == [False, False]


async def test_what_must_be_safe_starts_on_a_server_that_is(servers: Servers) -> None:
    """It syncs always, and says so on its monitoring port; one that cannot be asked is not trusted."""
    await _settled(servers)
    monitor = json.loads((servers.folder / ".hayai" / "ports.json").read_text())["monitor"]
    wanted = NatsSettings(url=servers.nats.url, partitions=2, durability="strict")
    await refuse_unsafe(wanted.model_copy(update={"monitor": f"http://127.0.0.1:{monitor}"}))
    with pytest.raises(BusUnsafe, match="cannot be seen"):
        await refuse_unsafe(wanted.model_copy(update={"monitor": f"http://127.0.0.1:{free_port()}"}))


async def test_another_servers_monitoring_port_is_not_believed(servers: Servers) -> None:
    """What cannot be seen is said to be so."""
    with NatsServer() as nats:
        other = Servers(nats, servers.database, servers.folder)
        other.write()
        ok, says = (await _findings(other))["bus sync"]
    assert ok
    assert "cannot be seen" in says


@pytest.mark.parametrize(
    ("running", "ok"), [("2.14.9", False), ("2.15.0", True), ("2.16.0-RC.1", True), ("3.0.0", True), ("", False)]
)
def test_an_old_server_is_refused(running: str, ok: bool) -> None:
    """2.15 and newer are well."""
    assert version(running).ok is ok


def test_with_replicas_a_lazy_sync_is_told_and_no_fault() -> None:
    """The others have the event."""
    found = sync({"jetstream": {"config": {"sync_interval": 120_000_000_000}}}, replicas=3)
    assert (found.ok, "where all 3 servers have it" in found.says) == (True, True)


def test_what_cannot_be_seen_is_a_fault_where_it_is_demanded() -> None:
    """Unless others have the event as well."""
    assert sync(None, replicas=1).ok
    assert not sync(None, replicas=1, strict=True).ok
    assert sync(None, replicas=3, strict=True).ok


def test_a_replica_that_is_away_is_named() -> None:
    """As is a stream that is kept on fewer servers than the settings want."""
    declared = {"name": "EVENTS", "num_replicas": 3}
    peers = [{"name": "n2", "current": True}, {"name": "n3", "current": False, "offline": True}]
    away = replicas([(declared, {"config": {"num_replicas": 3}, "cluster": {"replicas": peers}})])
    assert (away.ok, away.says.partition(":")[0]) == (False, "EVENTS is away or behind on n3")
    fewer = replicas([(declared, {"config": {"num_replicas": 1}})])
    assert (fewer.ok, fewer.says.partition(":")[0]) == (False, "EVENTS is kept on 1 instead of 3")


def test_a_short_wait_is_no_backlog() -> None:
    """Rows live for milliseconds, and a busy relay may have some."""
    state = LedgerState(waiting=3, oldest=2.0, refused=0)
    assert outbox(state).ok
    assert window(600, state).ok
