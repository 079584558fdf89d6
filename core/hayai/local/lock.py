"""One `hayai dev` a data folder: a lock that the kernel lifts at its holder's death, whatever the death."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil

from hayai.errors import LocalStackRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class FolderLock:
    """Held from acquire() to release(); `killed` is the pid of a holder that never released it, if there was one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self.killed: int | None = None

    def acquire(self) -> None:
        """Raises LocalStackRefused with the holder's pid and URLs where the folder is in use."""
        import fcntl  # not on Windows, where folder.py refuses first

        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = _read(handle)
            os.close(handle)
            raise LocalStackRefused(_in_use(self._path, told)) from None
        self._handle = handle
        self.killed = _read(handle).get("pid")
        self.tell({})

    def tell(self, urls: Mapping[str, str]) -> None:
        """Write down who holds the lock and where it answers, for the one who comes second."""
        self._write(json.dumps({"pid": os.getpid(), "urls": dict(urls)}))

    def release(self) -> None:
        """Give the folder back; safe to call twice."""
        if self._handle is not None:
            self._write("")
            os.close(self._handle)
            self._handle = None

    def _write(self, text: str) -> None:
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, text.encode(), 0)


def holder(path: Path) -> int | None:
    """The pid of the process that holds the lock at `path`, None where nobody does; takes no lock itself."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pid = _read(handle).get("pid")
    finally:
        os.close(handle)
    return pid if isinstance(pid, int) and psutil.pid_exists(pid) else None


def _read(handle: int) -> dict[str, Any]:
    with suppress(ValueError, TypeError):
        told: Any = json.loads(os.pread(handle, 10_000, 0))
        return dict(told)
    return {}


def _in_use(path: Path, told: Mapping[str, Any]) -> str:
    where = ", ".join(told.get("urls", {}).values()) or "still starting"
    return (
        f"Hayai already runs on {path.parent} (pid {told.get('pid', 'unknown')}): {where}. "
        "Stop that one first, or choose another folder with --data."
    )
