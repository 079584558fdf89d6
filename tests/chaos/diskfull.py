"""Diskfull: a disk with little room, that can be filled up and cleared again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused

if TYPE_CHECKING:
    from typing import Self

_MEBIBYTE = 1 << 20


class SmallDisk:
    """A tmpfs of so many MiB at `place`. A context manager; entering it raises LocalStackRefused without root."""

    def __init__(self, mebibytes: int) -> None:
        self._mebibytes = mebibytes
        self._home = Path(mkdtemp(prefix="hayai-full-"))
        self.place = self._home / "disk"

    def __enter__(self) -> Self:
        """Mount it, empty."""
        self._home.chmod(0o755)  # Postgres runs as somebody else
        self.place.mkdir()
        size = f"size={self._mebibytes}m,mode=755"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self.place)], check=False)
        if done.returncode:
            shutil.rmtree(self._home)
            raise LocalStackRefused("A full disk is a small tmpfs here, and mounting one needs root: run it as root.")
        return self

    def __exit__(self, *_: object) -> None:
        """Unmount it; what works on it must have ended."""
        subprocess.run(["umount", str(self.place)], check=True)
        shutil.rmtree(self._home)

    @property
    def free(self) -> int:
        """Bytes that may still be written."""
        room = os.statvfs(self.place)
        return room.f_bavail * room.f_frsize

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.place / "ballast").open("ab", buffering=0) as ballast:
            while left := self.free:
                ballast.write(bytes(min(left, _MEBIBYTE)))

    def clear(self) -> None:
        """Give back what fill() took."""
        (self.place / "ballast").unlink()
