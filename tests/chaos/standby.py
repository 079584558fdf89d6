"""Standby: a primary Postgres, a replica that has every commit before the client hears of it, and a switch in front.

Clients know the switch's address alone, as they know a load balancer's or a managed database's.
"""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from hayai.ports.database import Address, Database
from hayai.testing.postgres_server import PostgresServer
from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from typing import Self

    from hayai.ports.database import Role

_IN_TIME = {"synchronous_standby_names": "*"}
# A standby that lost its primary looks for it before it heeds a promotion, every five seconds unless told otherwise.
_ALERT = {"wal_retrieve_retry_interval": "100ms"}
_SHORT = 0.02
_PIECE = 1 << 16


class Replica(PostgresServer):
    """A hot standby of `primary`, made from a base backup of it while it runs."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__(_ALERT)
        self._primary = primary
        self.password, self.application_password = primary.password, primary.application_password

    def promote(self) -> None:
        """Make it a primary; returns when it takes writes."""
        self.sql("select pg_promote(wait => true)")

    def _fill(self) -> None:
        primary = self._primary.url("postgres").rpartition("/")[0]
        subprocess.run(
            [str(self._bin / "pg_basebackup"), "-D", str(self.data), "-d", primary, "-R", "--checkpoint=fast",
             "--no-sync"],
            check=True, capture_output=True, **self._run_as,
        )  # fmt: skip


class Pair:
    """A primary and its synchronous replica, from entering to leaving; `primary` is whoever takes the writes."""

    def __init__(self) -> None:
        self.primary: PostgresServer = PostgresServer({})
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the primary alone."""
        self._stack.enter_context(self.primary)
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever runs."""
        self._stack.close()

    def follow(self) -> Replica:
        """Start a replica; from when this returns no commit is told of before the replica has it on its disk."""
        replica = self._stack.enter_context(Replica(self.primary))
        self.primary.sql("alter system set synchronous_standby_names = '*'")
        self.primary.sql("select pg_reload_conf()")
        while self.primary.sql("select sync_state from pg_stat_replication") != "sync":
            pass
        return replica

    def fail_over(self, replica: Replica) -> None:
        """The primary is killed, and the replica takes its place; returns when it takes writes."""
        self.primary.kill()
        replica.promote()
        self.primary = replica


class Switch:
    """A door at one port that leads to another; a context manager, in the running loop."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        """Open the door."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it, and drop whoever is inside."""
        assert self._server is not None
        self._server.close()
        self.point(self._target)

    def point(self, target: int) -> None:
        """Lead there from now on, and drop the connections that led elsewhere."""
        self._target = target
        for each in list(self._open):
            each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
            both = {writer, their_writer}
            self._open |= both
            try:
                async with asyncio.TaskGroup() as pipes:
                    pipes.create_task(_pour(reader, their_writer))
                    pipes.create_task(_pour(their_reader, writer))
            finally:
                self._open -= both
        writer.transport.abort()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side hangs up; then the other is hung up on."""
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    writer.transport.abort()


class Behind(Database):
    """The same database, reached through another port."""

    def __init__(self, database: Database, port: int) -> None:
        self._database = database
        self._port = port

    async def address(self, role: Role) -> Address:
        """The address with that port."""
        known = await self._database.address(role)
        return Address(known.host, self._port, known.database, known.user, known.password, known.tls)
