"""Ports: is one free, who holds it, the next free one; and the book that keeps what was chosen."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from hayai.errors import LocalStackRefused
from hayai.local.files import write_whole
from hayai.local.services import HOST, PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

EPHEMERAL = 32768
"""From here on the kernel hands ports to outgoing connections: a listener there may find its port taken."""


def listener(port: int, *, host: str = HOST) -> socket.socket:
    """A socket that listens there; 0 takes any port. Raises OSError where the port is taken."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen()
    except OSError:
        door.close()
        raise
    return door


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    try:
        listener(port).close()
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """Who listens there: "python (pid 123)", or "another process" where the system does not tell."""
    with suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                return f"{psutil.Process(each.pid).name()} (pid {each.pid})"
    return "another process"


def next_free(port: int, *, taken: Iterable[int] = ()) -> int:
    """The first free port above `port` and below the ephemeral ones. Raises LocalStackRefused where there is none."""
    for each in range(port + 1, EPHEMERAL):
        if each not in taken and is_free(each):
            return each
    raise LocalStackRefused(f"No port between {port} and {EPHEMERAL} is free: end a server, or name a lower port.")


class PortBook:
    """What each port of the stack is for -> its number, remembered in the data folder so that URLs stay.

    `wanted` are the operator's own; they win over what was remembered. `notes` says in sentences what was moved.
    """

    def __init__(self, path: Path, wanted: Mapping[str, int]) -> None:
        if strange := sorted({*wanted} - {*PORTS}):
            raise LocalStackRefused(f"There is no port for {', '.join(strange)}: name one of {', '.join(PORTS)}.")
        self._path = path
        self._ports = {**PORTS, **_remembered(path), **wanted}
        self.notes: list[str] = []

    def __getitem__(self, name: str) -> int:
        return self._ports[name]

    def settle(self, names: Iterable[str]) -> None:
        """Give each of `names` a port that is free now, and remember all."""
        for name in names:
            self.move_if_taken(name)
        self.save()

    def save(self) -> None:
        """Write the numbers down for the next start."""
        write_whole(self._path, json.dumps(self._ports, indent=1, sort_keys=True))

    def move_if_taken(self, name: str) -> bool:
        """Take the next free port for `name` where its own is taken; whether it moved."""
        port, others = self._ports[name], {number for other, number in self._ports.items() if other != name}
        if port not in others and is_free(port):
            return False
        culprit = "another part of Hayai" if port in others else holder(port)
        self._ports[name] = next_free(port, taken=others)
        self.notes.append(f"Port {port} ({name}) is held by {culprit}; using {self._ports[name]}.")
        return True


def _remembered(path: Path) -> dict[str, int]:
    with suppress(OSError, ValueError, AttributeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {name: port for name, port in kept.items() if name in PORTS and isinstance(port, int)}
    return {}
