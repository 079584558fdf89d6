"""What the faults of the servers do: power goes, disks fill up, clocks jump, replicas take over, leaders die."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import nats
import pytest

from hayai.testing.postgres_server import PostgresServer
from hayai.testing.servers import NatsServer
from tests.chaos.clockjump import LATEST, WallClock
from tests.chaos.cluster import NatsCluster
from tests.chaos.diskfull import SmallDisk
from tests.chaos.power import Disk, cut_broker, cut_postgres
from tests.chaos.standby import followed
from tests.chaos.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk that can lose its power."""
    with Disk() as disk:
        yield disk


@pytest.mark.parametrize(("settings", "kept"), [({}, "1"), ({"fsync": "off"}, "0")], ids=["fsync", "no fsync"])
def test_a_commit_survives_the_loss_of_power_only_where_it_was_synced(
    disk: Disk, settings: dict[str, str], kept: str
) -> None:
    """Else the disk would hold what a machine without power could not have written to it."""
    with PostgresServer(settings, data=disk.place / "data") as server:
        server.sql("create table lamp (number int)")
        server.sql("checkpoint")
        disk.sync()
        server.sql("insert into lamp values (1)")
        before = server.pid
        cut_postgres(server, disk)
        assert server.pid != before
        assert server.sql("select count(*) from lamp") == kept


async def test_an_acknowledged_event_survives_the_loss_of_power(disk: Disk) -> None:
    """The server syncs each write; it is another process afterwards, on the same port."""
    with NatsServer(store=disk.place / "store") as server:
        client = await nats.connect(server.url)
        jetstream = client.jetstream()
        await jetstream.add_stream(name="LAMPS", subjects=["lamp"])
        for _ in range(20):
            await jetstream.publish("lamp", b"lit")
        before = server.server_id
        await asyncio.to_thread(cut_broker, server, disk)
        assert server.server_id != before
        assert (await jetstream.stream_info("LAMPS")).state.messages == 20
        await client.close()


def test_a_full_disk_has_room_again_once_it_is_cleared() -> None:
    """And is writable to the last byte before that."""
    with SmallDisk(8) as disk:
        empty = disk.free
        disk.fill()
        assert disk.free == 0
        with pytest.raises(OSError, match="No space left"):
            (disk.place / "more").write_bytes(bytes(8192))
        (disk.place / "more").unlink()
        disk.clear()
        assert disk.free == empty


def test_a_jump_moves_the_time_of_day_and_not_the_seconds_that_are_counted() -> None:
    """In a process that was running before it."""
    code = "import time\nwhile input(): print(time.time(), time.monotonic(), flush=True)"
    with WallClock() as clock:
        command = [sys.executable, "-c", code]
        with subprocess.Popen(
            command, env=clock.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as asked:
            assert asked.stdin is not None
            assert asked.stdout is not None
            for jump in (0, 600, -600):
                clock.jump(jump)
                time.sleep(LATEST)
                asked.stdin.write("?\n")
                asked.stdin.flush()
                wall, counted = map(float, asked.stdout.readline().split())
                assert abs(wall - time.time() - jump) < 5
                assert abs(counted - time.monotonic()) < 5
            asked.stdin.write("\n")


async def test_what_was_committed_is_on_the_replica_that_takes_over() -> None:
    """Behind the same port, which leads to another server from then on."""
    with PostgresServer({}) as primary, followed(primary) as replica:
        async with Switch(primary.port) as switch:
            url = primary.url("postgres").replace(str(primary.port), str(switch.port))
            ask = [str(primary._bin / "psql"), "-XqAt", url, "-c"]
            await asyncio.to_thread(subprocess.run, [*ask, "create table lamp as select 1 as number"], check=True)
            primary.kill()
            replica.promote()
            switch.point(replica.port)
            await asyncio.to_thread(subprocess.run, [*ask, "insert into lamp values (2)"], check=True)
            assert replica.sql("select count(*) from lamp") == "2"


async def test_a_cluster_finds_another_leader_and_takes_back_the_old_one() -> None:
    """A stream on three servers has another leader once its first is dead, and is whole again after its return."""
    with NatsCluster() as cluster:
        await cluster.ready()
        client = await nats.connect([each.url for each in cluster.servers])
        jetstream = client.jetstream()
        await jetstream.add_stream(name="LAMPS", subjects=["lamp"], num_replicas=3)
        await jetstream.publish("lamp", b"lit")
        leader = await cluster.leader("LAMPS")
        died = leader.kill()
        assert await cluster.leader("LAMPS") is not leader
        leader.restart()
        assert leader.server_id != died
        await cluster.whole("LAMPS")
        await client.close()
