"""An install for the tests of commands that look at the bus: real servers, a tier file, and the command as a child."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from subprocess import PIPE
from typing import TYPE_CHECKING, Any

from hayai.bus.nats import NatsBus, NatsSettings
from hayai.ledger.ledger import Ledger
from hayai.ledger.relay import Relay
from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.runtime.assembly import components
from hayai.testing.postgres_server import APPLICATION
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

TIER = """
tier = "local"
agents = [{agents}]
[bus]
adapter = "nats"
url = "{nats}"
partitions = {partitions}
{bus}
[database]
adapter = "postgres"
url = "{postgres}"
[calendar]
adapter = "postgres"
[conversations]
adapter = "postgres"
[people]
adapter = "postgres"
[consents]
adapter = "postgres"
[identity]
adapter = "postgres"
"""


@dataclass(frozen=True)
class Told:
    """What a command printed, and its exit status."""

    out: str
    err: str
    status: int


@dataclass(frozen=True)
class Servers:
    """A NATS server, a database with every table, and the tier file in `folder` that names both."""

    nats: NatsServer
    database: ServedDatabase
    folder: Path
    partitions: int = 2

    def write(self, *, agents: str = "", bus: str = "") -> None:
        """The tier file, with these agents (as TOML strings) and further lines under [bus]."""
        text = TIER.format(
            nats=self.nats.url,
            partitions=self.partitions,
            postgres=self.database.server.url(self.database.name, user=APPLICATION),
            agents=agents,
            bus=bus,
        )
        (self.folder / "tier.toml").write_text(text)

    def sql(self, statement: str) -> str:
        """Run it as the superuser."""
        return self.database.server.sql(statement, self.database.name)

    async def begin(self, *arguments: str) -> Process:
        """The command `hayai`, begun."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAYAI_")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hayai.cli.main",
            *arguments,
            cwd=self.folder,
            env={**environment, "HAYAI_TIER": "tier.toml"},
            stdout=PIPE,
            stderr=PIPE,
        )

    async def hayai(self, *arguments: str) -> Told:
        """The command `hayai`, run to its end."""
        process = await self.begin(*arguments)
        out, err = await process.communicate()
        return Told(out.decode(), err.decode(), process.returncode or 0)

    async def asked(self, *arguments: str) -> Any:
        """What `hayai` prints with --json."""
        told = await self.hayai(*arguments, "--json")
        assert told.out, told.err
        return json.loads(told.out)

    @asynccontextmanager
    async def bus(self, **settings: Any) -> AsyncGenerator[NatsBus]:
        """A bus with its ledger and relay at work in this process."""
        async with ledgered_bus(self.nats, self.database, partitions=self.partitions, **settings) as bus:
            yield bus


@contextmanager
def installed(postgres: PostgresServer, folder: Path, *, agents: str = "", nats: str = "") -> Generator[Servers]:
    """Servers of a test's own, with every table, and a tier file in `folder` with these agents (as TOML strings).

    `nats` are further lines of the NATS server's configuration. Not for use within an event loop.
    """
    database = postgres.database(postgres.create())
    asyncio.run(migrate(database, components()[0]))
    with NatsServer(nats) as server:
        servers = Servers(server, database, folder)
        servers.write(agents=agents)
        yield servers


@asynccontextmanager
async def ledgered_bus(nats: NatsServer, database: ServedDatabase, **settings: Any) -> AsyncGenerator[NatsBus]:
    """A bus with its ledger and relay at work in this process, stopped afterwards."""
    pools = Pool(database, role="ledger"), Pool(database)
    for pool in pools:
        await pool.start()
    bus = NatsBus(NatsSettings.model_validate({"url": nats.url, **settings}), ledger=Ledger(*pools))
    await bus.start()
    relay = Relay(pools[0], bus.send_all)
    await relay.start()
    try:
        yield bus
    finally:
        await relay.stop()
        await bus.stop()
        for pool in pools:
            await pool.stop()
