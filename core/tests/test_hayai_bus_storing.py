"""Limits on what tenants have stored, on a real server and a real Postgres."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import textwrap
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from hayai.bus.indexing import NAME, Indexing
from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.storing import Storing, stored_now
from hayai.bus.streams import EVENTS, NANOSECONDS
from hayai.errors import SettingsError, TenantFull
from hayai.ledger.index import EventIndex
from hayai.ledger.ledger import Ledger
from hayai.ledger.relay import Relay
from hayai.limits import Limits, LimitSettings
from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.runtime.assembly import components
from hayai.settings import read_settings
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import PATIENCE, BellRung, DoorOpened, Ears
from hayai.testing.clock import MovableClock
from hayai.testing.memory_identity import MemoryIdentity
from hayai.testing.servers import NatsServer
from hayai.tier import Tier
from hayai.web.door import door

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from hayai.handlers import Context
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

LIMITS = LimitSettings.model_validate({"tenant": {"acme": {"stored_bytes": "16 KiB"}}})
YESTERDAY = "update hayai.stored set day = day - 1"


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own."""
    with NatsServer() as server:
        yield server


@pytest.fixture
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database with every table."""
    database = postgres_server.database(postgres_server.create())
    asyncio.run(migrate(database, components()[0]))
    return database


@asynccontextmanager
async def limited(server: NatsServer, database: ServedDatabase) -> AsyncGenerator[tuple[NatsBus, Pool]]:
    """A bus with its ledger, relay and index, that learns twenty times a second what is stored."""
    pools = Pool(database, role="ledger"), Pool(database)
    for pool in pools:
        await pool.start()
    bus = NatsBus(NatsSettings(url=server.url), ledger=Ledger(*pools), limits=Limits(LIMITS))
    await bus.start()
    parts = (
        Relay(pools[0], bus.send_all),
        Indexing(bus, EventIndex(*pools)),
        Storing(bus, pools[0], every=0.05),
    )
    for part in parts:
        await part.start()
    try:
        yield bus, pools[0]
    finally:
        for part in reversed(parts):
            await part.stop()
        await bus.stop()
        for pool in pools:
            await pool.stop()


async def bytes_in(bus: NatsBus) -> int:
    """What the server itself counts for the stream of events."""
    found = await bus.jetstream.stream("EVENTS")
    assert found is not None
    return int(found["state"]["bytes"])


async def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds."""
    for _ in range(int(PATIENCE / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)


async def fill(bus: NatsBus, tenant: str) -> int:
    """How many events of a kilobyte the tenant could store until it was refused, at most a hundred."""
    for number in range(100):
        try:
            await bus.publish(BellRung(number=number, who="x" * 1000), tenant=tenant, key="k")
        except TenantFull:
            return number
        await asyncio.sleep(0.1)
    return 100


async def test_a_full_tenant_is_refused_until_what_is_old_is_gone(server: NatsServer, database: ServedDatabase) -> None:
    """With a sentence; what follows from its events is not refused, nor is anybody else."""

    async def answer(_event: BellRung, _context: Context) -> DoorOpened:
        return DoorOpened()

    async with limited(server, database) as (bus, _):
        rung, opened = Ears(answer), Ears()
        await rung.listen(bus)
        await opened.listen(bus, DoorOpened)
        count = await fill(bus, "acme")
        assert 8 <= count <= 16
        with pytest.raises(
            TenantFull, match=r"stored the 16\.0 KiB that it may: .* raise stored_bytes under \[limits\]"
        ):
            await bus.publish(BellRung(), tenant="acme", key="k")
        await bus.publish(BellRung(), tenant="other", key="k")
        await opened.until(count + 1)
        database.server.sql(YESTERDAY, database.name)  # the oldest event that the stream keeps is of today
        await until(lambda: not bus.limits.stored.get("acme"), "nothing was forgotten")
        await bus.publish(BellRung(), tenant="acme", key="k")


async def test_who_was_full_may_store_again_as_soon_as_the_stream_is_emptied_or_made_anew(
    server: NatsServer, database: ServedDatabase
) -> None:
    """Though nothing was counted since."""
    async with limited(server, database) as (bus, _):
        await fill(bus, "acme")
        await bus.jetstream._call("STREAM.PURGE.EVENTS", {})
        await until(lambda: not bus.limits.stored, "what was purged still counts")
        await bus.publish(BellRung(), tenant="acme", key="k")
        await until(lambda: bool(bus.limits.stored), "the day on which it was purged does not count whole")
        await bus.jetstream._call("STREAM.DELETE.EVENTS", {})
        await bus.ensure_streams()
        await until(lambda: not bus.limits.stored, "what was in the stream before still counts")
        await bus.publish(BellRung(), tenant="acme", key="k")


async def test_what_is_counted_is_what_the_server_counts(server: NatsServer, database: ServedDatabase) -> None:
    """To the byte, over all tenants and also what was sent in batches."""
    async with limited(server, database) as (bus, pool):
        for tenant in ("one", "two"):
            for number in range(40):
                await bus.publish(BellRung(number=number, who="é" * number), tenant=tenant, key="k")
        expected = await bytes_in(bus)
        await until(lambda: sum(bus.limits.stored.values()) == expected, f"{bus.limits.stored} is not {expected}")
        counted = await stored_now(bus, pool)
        assert counted["one"] == counted["two"] == expected / 2


WORKER = """
    import asyncio, json, sys
    from pydantic import SecretStr
    from hayai.bus.indexing import Indexing
    from hayai.bus.nats import NatsBus, NatsSettings
    from hayai.ledger.index import EventIndex
    from hayai.pools import Pool
    from hayai.ports.database import Address, Database

    where = json.loads(sys.argv[1])

    class There(Database):
        async def address(self, role):
            user, password = where["users"][role]
            return Address(where["host"], where["port"], where["name"], user, SecretStr(password), None)

    async def main():
        pools = Pool(There(), role="ledger"), Pool(There())
        for pool in pools:
            await pool.start()
        bus = NatsBus(NatsSettings(url=where["nats"]))
        await bus.start()
        await Indexing(bus, EventIndex(*pools)).start()
        await asyncio.sleep(600)

    asyncio.run(main())
"""


async def test_a_process_that_is_killed_while_it_counts_makes_no_difference(
    server: NatsServer, database: ServedDatabase
) -> None:
    """What it had not acknowledged comes again, and is counted once."""
    bus = NatsBus(NatsSettings(url=server.url))
    await bus.start()
    many = [BellRung(number=number, who="x" * 200) for number in range(6000)]
    await asyncio.gather(*(bus.publish(each, tenant=f"t{each.number % 3}", key="k") for each in many))
    tap = bus.tap(EVENTS, NAME, nothing)
    soon = {**tap._config(), "ack_wait": NANOSECONDS}  # else it is a minute until what the dead had comes again
    await bus.jetstream.create_consumer("EVENTS", soon)
    users = {role: await database.address(role) for role in ("application", "ledger")}
    where = {"host": database.server.host, "port": database.server.port, "name": database.name, "nats": server.url}
    secrets = {role: (each.user, each.password and each.password.get_secret_value()) for role, each in users.items()}
    killed = 0
    for least in (1, 1500, 3000):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", textwrap.dedent(WORKER), json.dumps({**where, "users": secrets})
        )
        counted = partial(_counted, database, least)
        await until(counted, f"nobody counted {least} events")
        worker.kill()
        killed += await worker.wait() == -signal.SIGKILL
    assert killed == 3
    expected = await bytes_in(bus)
    await bus.stop()
    async with limited(server, database) as (bus, _):
        await until(lambda: sum(bus.limits.stored.values()) >= expected, "it does not come to its end")
        await asyncio.sleep(0.5)
        assert sum(bus.limits.stored.values()) == expected
    assert _counted(database, 6000)
    assert not _counted(database, 6001)


async def nothing(_events: object) -> None:
    """Take nothing."""


def _counted(database: ServedDatabase, least: int) -> bool:
    """Whether so many events were counted."""
    return int(database.server.sql("select coalesce(sum(events), 0) from hayai.stored", database.name)) >= least


async def test_the_http_door_answers_507() -> None:
    """With the sentence, and stores none of a batch; the next tenant's are taken."""
    bus, identity = MemoryBus(limits=Limits(LIMITS)), MemoryIdentity()
    bus.limits.stored = {"acme": 16 * 1024}
    app = door(Tier({"identity": identity}), bus, [], {}, MovableClock())

    async def post(tenant: str) -> httpx.Response:
        key = (await identity.issue(tenant=tenant, role="owner", label="a test")).get_secret_value()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
        event = {"specversion": "1.0", "source": "/s", "type": "bell.rung.v2", "data": {}, "id": "1"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as http:
            return await http.post(f"/v1/tenants/{tenant}/events", json=event, headers=headers)

    refused = await post("acme")
    assert (refused.status_code, refused.json()["title"]) == (507, "TenantFull")
    assert refused.headers["retry-after"] == "3600"
    assert "raise stored_bytes under [limits]" in refused.json()["detail"]
    assert (await post("other")).status_code == 202
    await bus.stop()


def test_a_tier_file_says_it_in_words(tmp_path: Path) -> None:
    """For all, and for one; what is no size is refused with a sentence."""
    file = tmp_path / "tier.toml"
    file.write_text('tier = "t"\n[limits]\nstored_bytes = "2 GiB"\n[limits.tenant.acme]\nstored_bytes = 1000\n')
    found = read_settings(file, {}).limits
    assert (found.stored_bytes, found.of("acme").stored_bytes) == (2 * 1024**3, 1000)
    assert found.limits_stored
    file.write_text('tier = "t"\n[limits]\nstored_bytes = "much"\n')
    with pytest.raises(SettingsError, match="stored_bytes"):
        read_settings(file, {})


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """Servers and a tier file that limits one tenant."""
    with installed(postgres_server, tmp_path) as servers:
        with (tmp_path / "tier.toml").open("a") as tier:
            tier.write('\n[limits.tenant.acme]\nstored_bytes = "100 KiB"\n')
        yield servers


async def test_an_operator_sees_who_has_stored_how_much_and_the_doctor_says_who_is_near(servers: Servers) -> None:
    """Of how much; the largest first."""
    async with servers.bus() as bus:
        told = await servers.hayai("bus", "tenants")
        await bus.publish(BellRung(), tenant="other")
        stream = await bus.jetstream.stream("EVENTS")
    assert stream is not None
    born, day = stream["created"], stream["state"]["first_ts"][:10]
    assert (told.status, told.out.strip()) == (0, "Nothing is stored, or nothing is indexed yet.")
    for tenant, size in (("acme", 50_000), ("other", 70_000)):
        servers.sql(f"insert into hayai.stored values ('EVENTS', '{born}', '{day}', '{tenant}', 1, {size})")
    told = await servers.hayai("bus", "tenants")
    assert told.out.splitlines() == ["other  68.4 KiB", "acme  48.8 KiB of 100.0 KiB"]
    assert (await servers.asked("bus", "tenants"))[1] == {"tenant": "acme", "bytes": 50_000, "limit": 102_400}
    assert "every tenant has a fifth left" in (await servers.hayai("doctor")).out
    servers.sql("update hayai.stored set bytes = 82_000 where tenant = 'acme'")
    doctor = await servers.hayai("doctor")
    assert "acme has stored 80.1 KiB of the 100.0 KiB that it may" in doctor.out + doctor.err
    assert doctor.status == 1
