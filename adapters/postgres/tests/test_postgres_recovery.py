"""Postgres killed and started again, and a full disk: nothing acknowledged is lost, and all goes on by itself."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hayai.errors import Unavailable
from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.ports.base import Settings
from hayai.testing.conversations import line
from hayai.testing.postgres_server import PostgresServer
from hayai_postgres.conversations import PostgresConversations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRITERS = 8
KILLS = 3

pytestmark = pytest.mark.fault


class Load:
    """Writers that append line after line, each to its own conversation, and try the same line again after an error."""

    def __init__(self, pool: Pool) -> None:
        self.conversations = PostgresConversations(Settings(), pool=pool)
        self.acknowledged = [0] * WRITERS
        self.errors: list[BaseException] = []
        self._news = asyncio.Condition()
        self._stop = False

    async def run(self, writer: int) -> None:
        """Until finish()."""
        while not self._stop:
            try:
                number = self.acknowledged[writer] + 1
                await self.conversations.append("smile-dental", f"conversation-{writer}", line(number))
                self.acknowledged[writer] = number
            except Exception as error:  # noqa: BLE001 - the test looks at every kind
                self.errors.append(error)
                await asyncio.sleep(0.02)
            async with self._news:
                self._news.notify_all()

    async def until_all_have(self, more: int) -> None:
        """Return when each writer has had that many further lines acknowledged."""
        goal = [each + more for each in self.acknowledged]
        await self._until(lambda: all(each >= wanted for each, wanted in zip(self.acknowledged, goal, strict=True)))

    async def until_another_error(self) -> None:
        """Return when a writer has seen one error more."""
        seen = len(self.errors)
        await self._until(lambda: len(self.errors) > seen)

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(happened)

    def finish(self) -> None:
        """Let every writer end after its line."""
        self._stop = True


@pytest.fixture
def durable() -> Iterator[PostgresServer]:
    """A server of its own, with Postgres's own settings: what it acknowledges is on the disk."""
    with PostgresServer({}) as server:
        yield server


async def test_a_killed_server_is_found_again_and_nothing_acknowledged_is_lost(
    durable: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """SIGKILL to the postmaster under load, again and again: only Unavailable is seen, and all goes on by itself."""
    database = durable.database(durable.create())
    await migrate(database, {"ground": files("hayai_postgres.migrations.ground")})
    pool = Pool(database, size=WRITERS)
    await pool.start()
    load = Load(pool)
    writers = [asyncio.create_task(load.run(each)) for each in range(WRITERS)]
    pids = {durable.pid}
    for _ in range(KILLS):
        await load.until_all_have(20)
        await asyncio.to_thread(durable.kill)
        await load.until_another_error()
        durable.start()
        pids.add(durable.pid)
    await load.until_all_have(20)
    load.finish()
    await asyncio.gather(*writers)
    kept = [
        await load.conversations.lines("smile-dental", f"conversation-{each}", limit=100_000) for each in range(WRITERS)
    ]
    await pool.stop()
    print(f"{sum(load.acknowledged)} lines acknowledged, {len(load.errors)} errors, {len(pids)} servers")
    assert len(pids) == KILLS + 1
    assert {type(each) for each in load.errors} == {Unavailable}
    assert [[each.position for each in lines] for lines in kept] == [
        [*range(1, each + 1)] for each in load.acknowledged
    ]
    assert [[each.id for each in lines] for lines in kept] == [
        [f"event-{number}" for number in range(1, each + 1)] for each in load.acknowledged
    ]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 8 MB that `nobody` may write to; needs the right to mount."""
    folder = Path(tempfile.mkdtemp(prefix="hayai-small-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,uid=65534,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("only a user who may mount a file system can fill one")
    shutil.chown(folder, "nobody")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


async def test_a_full_disk_is_one_sentence_and_goes_away_with_space(small_disk: Path) -> None:
    """The line that did not fit is refused as Unavailable, those before stay, and freed space is enough to go on."""
    with PostgresServer() as server:
        database = server.database(server.create())
        server.sql(f"create tablespace small location '{small_disk}'")
        await migrate(database, {"ground": files("hayai_postgres.migrations.ground")})
        server.sql("alter table hayai.line set tablespace small", database.name)
        pool = Pool(database)
        await pool.start()
        conversations = PostgresConversations(Settings(), pool=pool)
        ballast = small_disk / "ballast"
        ballast.write_bytes(os.urandom(7 * 1024 * 1024))
        text = os.urandom(100_000).hex()

        async def append_many() -> None:
            for number in range(100):
                await conversations.append("smile-dental", "conversation-a", line(number, text))

        with pytest.raises(Unavailable, match=r"disk of the Postgres server is full: .* nothing was changed"):
            await append_many()
        kept = await conversations.lines("smile-dental", "conversation-a")
        ballast.unlink()
        after = await conversations.append("smile-dental", "conversation-a", line(1000, text))
        await pool.stop()
    assert after.position == len(kept) + 1 > 1
