"""LocalStack with real servers: quick, small, reachable, kept running, and clear about what is in its way."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import nats
import psutil
import pytest

from hayai.errors import LocalStackRefused, SettingsError
from hayai.local.folder import open_folder
from hayai.local.place import find_place, outside
from hayai.local.ports import listener, next_free
from hayai.local.services import PORTS
from hayai.local.stack import LocalStack, reset

if TYPE_CHECKING:
    from collections.abc import Iterator


def free_ports() -> dict[str, int]:
    """A free port for everything, far from those of a developer's own stack."""
    port = random.randrange(20_000, 30_000)
    return {name: (port := next_free(port)) for name in PORTS}


OWN = free_ports()


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A data folder yet to be made, where another user may pass, as not in pytest's own; nothing stays of it."""
    base = Path(tempfile.mkdtemp(prefix="hayai-local-"))
    base.chmod(0o755)
    yield base / "data"
    if (base / "data").exists():
        reset(base / "data")
    shutil.rmtree(base)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder for the tests that do not mind what others left in it: making a database takes most of a start."""
    base = Path(tempfile.mkdtemp(prefix="hayai-local-"))
    base.chmod(0o755)
    yield base / "data"
    shutil.rmtree(base)


def stack(data: Path, **given: Any) -> LocalStack:
    """A stack on ports of its own, blind to the environment of the test run."""
    return LocalStack(data, ports=given.get("ports", OWN), environment=given.get("environment", {}))


def resident(pids: dict[str, int]) -> int:
    """Bytes in memory, of these processes and their children; what they share is counted for each."""
    parents = [psutil.Process(pid) for pid in pids.values()]
    return sum(each.memory_info().rss for parent in parents for each in [parent, *parent.children(recursive=True)])


async def server_id(address: str) -> str:
    """Connect, and tell which start of nats-server answers."""
    client = await nats.connect(address, allow_reconnect=False)
    try:
        return str(client._server_info["server_id"])
    finally:
        await client.close()


async def until(condition: Any, seconds: float = 20) -> None:
    """Wait for something that must become true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(0.02)


async def test_is_ready_quickly_and_small_and_keeps_what_was_written(fresh: Path) -> None:
    """Under 15 s the first time and 5 s after, far below 1 GB; rows, ports and passwords survive a restart."""
    async with stack(fresh) as first:
        addresses, pids = first.environment(), first.pids()
        took, took_memory = first.seconds, resident(pids)
        owner = await asyncpg.connect(addresses["DATABASE_OWNER_URL"])
        await owner.execute(
            "create schema hayai; create extension btree_gist; create table hayai.kept as select 7 as it"
        )
        await owner.close()
        assert first.first
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    async with stack(fresh) as second:
        print(f"ready in {took:.2f} s, then in {second.seconds:.2f} s, {took_memory / 1e6:.0f} MB resident")
        assert (took < 15, second.seconds < 5, took_memory < 1e9) == (True, True, True)
        assert second.environment() == addresses
        assert (second.first, second.notes, second.restarts) == (False, [], {"nats": 0, "postgres": 0})
        owner = await asyncpg.connect(addresses["DATABASE_OWNER_URL"])
        assert await owner.fetchval("select it from hayai.kept") == 7
        await owner.close()


async def test_the_application_is_bound_by_row_level_security_and_nobody_comes_in_without_a_password(
    data: Path,
) -> None:
    """Its role is neither superuser nor BYPASSRLS nor owner; the superuser has no way in; the bus asks as well."""
    async with stack(data) as local:
        addresses, ports = local.environment(), local.ports
        application = await asyncpg.connect(addresses["DATABASE_URL"])
        facts = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = current_user"
        assert await application.fetchval(facts) is False
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute("create table public.mine (it integer)")
        await application.close()
        for stranger in ("postgres", "hayai_application"):
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                await asyncpg.connect(
                    host="127.0.0.1", port=ports["postgres"], user=stranger, password="guess", database="hayai"
                )
        assert "Authorization Violation" in await _greeting(ports["nats"])
        assert addresses["NATS_URL"] not in str(local.urls)


async def test_no_secret_stands_on_a_command_line_or_in_a_file_that_others_may_read(data: Path) -> None:
    """The passwords are in the file `credentials`, mode 0600, and nowhere else where a neighbour could look."""
    async with stack(data) as local:
        passwords = json.loads((data / "credentials").read_text()).values()
        assert (data / "credentials").stat().st_mode & 0o777 == 0o600
        lines = [" ".join(psutil.Process(pid).cmdline()) for pid in local.pids().values()]
        logs = [path.read_text() for path in (data / "logs").iterdir()] + [(data / "nats/nats.conf").read_text()]
        assert not [password for password in passwords for text in lines + logs if password in text]


@pytest.mark.fault
async def test_a_bus_that_is_killed_comes_back_on_the_same_port_with_its_events(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a SIGKILL another nats-server (a new id) answers at the same address and still has what it acknowledged."""
    async with stack(data) as local:
        address = local.environment()["NATS_URL"]
        client = await nats.connect(address)
        await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
        await client.jetstream().publish("kept.one", b"1")
        await client.close()
        before, killed = await server_id(address), local.pids()["nats"]
        psutil.Process(killed).kill()
        await until(lambda: local.restarts["nats"] == 1 and local.pids().get("nats", killed) != killed)
        await until(lambda: _answers(local.ports["monitor"]))
        assert await server_id(address) != before
        client = await nats.connect(address)
        assert (await client.jetstream().stream_info("kept")).state.messages == 1
        await client.close()
    assert "nats-server ended by signal 9; starting it again (1)" in caplog.messages


@pytest.mark.fault
async def test_a_database_that_is_killed_comes_back_with_its_rows(data: Path) -> None:
    """After a SIGKILL of the postmaster the committed row is there again, at the same address."""
    async with stack(data) as local:
        address = local.environment()["DATABASE_OWNER_URL"]
        owner = await asyncpg.connect(address)
        await owner.execute("create table kept as select 7 as it")
        killed = local.pids()["postgres"]
        psutil.Process(killed).kill()
        await until(owner.is_closed)
        await until(lambda: local.pids().get("postgres", killed) != killed)
        async with asyncio.timeout(20):
            owner = await _connected(address)
        assert await owner.fetchval("select it from kept") == 7
        await owner.close()
        assert local.restarts["postgres"] == 1


async def test_a_taken_port_names_its_culprit_and_the_next_free_one_is_kept(data: Path) -> None:
    """Each moved port is one sentence with the holder's name and pid; the next start asks for the same number."""
    wanted = free_ports()
    with listener(wanted["web"]), listener(wanted["nats"]), listener(wanted["postgres"]):
        async with stack(data, ports=wanted) as local:
            moved, notes = local.ports, local.notes
    me = f"{psutil.Process().name()} (pid {os.getpid()})"
    assert f"Port {wanted['web']} (web) is held by {me}; using {moved['web']}." in notes
    assert len(notes) == 3
    assert all(wanted[name] < moved[name] < 32768 for name in ("web", "nats", "postgres"))
    async with stack(data, ports={}) as again:
        assert (again.ports, again.notes) == (moved, [])
        with await again.door() as door:
            assert door.getsockname()[1] == moved["web"]


async def test_a_second_start_on_the_same_data_names_the_first(data: Path) -> None:
    """One sentence with the first one's pid and URL; the first goes on, and a reset is refused as well."""
    async with stack(data) as first:
        with pytest.raises(LocalStackRefused, match=rf"already runs on .* \(pid {os.getpid()}\): http://127.0.0.1:"):
            await stack(data).start()
        with pytest.raises(LocalStackRefused, match="already runs"):
            await asyncio.to_thread(reset, data)
        assert sorted(first.pids()) == ["nats", "postgres"]


async def test_a_database_of_ones_own_is_used_and_none_is_started(data: Path) -> None:
    """With both addresses only the bus runs; with one of them a sentence asks for the other."""
    own = {"DATABASE_URL": "postgresql://a@db/x", "DATABASE_OWNER_URL": "postgresql://b@db/x"}
    async with stack(data, environment=own) as local:
        assert list(local.pids()) == ["nats"]
        assert local.environment().items() >= own.items()
        assert local.notes == ["DATABASE_URL is set: no Postgres is started here."]
    for given, missing in (tuple(own), tuple(own)[::-1]):
        with pytest.raises(SettingsError, match=f"{given} is set and {missing} is not"):
            await stack(data, environment={given: own[given]}).start()


async def test_a_reset_forgets_what_hayai_made_and_nothing_else(fresh: Path) -> None:
    """A file of the user's in the data folder stays; the next start is a first one."""
    async with stack(fresh):
        (fresh / "mine.txt").write_text("stays")
    assert await asyncio.to_thread(reset, fresh) == [f"Forgot the local data in {fresh}."]
    assert os.listdir(fresh) == ["mine.txt"]  # noqa: PTH208 - not pathlib's, which ruff holds for blocking
    async with stack(fresh) as local:
        assert local.first


def test_a_folder_that_is_not_hayais_is_neither_reset_nor_used(tmp_path: Path) -> None:
    """Somebody else's logs and keys stay, and a start that would mix with them is refused; nothing is made."""
    for name in ("logs", "keys"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("stays")
    before = sorted(tmp_path.rglob("*"))
    assert reset(tmp_path) == [f"There is no local data in {tmp_path}: nothing was deleted."]
    assert reset(tmp_path / "none") == [f"There is no local data in {tmp_path / 'none'}: nothing was deleted."]
    with pytest.raises(LocalStackRefused, match="holds logs that Hayai did not make: choose an empty folder"):
        open_folder(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


async def test_a_lost_credentials_file_is_replaced_and_the_roles_get_new_passwords(data: Path) -> None:
    """Deleting the file is a cure, not the loss of the database."""
    async with stack(data) as local:
        old = local.environment()["DATABASE_URL"]
    (data / "credentials").unlink()
    async with stack(data) as local:
        assert local.environment()["DATABASE_URL"] != old
        await (await asyncpg.connect(local.environment()["DATABASE_URL"])).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's Postgres runs as another user")
async def test_root_in_a_closed_home_keeps_postgres_outside_and_says_so(fresh: Path) -> None:
    """Below a folder of mode 0700 `nobody` reaches nothing: data and binaries move, and a note tells where."""
    fresh.parent.chmod(0o700)
    async with stack(fresh) as local:
        home = await asyncio.to_thread(outside, fresh)
        assert home
        assert local.notes == [f"Postgres runs as nobody, who cannot reach {fresh}: its data is in {home}."]
        assert local.places == [fresh, home]
        assert psutil.Process(local.pids()["postgres"]).username() == "nobody"
    fresh.parent.chmod(0o755)
    assert (await asyncio.to_thread(find_place, fresh)).home == home, (
        "opening the folder later must not start an empty database"
    )
    await asyncio.to_thread(reset, fresh)
    assert not home.exists()


def _answers(port: int) -> bool:
    listening = [each.laddr for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    return port in [address.port for address in listening if address]


async def _greeting(port: int) -> str:
    """What nats-server says to a client without a password, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
    said = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    return said.decode()


async def _connected(address: str) -> Any:
    while True:
        try:
            return await asyncpg.connect(address)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.05)
