"""DevServer: a real `hayai dev` as a child process on its own data, to be stopped, killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

READY_SECONDS = 30.0
STOP_SECONDS = 40.0


class DevServer:
    """One `hayai dev`; its folder holds its data, its ready file and what it printed, until remove().

    `environment` comes on top of this process's, without the variables that would configure another install.
    """

    def __init__(self, tier: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder = Path(tempfile.mkdtemp(prefix="hayai-dev-"))
        folder.chmod(0o755)  # where root runs the tests, the database runs as somebody else
        self.data = folder / "data"
        self.port = free_port()
        self._ready = folder / "ready.json"
        self._printed = folder / "printed.txt"
        self._tier = tier
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.told: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """The front page."""
        return cast("str", self.told["urls"]["web"])

    @property
    def socket(self) -> str:
        """The front page's address for a WebSocket."""
        return self.url.replace("http", "ws", 1)

    @property
    def pids(self) -> dict[str, int]:
        """Server -> process id, as the ready file told."""
        return dict(self.told["pids"])

    @property
    def printed(self) -> str:
        """Everything that it printed, of every start."""
        return self._printed.read_text() if self._printed.exists() else ""

    def start(self) -> None:
        """Return when it is ready. Raises AssertionError with what it printed where it does not get there."""
        self.spawn()
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready.exists():
            running = self._process is not None and self._process.poll() is None
            assert running, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.05)
        self.told = json.loads(self._ready.read_text())

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it and do not wait."""
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "hayai.cli.main", "dev", "--tier", str(self._tier), "--data", str(self.data)]
        command += ["--port", str(self.port), "--ready-file", str(self._ready)]
        with self._printed.open("ab") as printed:
            self._process = subprocess.Popen(  # its own session: a signal to it reaches nobody else
                command, env=self._clean(), stdout=printed, stderr=printed, start_new_session=True
            )
        return self._process

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with that signal and wait for it; its exit status. Safe when it does not run."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        status = self._process.wait(STOP_SECONDS)
        self._process = None
        return status

    def remove(self) -> None:
        """Stop it, and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder)

    def left_over(self) -> list[int]:
        """Those of its processes that are still there."""
        return [pid for pid in self.pids.values() if _alive(pid)]

    def _clean(self) -> dict[str, str]:
        others = ("HAYAI_", "DATABASE_", "NATS_URL")
        return {n: v for n, v in os.environ.items() if not n.startswith(others)} | self._environment


def _alive(pid: int) -> bool:
    """Whether the process is there and is no zombie that only waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
