"""A child process that never outlives its parent: own session, parent-death signal, log file, identity on disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from hayai.local import child
from hayai.local.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LOG_LIMIT = 10_000_000
"""Bytes of a log that is put aside (as NAME.log.1) at the next start."""


@dataclass(frozen=True)
class Command:
    """What to run, and how to end it.

    `user`: whom root becomes for it. `endings`: signals with the seconds that each may take; SIGKILL follows.
    `marker`: the argument by which leftovers.py knows the process again.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    record: Path
    marker: str
    user: str | None = None
    endings: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 10.0),)
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def wrapped(self) -> list[str]:
        """The command line that ties the child to this process."""
        tie = [str(os.getpid()), str(int(self.endings[0][0])), self.user or ""]
        return [sys.executable, "-I", "-S", str(child.__file__), *tie, *self.arguments]


class Child:
    """One running child. Start it in the thread that lives longest: the kernel counts a thread as the parent."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process) -> None:
        self.command = command
        self._process = process

    @classmethod
    async def start(cls, command: Command) -> Child:
        """Spawn it and write down who it is; it may not be ready yet."""
        log = await asyncio.to_thread(_open_log, command.log)
        try:
            process = await asyncio.create_subprocess_exec(
                *command.wrapped(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=bare_environment(command.environment),
                start_new_session=True,
            )
        finally:
            os.close(log)
        started = cls(command, process)
        try:
            await asyncio.to_thread(_write_record, command, process.pid)
        except BaseException:
            await started.stop()
            raise
        return started

    @property
    def pid(self) -> int:
        """The process id; the child's process group has the same number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code, once it has ended; a signal is a negative number."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End it, asking politely first; safe to call twice."""
        for number, seconds in self.command.endings:
            if await self._ended_by(number, seconds):
                break
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()
        await asyncio.to_thread(self.command.record.unlink, missing_ok=True)

    async def _ended_by(self, number: signal.Signals, seconds: float) -> bool:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True


def bare_environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a server gets to see of the environment: no secret of the parent's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **more}


def last_words(log: Path, *, lines: int = 3) -> str:
    """The end of a log, on one line, for an error's sentence."""
    with suppress(OSError):
        return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
    return ""


def _open_log(path: Path) -> int:
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_name(f"{path.name}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _write_record(command: Command, pid: int) -> None:
    """Pid, start time and marker: a pid alone may belong to a stranger by the next start."""
    with suppress(psutil.NoSuchProcess):
        started = psutil.Process(pid).create_time()
        record = {"name": command.name, "pid": pid, "started": started, "marker": command.marker}
        write_whole(command.record, json.dumps(record), mode=0o600)
