"""Texting: an install with the receptionist and the text channel, in one process or several, and the line to it.

Everything but the telephone network is real: NATS, Postgres, `hayai run`, the receptionist.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from hayai.testing.servers import free_port
from hayai_twilio.simulator.line import OURS, TOKEN, Line, demo_account
from hayai_twilio.simulator.twilio import SimulatedTwilio, serving

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator

    from hayai.testing.bus_install import Servers

ROOT = Path(__file__).parents[2]
ORIGIN = "https://sms.example"
SEED = 20261123
TENANT = "harbor-dental"
SMS = """
[channel.sms]
account_sid = "{account}"
auth_tokens = ["{token}"]
numbers = {{ "{ours}" = "{tenant}" }}
public_url = "{origin}"
api_url = "{api}"
messages_per_second = 1000
settling = 0.5
timeout = 3
"""


class Replica:
    """One `hayai run` on a port of its own, to be killed and started again."""

    def __init__(self, servers: Servers, *command: str) -> None:
        self._servers = servers
        self._command = command or ("-m", "hayai.cli.main", "run")
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process: Process | None = None

    async def start(self) -> int:
        """Start it; its process id, once it is ready."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("HAYAI_")}
        environment = {**others, "HAYAI_TIER": "tier.toml", "HAYAI_WEB__PORT": str(self._port), "PYTHONPATH": str(ROOT)}
        log = self._servers.folder / f"{self._port}.log"
        with log.open("ab") as errors:
            self.process = process = await asyncio.create_subprocess_exec(
                sys.executable, *self._command, cwd=self._servers.folder, env=environment, stdout=PIPE, stderr=errors
            )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            told = (await process.stdout.readline()).decode()
        assert "ready" in told, log.read_text()
        return process.pid

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert await self.process.wait() == -signal.SIGKILL

    async def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


@asynccontextmanager
async def standing(servers: Servers, replicas: int = 2) -> AsyncGenerator[tuple[Line, list[Replica]]]:
    """So many replicas, ready, and the line to each in turn: to those that are in the list, which may change."""
    running = [Replica(servers) for _ in range(replicas)]
    turns = count()
    twilio = SimulatedTwilio(
        demo_account(),
        via=lambda url: url.replace(ORIGIN, running[next(turns) % len(running)].url, 1),
        disorder=random.Random(SEED),
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serving(twilio))
        _write(servers, api)
        migrated = await servers.hayai("migrate", "--json")
        assert migrated.status == 0, migrated.err
        for each in running:
            stack.push_async_callback(each.stop)
            await each.start()
        yield Line(twilio, ORIGIN), running


def _write(servers: Servers, api: str) -> None:
    """The tier file: the agents, a practice, and the text channel at the simulated Twilio."""
    servers.write(agents='"consent", "receptionist"')
    file = servers.folder / "tier.toml"
    named = f'channels = ["sms"]\nbusinesses = ["hayai_receptionist:practices/dentist.toml"]\n{file.read_text()}'
    account = demo_account().sid
    owner = servers.database.server.url(servers.database.name)
    named = named.replace("[database]\n", f'[database]\nowner_url = "{owner}"\n')
    file.write_text(named + SMS.format(account=account, token=TOKEN, ours=OURS, tenant=TENANT, origin=ORIGIN, api=api))
