"""World: real servers, workers forked from a nursery, an oracle beside them, and nothing of it left afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import hayai
from hayai.testing.ledger import describe, ledger_database
from hayai.testing.postgres_server import PostgresServer
from hayai.testing.servers import NatsServer
from tests.chaos.nursery import Child, Nursery
from tests.chaos.oracle import Oracle, Reader
from tests.chaos.verdict import Evidence, tally
from tests.chaos.worker import Spec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from tests.chaos.verdict import Tally

HASTY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "600"}
"""For faults that leave the machine alive: its page cache keeps what a killed Postgres wrote."""
_TABLE = """
create schema chaos; create table chaos.line (name text not null, key text not null, number int not null);
grant usage on schema chaos to hayai_application; grant insert on chaos.line to hayai_application
"""
_ROWS = "select name || '.' || key || '.' || number, count(*) from chaos.line group by 1"
PATIENCE = 60.0


class World:
    """The servers of one scenario; `nats` and `postgres` may be ones that the scenario made, not yet started."""

    def __init__(
        self, *, nats: NatsServer | None = None, postgres: PostgresServer | None = None, partitions: int = 4
    ) -> None:
        self._stack = AsyncExitStack()
        self.nats = nats or NatsServer()
        self.postgres = postgres or PostgresServer(HASTY)
        self.partitions = partitions
        self.folder = Path(tempfile.mkdtemp(prefix="hayai-chaos-"))
        self.oracle = Oracle(self.folder)
        self.reader = Reader(self.folder)
        self.spec = Spec("", "", "")
        """What every worker is told; a scenario replaces what it wants otherwise."""
        self._children: list[Child] = []

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _begin(self) -> None:
        # From this thread, with which they end should the run be killed.
        self._stack.enter_context(self.nats)
        self._stack.enter_context(self.postgres)
        self.database = await asyncio.to_thread(ledger_database, self.postgres)
        await asyncio.to_thread(self.postgres.sql, _TABLE, self.database.name)
        self._nursery = Nursery(self.folder / "logs")
        self._stack.callback(self._nursery.close)
        self.spec = Spec(
            nats=self.nats.url,
            database=await describe(self.database),
            oracle=str(self.folder),
            bus={"partitions": self.partitions},
        )

    async def __aexit__(self, *_: object) -> None:
        for each in self._children:
            each.forget()
        await self._stack.aclose()
        if os.environ.get("HAYAI_CHAOS_KEEP"):
            print(f"  kept {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def fork(self, spec: Spec) -> Child:
        """A worker out of the nursery."""
        child = self._nursery.fork(spec.text())
        self._children.append(child)
        return child

    async def spawn(
        self, spec: Spec, *, before: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> Child:
        """A worker in a process of its own making: behind the command `before`, with variables added."""
        command = [*before, sys.executable, "-m", "tests.chaos.worker", spec.text()]
        log = (self.folder / "logs" / f"spawned-{len(self._children)}").open("ab")
        with log:
            process = await asyncio.create_subprocess_exec(
                *command, env={**os.environ, **(environment or {})}, stdout=log, stderr=log
            )
        child = Child(process.pid)
        self._children.append(child)
        return child

    async def ready(self, *children: Child, seconds: float = PATIENCE, may_die: bool = False) -> None:
        """Return once these are ready, or have died where they may. Raises AssertionError with the end of a log."""
        deadline = time.monotonic() + seconds
        waiting = {each.pid: each for each in children}
        while waiting:
            for each in self.reader.of("ready"):
                waiting.pop(each.by, None)
            dead = [each.pid for each in waiting.values() if not each.lives]
            assert may_die or not dead, self._logs(dead)
            waiting = {pid: each for pid, each in waiting.items() if pid not in dead}
            assert time.monotonic() < deadline, self._logs(list(waiting))
            if waiting:
                await asyncio.sleep(0.05)

    async def crew(self, count: int, **changes: Any) -> list[Child]:
        """That many workers, ready; `changes` are those to the world's spec, from now on.

        Every second one takes the shorter way through nats-py, so that both ways meet each fault, and each other.
        """
        self.spec = spec = replace(self.spec, **changes)
        first = self.fork(spec)
        await self.ready(first)  # it makes the streams
        shorter = replace(spec, bus={**spec.bus, "express": True})
        others = [self.fork(shorter if number % 2 else spec) for number in range(1, count)]
        await self.ready(*others)
        return [first, *others]

    @asynccontextmanager
    async def publisher(self) -> AsyncGenerator[hayai.Bus]:
        """A program outside of the house, as it publishes."""
        async with hayai.connect(self.nats.url, connect_deadline=10) as bus:
            yield bus

    async def install(self, noun: str) -> Spec:
        """The spec of another install, of `noun`, with a database of its own on the same servers.

        None may be connected to the first install's database, which it is a copy of.
        """
        name = await asyncio.to_thread(self.postgres.create, self.database.name)
        return replace(self.spec, database=await describe(self.postgres.database(name)), noun=noun, group=noun)

    async def evidence(self, spec: Spec) -> Evidence:
        """Everything that was seen of that install."""
        rows = await asyncio.to_thread(self.postgres.sql, _ROWS, spec.database_name)
        lines = [line.rpartition("|") for line in rows.splitlines()]
        counted = {name: int(count) for name, _, count in lines}
        return Evidence(list(self.reader.look()), self.oracle.acts(f"{spec.group}_"), counted)

    async def settled(self, spec: Spec | None = None, *, since: int = 0, seconds: float = PATIENCE) -> Tally:
        """What it all came to, once everything acknowledged is handled or the patience is over.

        `since` leaves out the records before that place in waiting, which must have been settled.
        """
        spec = spec or self.spec
        deadline = time.monotonic() + seconds
        lost = True
        while lost and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            lost = bool(tally(Evidence(self.reader.look()[since:]), spec).lost)
        await asyncio.sleep(0.5)  # what should not come may come yet
        return tally(await self.evidence(spec), spec)

    def _logs(self, pids: Sequence[int]) -> str:
        found = [each for pid in pids for each in (self.folder / "logs").glob(f"*-{pid}")]
        told = "\n".join(each.read_text()[-2000:] for each in found)
        return f"workers {list(pids)} are not ready:\n{told or (self.folder / 'logs/nursery').read_text()[-2000:]}"
