"""The bus on NATS through the deaths of servers and processes: what was acknowledged is handled."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

from hayai.bus import jetstream
from hayai.bus.base import live_topic
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import Unavailable
from hayai.testing.bus_words import PATIENCE, BellRung, DoorOpened, Ears
from hayai.testing.servers import NatsServer, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from hayai.handlers import Context

pytestmark = pytest.mark.fault


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own, to be killed."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus, None]:
    """A bus with short waits, stopped afterwards."""
    bus = NatsBus(NatsSettings.model_validate({"url": server.url, "ack_wait": 1, "heartbeat": 0.2, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


def reborn(server: NatsServer, died: str) -> None:
    """Start the server again and see that it is another one."""
    server.start()
    assert server.server_id != died


@pytest.mark.parametrize("express", [False, True])
async def test_a_server_that_is_killed_under_load_costs_no_acknowledged_event(
    server: NatsServer, *, express: bool
) -> None:
    """Three SIGKILLs while events are published and handled: each acknowledged one is handled, with its follow-up."""
    acknowledged: list[int] = []

    async def publish_all(bus: NatsBus) -> None:
        for number in range(150):
            await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number % 7}")
            acknowledged.append(number)
            await asyncio.sleep(0.005)

    async def open_door(event: BellRung, _context: Context) -> DoorOpened:
        await asyncio.sleep(0.002)
        return DoorOpened(number=event.number)

    async with started(server, express=express) as bus:
        bells, doors = Ears(open_door), Ears()
        await bells.listen(bus)
        await doors.listen(bus, DoorOpened)
        publishing = asyncio.create_task(publish_all(bus))
        for _ in range(3):
            await asyncio.sleep(0.25)
            died = await asyncio.to_thread(server.kill)
            await asyncio.to_thread(reborn, server, died)
        await publishing
        await bells.until(len(acknowledged))
        await doors.until(len(acknowledged))
        print(f"{len(acknowledged)} acknowledged, {len(bells.events)} and {len(doors.events)} handled")
        assert set(doors.numbers) == set(bells.numbers) == set(acknowledged) == set(range(150))
        assert await bus.dead_letters() == []


async def test_pulling_goes_on_at_once_when_the_server_is_back(server: NatsServer) -> None:
    """An idle handler, whose request died with the server, gets the next event without waiting for anything."""
    async with started(server, heartbeat=10) as bus:
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.until(1)
        reborn(server, server.kill())
        await bus.publish(BellRung(number=2), tenant="acme")
        await ears.until(2)


async def test_publishing_waits_out_an_outage(server: NatsServer) -> None:
    """An event that is published while the server is down is stored once it is back, and then once only."""
    async with started(server) as bus:
        ears = Ears()
        await ears.listen(bus)
        died = server.kill()
        publishing = asyncio.create_task(bus.publish(BellRung(number=1), tenant="acme", key="k"))
        await asyncio.sleep(0.3)
        assert not publishing.done()
        await asyncio.to_thread(reborn, server, died)
        await asyncio.wait_for(publishing, PATIENCE)
        await bus.publish(BellRung(number=2), tenant="acme", key="k")
        await ears.until(2)
        assert ears.numbers == [1, 2]


async def test_an_outage_longer_than_the_deadline_is_one_sentence(server: NatsServer) -> None:
    """Publishing and checking say where the server should be and what to do."""
    async with started(server, publish_deadline=0.3) as bus:
        server.kill()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+ has been away too long: start it again"):
            await bus.publish(BellRung(), tenant="acme")
        with pytest.raises(Unavailable, match="away too long"):
            await bus.check()


async def test_a_handler_that_runs_through_an_outage_ends_once(server: NatsServer) -> None:
    """Its acknowledgement waits for the server; the redelivery of what is in work starts nothing."""
    entered, released = asyncio.Event(), asyncio.Event()

    async def linger(event: BellRung, _context: Context) -> DoorOpened:
        entered.set()
        await released.wait()
        return DoorOpened(number=event.number)

    async with started(server) as bus:
        bells, doors = Ears(linger), Ears()
        await bells.listen(bus)
        await doors.listen(bus, DoorOpened)
        await bus.publish(BellRung(number=1), tenant="acme")
        await entered.wait()
        died = server.kill()
        await asyncio.to_thread(reborn, server, died)
        await asyncio.sleep(1.5)  # the ack_wait of the time before has run out
        released.set()
        await doors.until(1)
        await asyncio.sleep(0.3)
        assert (bells.numbers, doors.numbers) == ([1], [1])


async def test_a_listener_hears_again_after_an_outage(server: NatsServer) -> None:
    """A page that was open before the server died goes on; pieces of the time in between are lost."""
    topic = live_topic("acme", "talk")
    async with started(server) as bus, bus.listen(topic) as pieces:
        died = server.kill()
        await asyncio.sleep(0.1)
        await bus.signal(topic, b"lost")
        await asyncio.to_thread(reborn, server, died)
        await bus.publish(BellRung(), tenant="acme")  # returns when the bus is back
        await bus.signal(topic, b"heard")
        assert await asyncio.wait_for(anext(pieces), PATIENCE) == b"heard"


async def test_a_server_whose_store_was_wiped_is_set_up_anew(server: NatsServer) -> None:
    """Streams and consumers are made again; the handler hears what is published from then on."""
    with tempfile.TemporaryDirectory() as store, NatsServer(store=Path(store) / "kept") as forgetful:
        async with started(forgetful) as bus:
            ears = Ears()
            await ears.listen(bus)
            for number in range(3):
                await bus.publish(BellRung(number=number), tenant="acme", key="k")
            await ears.until(3)
            died = forgetful.kill()
            shutil.rmtree(Path(store) / "kept")
            await asyncio.to_thread(reborn, forgetful, died)
            await bus.publish(BellRung(number=3), tenant="acme", key="k")
            await ears.until(4)
            assert ears.numbers == [0, 1, 2, 3]


@pytest.mark.parametrize("express", [False, True])
async def test_a_server_that_hangs_is_left_for_a_new_connection(server: NatsServer, *, express: bool) -> None:
    """It holds its connections and answers nothing; when it answers again the handlers go on."""
    async with started(server, express=express) as bus:
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.until(1)
        server.pause()
        await asyncio.sleep(1.5)
        server.resume()
        await bus.publish(BellRung(number=2), tenant="acme")
        await ears.until(2)


class Line:
    """A proxy in front of a server, whose open connections can be made to carry nothing while they stay open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cuts: list[asyncio.Event] = []
        self._writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """From now on nothing passes on the connections that are open; new ones are sound."""
        for cut in self._cuts:
            cut.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, both ways."""
        cut = asyncio.Event()
        self._cuts.append(cut)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._carry(reader, far_writer, cut), self._carry(far_reader, writer, cut))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not cut.is_set():
                    writer.write(data)
        writer.close()

    async def hang_up(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)


async def test_a_line_that_goes_dead_is_replaced(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing closes it: the heartbeats that do not come are what tells."""
    monkeypatch.setattr(jetstream, "_SECONDS", 0.3)
    line = Line(server.port)
    proxy = await asyncio.start_server(line.connect, "127.0.0.1", free_port())
    port = proxy.sockets[0].getsockname()[1]
    bus = NatsBus(NatsSettings(url=f"nats://127.0.0.1:{port}", ack_wait=1, heartbeat=0.2))
    await bus.start()
    ears = Ears()
    await ears.listen(bus)
    line.cut()
    async with started(server) as elsewhere:
        await elsewhere.publish(BellRung(number=1), tenant="acme")
    started_at = asyncio.get_running_loop().time()
    await ears.until(1)
    assert asyncio.get_running_loop().time() - started_at < 5, "only the library's own pings noticed"
    await bus.stop()
    await line.hang_up()
    proxy.close()
    await proxy.wait_closed()


async def test_a_connection_that_the_server_ends_for_good_is_begun_anew() -> None:
    """After a violation of the protocol the client library gives up; the bus does not."""
    with NatsServer("max_control_line: 600") as strict:
        async with started(strict) as bus, bus.listen(live_topic("acme", "talk")) as pieces:
            ears = Ears()
            await ears.listen(bus)
            await bus.signal("live." + "x" * 700, b"")
            await asyncio.sleep(0.1)
            await bus.publish(BellRung(number=1), tenant="acme")
            await ears.until(1)
            await bus.signal(live_topic("acme", "talk"), b"heard")
            assert await asyncio.wait_for(anext(pieces), PATIENCE) == b"heard"


CONSUMER = """
    import asyncio, sys
    from hayai.bus.nats import NatsBus, NatsSettings
    from hayai.testing.bus_words import BellRung, Ears

    async def work(event, context):
        print(event.number, flush=True)
        if event.number == 3:
            await asyncio.sleep(60)

    async def main(url, name):
        bus = NatsBus(NatsSettings(url=url, ack_wait=1, heartbeat=0.2))
        await bus.start()
        ears = Ears(work)
        ears.name = name
        await ears.listen(bus)
        print("ready", flush=True)
        await asyncio.sleep(60)

    asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_a_killed_process_had_in_hand_is_handled_by_another(server: NatsServer) -> None:
    """Its silence lasts an ack_wait; then the event in work and those behind it are delivered again, in order."""
    ears = Ears()
    command = [sys.executable, "-c", textwrap.dedent(CONSUMER), server.url, ears.name]
    async with started(server) as bus:
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        try:
            assert await asyncio.wait_for(child.stdout.readline(), PATIENCE) == b"ready\n"
            for number in range(6):
                await bus.publish(BellRung(number=number), tenant="acme", key="k")
            told = [await asyncio.wait_for(child.stdout.readline(), PATIENCE) for _ in range(4)]
            await until_in_hand(server, f"{ears.name}_hear_0", 3)
        finally:
            child.kill()
            await child.wait()
        assert told == [b"0\n", b"1\n", b"2\n", b"3\n"]
        await ears.listen(bus)
        await ears.until(3)
        assert ears.numbers == [3, 4, 5]
        assert [context.attempt for context in ears.contexts] == [2, 2, 2]


async def until_in_hand(server: NatsServer, consumer: str, count: int) -> None:
    """Return once the server waits for that many acknowledgements of the consumer."""
    client = Client()
    await client.connect(server.url)
    for _ in range(int(PATIENCE / 0.05)):
        answer = await client.request(f"$JS.API.CONSUMER.INFO.EVENTS.{consumer}", timeout=5)
        if json.loads(answer.data)["num_ack_pending"] == count:
            break
        await asyncio.sleep(0.05)
    await client.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 8 MB."""
    with tempfile.TemporaryDirectory() as place:
        mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("mounting a small file system is not permitted here")
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


async def publish_large(bus: NatsBus, acknowledged: list[int]) -> None:
    """Publish more than a small disk holds, and note what was acknowledged."""
    for number in range(2, 40):
        await bus.publish(BellRung(number=number, who="x" * 100_000), tenant="acme")
        acknowledged.append(number)


async def test_a_disk_too_small_for_the_streams_is_one_sentence(small_disk: Path) -> None:
    """The stream's limit is promised to it at its creation, and there is no such room."""
    with NatsServer(store=small_disk / "store") as server:
        bus = NatsBus(NatsSettings(url=server.url))
        with pytest.raises(Unavailable, match=r"EVENTS .*2147483648 bytes .*storage.*lower"):
            await bus.start()
        await bus.stop()


async def test_a_full_disk_refuses_says_what_to_do_and_loses_nothing(small_disk: Path) -> None:
    """Publishing and checking raise a sentence; with space and a restart, all that was acknowledged is handled."""
    filler, acknowledged = small_disk / "filler", [1]
    with NatsServer(store=small_disk / "store") as server:
        async with started(server, max_bytes=4 * 1024**2, dead_letter_bytes=1024**2, publish_deadline=0.5) as bus:
            ears = Ears()
            await ears.listen(bus)
            await bus.publish(BellRung(number=1), tenant="acme")
            free = os.statvfs(small_disk)
            filler.write_bytes(b"x" * (free.f_bavail * free.f_frsize - 300_000))
            with pytest.raises(Unavailable, match=r"no space is left on its disk, free some and restart it"):
                await publish_large(bus, acknowledged)
            with pytest.raises(Unavailable, match=r"acknowledges nothing"):
                await bus.check()
            died = server.kill()
            filler.unlink()
            await asyncio.to_thread(reborn, server, died)
            await bus.check()
            await bus.publish(BellRung(number=99), tenant="acme")
            await ears.until(len(acknowledged) + 1)
            assert set(ears.numbers) >= {*acknowledged, 99}
