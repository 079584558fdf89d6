"""Standby: a replica of a Postgres that has every commit on its disk before the client hears of it, and takes over."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hayai.ports.database import Address, Database
from hayai.testing.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Generator

    from hayai.ports.database import Role

# A standby that lost its primary looks for it before it heeds a promotion, every five seconds unless told otherwise.
_ALERT = {"wal_retrieve_retry_interval": "100ms"}
_SHORT = 0.02


class Replica(PostgresServer):
    """A hot standby of `primary`, which runs: made from a base backup of it."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__({**primary.settings, **_ALERT})
        self._primary = primary
        self.password, self.application_password = primary.password, primary.application_password

    def promote(self) -> None:
        """Make it a primary; returns when it takes writes."""
        self.sql("select pg_promote(wait => true)")
        self.sql("alter system reset synchronous_standby_names")
        self.sql("select pg_reload_conf()")

    def _fill(self) -> None:
        primary = self._primary.url("postgres").rpartition("/")[0]
        subprocess.run(
            [str(self._bin / "pg_basebackup"), "-D", str(self.data), "-d", primary, "-R", "--checkpoint=fast",
             "--no-sync"],
            check=True, capture_output=True, **self._run_as,
        )  # fmt: skip


@contextmanager
def followed(primary: PostgresServer) -> Generator[Replica]:
    """A replica that has on its disk whatever the primary says is committed from now on."""
    with Replica(primary) as replica:
        primary.sql("alter system set synchronous_standby_names = '*'")
        primary.sql("select pg_reload_conf()")
        while primary.sql("select sync_state from pg_stat_replication") != "sync":
            time.sleep(_SHORT)
        yield replica


class Behind(Database):
    """The same database, reached through another port."""

    def __init__(self, database: Database, port: int) -> None:
        self._database = database
        self._port = port

    async def address(self, role: Role) -> Address:
        """The address with that port."""
        known = await self._database.address(role)
        return Address(known.host, self._port, known.database, known.user, known.password, known.tls)
