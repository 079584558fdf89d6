"""What a killed run left behind: found by pid, start time and command line together, ended, and told."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from hayai.local.postgres import postmaster_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CLOCK = 2.0
"""Seconds by which a start time may differ between two readings: it is counted from the boot, which the clock moves."""
_PATIENCE = 15.0


def end_leftovers(run: Path, database: Path | None, *, killed: int | None) -> list[str]:
    """End what earlier runs left, and say it in sentences; `killed` is the pid of a run that never said goodbye.

    Blocks for up to half a minute. Never touches a process whose start time and command line are not the recorded ones.
    """
    found = {**(_postmaster(database) if database else {}), **_recorded(run)}
    notes = [f"Ended {name} (pid {each.pid}), left over from a run that was killed." for each, name in found.items()]
    for each in found:
        _end(each)
    if killed is not None and not notes:
        notes.append(f"The last run (pid {killed}) was killed; its servers had ended with it.")
    for record in run.glob("*.server.json"):
        record.unlink()
    if database:
        _forget_strangers_lock(database)
    return notes


def _recorded(run: Path) -> dict[psutil.Process, str]:
    """The servers that a run wrote down, with their names."""
    found: dict[psutil.Process, str] = {}
    for path in run.glob("*.server.json"):
        with suppress(OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
            record = json.loads(path.read_text(encoding="utf-8"))
            process = psutil.Process(record["pid"])
            if abs(process.create_time() - record["started"]) <= _CLOCK and _runs_on(process, record["marker"]):
                found[process] = str(record["name"])
    return found


def _postmaster(database: Path) -> dict[psutil.Process, str]:
    """The server that postmaster.pid names, if it is one of this very data directory."""
    with suppress(IndexError, ValueError, psutil.NoSuchProcess):
        process = psutil.Process(int(postmaster_lines(database)[0]))
        if _runs_on(process, str(database)):
            return {process: "postgres"}
    return {}


def _runs_on(process: psutil.Process, marker: str) -> bool:
    with suppress(psutil.AccessDenied, psutil.ZombieProcess):
        return bool(marker) and marker in process.cmdline()
    return False


def _end(process: psutil.Process) -> None:
    """SIGINT is a fast shutdown to Postgres and a plain one to nats-server; SIGKILL follows."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_PATIENCE)


def _forget_strangers_lock(database: Path) -> None:
    """Remove a postmaster.pid whose number a stranger has by now, for which Postgres would refuse to start.

    Where nobody has the number, Postgres itself looks whether old backends still use the memory, and better than this.
    """
    lines = postmaster_lines(database)
    if lines and lines[0].isdigit() and psutil.pid_exists(int(lines[0])) and not any(_inside(database)):
        (database / "postmaster.pid").unlink(missing_ok=True)


def _inside(database: Path) -> Iterator[int]:
    """Processes that work in the data directory, as every backend does."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(database):
                yield process.pid
