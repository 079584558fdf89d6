"""Files that are there whole or not at all, and the sentence for a disk that says no."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused

if TYPE_CHECKING:
    from collections.abc import Generator

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write `text` to `path` so that a reader sees the old file or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def disk_troubles(folder: Path) -> Generator[None]:
    """Turn an OSError about a full or closed disk into a LocalStackRefused that says what to do; others pass."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        if error.errno in _FULL:
            raise LocalStackRefused(
                f"The disk that holds {folder} is full: free some space, or choose another folder with --data."
            ) from error
        if error.errno in _CLOSED:
            raise LocalStackRefused(
                f"{where} cannot be written ({error.strerror}): make it yours, or choose another folder with --data."
            ) from error
        raise
