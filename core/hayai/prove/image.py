"""A small ext4 in a file, mounted through a loop device, whose raw image is what a loss of power would leave."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_BYTES = 256 << 20


def _run(*words: str) -> str:
    """The output of a command. Raises LocalStackRefused where it is missing or fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True, start_new_session=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        raise LocalStackRefused(
            f"The power-loss test needs root and loop mounts, and `{words[0]}` is not permitted here: run it as root "
            "on a Linux machine of your own."
        ) from None
    return done.stdout.strip()


def make_image(path: Path) -> None:
    """Write an empty ext4. Raises LocalStackRefused."""
    if os.geteuid() != 0:
        raise LocalStackRefused("The power-loss test mounts a loop device, which needs root: run it as root.")
    with path.open("wb") as image:
        image.truncate(_BYTES)
    _run("mkfs.ext4", "-q", "-F", str(path))


@contextmanager
def mounted(image: Path, place: Path) -> Generator[Path]:
    """`image` mounted at `place`, its journal replayed; unmounted and detached afterwards, whatever happens."""
    place.mkdir()
    device = _run("losetup", "--find", "--show", str(image))
    try:
        _run("mount", "-t", "ext4", device, str(place))
        try:
            yield place
        finally:
            _run("umount", str(place))
    finally:
        _run("losetup", "-d", device)


def copy_image(image: Path, copy: Path) -> None:
    """The bytes that reached the device: what the file system inside still holds in memory is not among them."""
    shutil.copyfile(image, copy)
