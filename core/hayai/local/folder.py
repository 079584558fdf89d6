"""The data folder: made, checked for room and rights, and the places in it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused
from hayai.local.files import disk_troubles

if TYPE_CHECKING:
    from pathlib import Path

LEAST_FREE = 300 * 2**20
"""Bytes that must be free: a new Postgres takes 70 MB, and a bus on a full disk stays down until somebody looks."""


@dataclass(frozen=True)
class Folder:
    """Where one local stack keeps everything; `data` is absolute."""

    data: Path

    @property
    def logs(self) -> Path:
        """What the servers say."""
        return self.data / "logs"

    @property
    def run(self) -> Path:
        """Who the running servers are, for the start after a crash."""
        return self.data / "run"

    @property
    def keys(self) -> Path:
        """Keys that a plugin made for itself, such as the one that signs the chat's sessions."""
        return self.data / "keys"

    @property
    def lock(self) -> Path:
        """Held while a stack runs here."""
        return self.data / "lock"

    @property
    def ports(self) -> Path:
        """The ports that were chosen."""
        return self.data / "ports.json"

    @property
    def credentials(self) -> Path:
        """The passwords of the servers."""
        return self.data / "credentials"

    def is_used(self) -> bool:
        """Whether a stack has begun here: it leaves three files, of which one may have been deleted since."""
        return sum(each.is_file() for each in (self.lock, self.ports, self.credentials)) > 1


def open_folder(data: Path) -> Folder:
    """Make the folder where it is missing. Raises LocalStackRefused where it cannot be used."""
    if os.name != "posix":
        raise LocalStackRefused(
            "The local stack runs on Linux and macOS: on Windows, run it inside WSL, or use compose.yaml."
        )
    folder = Folder(data.expanduser().resolve())
    _refuse_strangers(folder)
    with disk_troubles(folder.data):
        if not folder.data.exists():
            folder.data.mkdir(parents=True)
            # Root's servers run as another user, who passes through here; what is inside has rights of its own.
            folder.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for each in (folder.logs, folder.run):
            each.mkdir(mode=0o700, exist_ok=True)
    if not os.access(folder.data, os.W_OK | os.X_OK):
        raise LocalStackRefused(
            f"{folder.data} cannot be written: make it yours, or choose another folder with --data."
        )
    refuse_full(folder.data)
    return folder


def _refuse_strangers(folder: Folder) -> None:
    """Raises LocalStackRefused where somebody else keeps things under our names: a reset would delete them."""
    ours = (folder.logs, folder.run, folder.data / "nats", folder.data / "postgres")
    taken = [each.name for each in ours if each.is_dir() and os.access(each, os.R_OK) and any(each.iterdir())]
    if taken and not folder.is_used():
        raise LocalStackRefused(
            f"{folder.data} holds {', '.join(taken)} that Hayai did not make: choose an empty folder with --data."
        )


def refuse_full(data: Path, *, least: int = LEAST_FREE) -> None:
    """Raises LocalStackRefused where fewer than `least` bytes are free."""
    free = shutil.disk_usage(data).free
    if free < least:
        raise LocalStackRefused(
            f"Only {free // 2**20} MB are free on the disk of {data}, and Hayai needs {least // 2**20}: "
            "free some space, or choose another folder with --data."
        )
