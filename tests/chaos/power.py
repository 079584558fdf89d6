"""Power: a disk that can lose its power under a broker or a Postgres, which then starts on what the disk held.

The servers are stopped (SIGSTOP) while the raw image of their file system is copied: what they, or the kernel, had in
memory is not in it. They are killed, the copy is mounted in the image's place, and they start on it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from hayai.prove.image import copy_image, make_image, mounted

if TYPE_CHECKING:
    from typing import Self

    from hayai.testing.postgres_server import PostgresServer
    from hayai.testing.servers import NatsServer


class Disk:
    """A small ext4 in a file. A context manager; entering it raises LocalStackRefused where loop mounts are refused.

    `place` leads to where it is mounted, through every loss of power.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._mount = ExitStack()
        self._lives = 0
        self._home = Path()
        self.place = Path()

    def __enter__(self) -> Self:
        """Make it, empty, and mount it."""
        self._home = Path(self._stack.enter_context(TemporaryDirectory(prefix="hayai-disk-")))
        self._home.chmod(0o755)  # Postgres runs as somebody else
        self.place = self._home / "disk"
        with ExitStack() as failed:
            failed.push(self)
            make_image(self._image)
            self._put_on()
            failed.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Unmount it and leave nothing; what works on it must have ended."""
        self._mount.close()
        self._stack.close()

    def sync(self) -> None:
        """Let the kernel write what was set up here: no machine is switched off in the middle of its installation."""
        subprocess.run(["sync", "-f", str(self.place)], check=True)

    def photograph(self) -> None:
        """Copy what is on the disk at this moment. Nobody may write to it meanwhile."""
        copy_image(self._image, self._home / f"image-{self._lives + 1}")

    def lose_power(self) -> None:
        """Go on with what was photographed. Nobody may have a file open on it."""
        self._mount.close()
        self._image.unlink()
        self._lives += 1
        self._put_on()

    @property
    def _image(self) -> Path:
        return self._home / f"image-{self._lives}"

    def _put_on(self) -> None:
        place = self._mount.enter_context(mounted(self._image, self._home / f"mount-{self._lives}"))
        place.chmod(0o755)
        self.place.unlink(missing_ok=True)
        self.place.symlink_to(place)


def cut_broker(server: NatsServer, disk: Disk) -> None:
    """The power of a broker whose store is on `disk` goes, and comes back; returns when it greets again."""
    server.pause()
    disk.photograph()
    server.stop()
    disk.lose_power()
    server.restart()


def cut_postgres(server: PostgresServer, disk: Disk) -> None:
    """The power of a Postgres whose data are on `disk` goes, and comes back; returns when it takes connections."""
    assert server.pid is not None, "start it before its power goes"
    postmaster = psutil.Process(server.pid)
    os.kill(server.pid, signal.SIGSTOP)  # first, so that it starts nobody
    while postmaster.status() != psutil.STATUS_STOPPED:  # one that it is forking just now is there once it stands still
        time.sleep(0.001)
    backends = postmaster.children(recursive=True)
    _tell(backends, signal.SIGSTOP)
    disk.photograph()
    _tell(backends, signal.SIGKILL)
    server.kill()
    psutil.wait_procs(backends, timeout=10)
    disk.lose_power()
    server.start()


def _tell(processes: list[psutil.Process], number: signal.Signals) -> None:
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)
