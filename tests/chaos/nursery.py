"""Nursery: one process that has everything imported, and forks a worker out of itself in a few milliseconds.

A child is a process like any other: it makes its own connections, has a log of its own, and is killed for itself.
`python -m tests.chaos.nursery LOGS` reads specs from stdin, a line each, and answers with the process it made.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class Child:
    """A process of the nursery, or of anybody else."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = os.pidfd_open(pid)

    @property
    def lives(self) -> bool:
        """Whether it has not ended; one that has takes no descriptor any more, as a long run has thousands of them."""
        if self._handle is None:
            return False
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        if ended.poll(0):
            os.close(self._handle)
            self._handle = None
        return self._handle is not None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.lives and self._handle is not None:
            signal.pidfd_send_signal(self._handle, number)

    async def ended(self, seconds: float = 30) -> None:
        """Return once it has ended. Raises TimeoutError, when its log says where every task of it waits."""
        deadline = time.monotonic() + seconds
        while self.lives:
            if time.monotonic() > deadline:
                self.signal(signal.SIGUSR1)
                await asyncio.sleep(0.5)
                raise TimeoutError(f"worker {self.pid} has not ended within {seconds:g} s")
            await asyncio.sleep(0.02)

    def forget(self) -> None:
        """Kill it, and let go of it."""
        self.signal(signal.SIGKILL)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class Nursery:
    """The parent's side; `close` ends it, and every child with it."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.chaos.nursery", str(logs)]
        with (logs / "nursery").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def fork(self, spec: str) -> Child:
        """A new worker with that spec; it tells the oracle once it is ready."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(spec.encode() + b"\n")
        self._process.stdin.flush()
        pid = self._process.stdout.readline()
        assert pid, "the nursery ended: its log says why"
        return Child(int(pid))

    def close(self) -> None:
        """End it and all its children."""
        self._process.kill()
        self._process.wait()
        for each in (self._process.stdin, self._process.stdout):
            if each is not None:
                each.close()


def _serve(logs: Path) -> None:
    """Fork until stdin ends."""
    from tests.chaos import points

    points.watch_imports()
    from tests.chaos.worker import read, work

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    while line := sys.stdin.buffer.readline():
        if pid := os.fork():
            print(pid, flush=True)
            continue
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(logs / f"worker-{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for each in (1, 2):
            os.dup2(log, each)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            asyncio.run(work(read(line.decode())))
        except BaseException:  # noqa: BLE001 - a fork must not return into the loop above
            traceback.print_exc()
            os._exit(1)
        os._exit(0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
