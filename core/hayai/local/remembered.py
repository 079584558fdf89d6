"""The addresses of the servers that run in a data folder, for commands that come later: doctor, keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hayai.local.files import disk_troubles, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def remember(data: Path, environment: Mapping[str, str]) -> None:
    """Keep NATS_URL, DATABASE_URL and DATABASE_OWNER_URL, readable by this user alone: they hold passwords."""
    with disk_troubles(data):
        write_whole(_file(data), json.dumps(dict(environment)), mode=0o600)


def remembered(data: Path) -> dict[str, str]:
    """What remember() kept, or nothing where no stack ever ran there."""
    try:
        found = json.loads(_file(data).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _file(data: Path) -> Path:
    return data / "run" / "environment.json"
