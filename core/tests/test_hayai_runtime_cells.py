"""A plugin in a process of its own dies, hangs and eats as it likes; the house and its neighbours go on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psutil
import pytest
from nats.aio.client import Client

from hayai.bus.permissions import Permissions, permissions
from hayai.bus.switch import Switch
from hayai.errors import PluginError
from hayai.handlers import Handlers
from hayai.local.nats import configuration
from hayai.local.services import BUS_PASSWORD, HOST
from hayai.runtime import keeper as keeping
from hayai.runtime import plugging
from hayai.runtime.assembly import Running, migrated, running_install
from hayai.runtime.oversight import overseen_bus
from hayai.settings import read_settings
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import PATIENCE, BellRung, DoorOpened, Ears
from hayai.testing.servers import NatsServer
from hayai.vocabulary.operations import PluginQuarantined

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from hayai.runtime.keeper import Keeper
    from hayai.testing.postgres_server import PostgresServer

ROGUE = '''
import asyncio, os, pathlib, time
from hayai.handlers import Handlers, Policy
from hayai.testing.bus_words import BellRung

handlers = Handlers("rogue")
heard = pathlib.Path(os.environ["ROGUE_HEARD"])

@handlers.on(BellRung, Policy(defects=2, first_delay=0.01, longest_delay=0.01))
async def hear(event: BellRung, _context) -> None:
    """Do as the number says."""
    if event.number == 66:
        os._exit(3)
    if event.number == 67:
        bytearray(1 << 30)
    if event.number == 68:
        time.sleep(3)
    with heard.open("a") as file:
        file.write(f"{os.getpid()} {event.number}\\n")
'''
TABLE = '\n[agent.rogue]\nisolation = "process"\nmemory_mb = 400\n'


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """A NATS server, a migrated database, a tier file with an isolated agent, and that agent installed for children."""
    site = tmp_path / "site"
    metadata = site / "rogue-1.2.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rogue\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[hayai.agents]\nrogue = rogue:handlers\n")
    (site / "rogue.py").write_text(ROGUE)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("ROGUE_HEARD", str(tmp_path / "heard"))
    monkeypatch.syspath_prepend(str(site))
    with installed(postgres_server, tmp_path, agents='"rogue"') as servers:
        owned = servers.database.server.url(servers.database.name)
        amend(servers, TABLE)
        file = servers.folder / "tier.toml"
        file.write_text(file.read_text().replace("[database]\n", f'[database]\nowner_url = "{owned}"\n'))
        asyncio.run(migrated(read_settings(file, {})))
        yield servers
    sys.modules.pop("rogue", None)


def amend(servers: Servers, lines: str) -> None:
    """Add lines to the tier file."""
    with (servers.folder / "tier.toml").open("a") as file:
        file.write(lines)


@asynccontextmanager
async def running(servers: Servers) -> AsyncGenerator[Running]:
    """The install, its isolated agent included."""
    settings = await asyncio.to_thread(read_settings, servers.folder / "tier.toml", {})
    async with running_install(settings) as running:
        yield running
        await running.drain(5)


def heard(servers: Servers) -> list[tuple[int, int]]:
    """The process and the number of each event that the agent took."""
    file = servers.folder / "heard"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(int(pid), int(number)) for pid, number in map(str.split, lines)]


async def until(found: Callable[[], bool], seconds: float = 2 * PATIENCE) -> None:
    """Return once `found` says so."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(found):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)


async def ring(running: Running, *numbers: int) -> None:
    """Publish an event for each number, of one key."""
    for number in numbers:
        await running.bus.publish(BellRung(number=number), tenant="acme", key="k")


def only(running: Running) -> Keeper:
    """The agent's keeper."""
    (keeper,) = running.cells.keepers
    return keeper


async def test_a_process_that_is_killed_is_another_soon_and_no_event_is_lost(servers: Servers) -> None:
    """What it had in hand comes again, first and in order; a neighbour in the house hears everything meanwhile."""
    neighbour = Ears()
    async with running(servers) as house:
        await neighbour.listen(house.bus)
        await ring(house, 1, 2)
        await until(lambda: len(heard(servers)) == 2)
        killed = only(house).pid
        assert killed not in {None, os.getpid()}
        os.kill(int(killed or 0), signal.SIGKILL)
        await ring(house, 3, 4)
        await neighbour.until(4)
        await until(lambda: len(heard(servers)) == 4)
        taken = heard(servers)
        assert [number for _, number in taken] == [1, 2, 3, 4]
        assert {pid for pid, _ in taken[:2]} == {killed}
        assert {pid for pid, _ in taken[2:]} == {only(house).pid} != {killed}
    assert not psutil.pid_exists(taken[-1][0])


async def test_an_allocation_beyond_the_limit_ends_in_a_dead_letter_and_nothing_else(servers: Servers) -> None:
    """A gigabyte where 400 MiB are allowed: the handler fails, its process and the next events go on."""
    async with running(servers) as house:
        await ring(house, 67, 1)
        await until(lambda: [number for _, number in heard(servers)] == [1])
        ((_, letter),) = await house.bus.dead_letters()
        assert (letter.handler, letter.error) == ("rogue_hear", "MemoryError")


async def test_one_that_falls_again_and_again_is_put_into_quarantine(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its handlers are paused on the server, and an event says so; resumed, it takes all that has waited, in order."""
    monkeypatch.setattr(keeping, "_BACKOFF", (0.01, 0.05))
    reports = Ears()
    async with running(servers) as house:
        await reports.listen(house.bus, PluginQuarantined)
        await ring(house, 1)
        await until(lambda: len(heard(servers)) == 1)
        for _ in range(5):
            await until(lambda: only(house).state == "at work")
            os.kill(int(only(house).pid or 0), signal.SIGKILL)
            await until(lambda: only(house).state != "at work")
        await until(lambda: only(house).state == "in quarantine")
        await ring(house, 2, 3)
        await reports.until(1)
        (report,) = reports.events
        assert (report.plugin, report.falls, report.reason) == ("rogue", 5, "it was ended by signal 9.")
        async with overseen_bus(house.install.settings, Switch) as switch:
            place = (await switch.places())["rogue_hear"]
        assert (place.paused, place.lag) == (True, 2)
        await plugging.resume(house.install.settings, "rogue")
        # The first may be heard once more: its process is killed, perhaps before what it came to is committed.
        await until(lambda: list(dict.fromkeys(number for _, number in heard(servers))) == [1, 2, 3])
        assert only(house).state == "at work"


async def test_reloading_takes_the_new_code_and_leaves_the_others_alone(servers: Servers) -> None:
    """By another process's command, which is told how it went."""
    async with running(servers) as house:
        before = only(house).pid
        changed = ROGUE.replace("{event.number}", "{event.number + 100}")
        await asyncio.to_thread((servers.folder / "site/rogue.py").write_text, changed)
        told = await servers.hayai("plugins", "reload", "rogue")
        assert (told.err, told.status) == ("", 0)
        assert told.out == f"rogue was started anew and is at work, process {only(house).pid}.\n"
        assert only(house).pid != before
        await ring(house, 1)
        await until(lambda: [number for _, number in heard(servers)] == [101])
    told = await servers.hayai("plugins", "reload", "rogue")
    assert (told.status, told.out) == (1, "")
    assert "No running Hayai keeps rogue" in told.err


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError about 'nothing_of_that_name'"),
        ("import time; time.sleep(60)", "it was not at work within 2 s"),
        ("import os; os._exit(7)", "it ended with status 7"),
    ],
)
async def test_one_that_cannot_be_imported_keeps_nobody_from_starting(
    servers: Servers, source: str, sentence: str
) -> None:
    """Not even one that never comes back from its import: the house stands, and says what is wrong."""
    (servers.folder / "site/rogue.py").write_text(source)
    amend(servers, "start_seconds = 2\n" if "sleep" in source else "")
    neighbour = Ears()
    async with running(servers) as house:
        assert [str(each) for each in house.problems if isinstance(each, PluginError) and sentence in str(each)]
        await neighbour.listen(house.bus)
        await ring(house, 1)
        await neighbour.until(1)


async def test_a_house_that_is_killed_takes_its_plugins_along(servers: Servers) -> None:
    """Nobody would stop them any more."""
    amend(servers, "[web]\nport = 0\n")
    house = await servers.begin("run")
    try:
        await until(lambda: bool(psutil.Process(house.pid).children()))
        (child,) = await asyncio.to_thread(psutil.Process(house.pid).children)
        house.kill()
        await house.communicate()
        await until(lambda: not psutil.pid_exists(child.pid) or child.status() == psutil.STATUS_ZOMBIE)
    finally:
        if house.returncode is None:
            house.kill()
            await house.communicate()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[NatsServer, Permissions]]:
    """A server with the house's user and one who may do what an agent of two handlers needs, and what that is."""
    agent = Handlers("small")
    agent.add(BellRung, _open, name="open")
    needed = permissions("small", agent, partitions=2)
    guest = f"user: small, password: hsmall, {needed}"
    written = configuration(host=HOST, ports={"nats": 1, "monitor": 2}, store=str(tmp_path), guests=[guest])
    users = next(line for line in written.split("\njetstream")[0].split("authorization", 1)[1:])
    with NatsServer(f"authorization{users.replace('$' + BUS_PASSWORD, 'hhouse')}") as server:
        yield server, needed


async def _open(_event: BellRung, _context: object) -> DoorOpened:
    return DoorOpened()


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        ("ev.acme.k.door.opened.v1", True),
        ("dead.acme.k.event.deadlettered.v1", True),
        ("$JS.API.CONSUMER.MSG.NEXT.EVENTS.small_open_1", True),
        ("$JS.API.STREAM.INFO.EVENTS", True),
        ("ev.acme.k.bell.rung.v2", False),
        ("ev.acme.k.appointment.booked.v1", False),
        ("$JS.API.CONSUMER.MSG.NEXT.EVENTS.other_open_0", False),
        ("$JS.API.CONSUMER.DELETE.EVENTS.other_open_0", False),
        ("$JS.API.STREAM.DELETE.EVENTS", False),
        ("$JS.API.STREAM.MSG.GET.EVENTS", False),
        ("$JS.ACK.EVENTS.other_open_0.1.1.1.1.1", False),
        ("hayai.plugins.rogue", False),
    ],
)
async def test_the_server_lets_a_plugin_publish_what_it_says_it_does_and_nothing_else(
    guarded: tuple[NatsServer, Permissions], subject: str, allowed: bool
) -> None:
    """Neither another's event, nor a hand on another's consumer or on the streams."""
    server, _ = guarded
    assert await _refusals(server, publish=subject) == ([] if allowed else ["publish"])


@pytest.mark.parametrize("subject", ["ev.>", "_INBOX.>", "_INBOX_rogue.>", "$JS.>", "live.acme.c"])
async def test_the_server_lets_a_plugin_hear_its_own_answers_only(
    guarded: tuple[NatsServer, Permissions], subject: str
) -> None:
    """Neither the events as they pass, nor what others are answered."""
    server, _ = guarded
    assert await _refusals(server, subscribe=subject) == ["subscription"]
    assert await _refusals(server, subscribe="_INBOX_small.x") == []


async def _refusals(server: NatsServer, *, publish: str = "", subscribe: str = "") -> list[str]:
    """Which permissions the server says were violated."""
    refused: list[str] = []

    async def note(wrong: Exception) -> None:
        refused.append(str(wrong).lower())

    client = Client()
    where = server.url.replace("nats://", "nats://small:hsmall@")
    await client.connect(where, error_cb=note, inbox_prefix="_INBOX_small")
    if publish:
        await client.publish(publish, json.dumps({}).encode())
    if subscribe:
        await client.subscribe(subscribe)
    await client.flush()
    await asyncio.sleep(0.05)
    await client.close()
    return [kind for kind in ("publish", "subscription") for each in refused if f"violation for {kind}" in each]
