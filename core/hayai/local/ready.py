"""The ready file: a script waits for it, and reads from it where everything is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hayai.local.files import disk_troubles, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_ready(path: Path, *, urls: Mapping[str, str], pids: Mapping[str, int], data: Path, seconds: float) -> None:
    """Write {"urls", "pids", "data", "seconds"} as JSON; the file appears whole, once everything answers.

    Raises LocalStackRefused where the file cannot be written.
    """
    told = {"urls": dict(urls), "pids": dict(pids), "data": str(data), "seconds": round(seconds, 3)}
    with disk_troubles(path.parent):
        write_whole(path, json.dumps(told, indent=1) + "\n")


def forget_ready(path: Path) -> None:
    """Remove an old ready file before the start, so that a script never reads yesterday's."""
    with disk_troubles(path.parent):
        path.unlink(missing_ok=True)
