"""`hayai dev` as a newcomer starts it, and a browser in front of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hayai.testing.browser import chromium
from hayai.testing.dev import DevServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Browser

ROOT = Path(__file__).parents[2]
TIER = ROOT / "deploy/tiers/local.toml"


@pytest.fixture(scope="session")
def dev() -> Iterator[DevServer]:
    """A `hayai dev` that all journeys share, on data of its own."""
    server = DevServer(TIER)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real one."""
    async with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def staff(dev: DevServer) -> dict[str, str]:
    """The headers with which the dentist's front desk asks the staff API."""
    command = [sys.executable, "-m", "hayai.cli.main", "keys", "issue", "--tenant", "harbor-dental", "--json"]
    where = ["--tier", str(TIER), "--data", str(dev.data)]
    issued = subprocess.run([*command, *where], capture_output=True, text=True, check=True)
    return {"Authorization": f"Bearer {json.loads(issued.stdout)['key']}"}


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder that the journeys leave their pictures in."""
    folder = ROOT / "test-results"
    folder.mkdir(exist_ok=True)
    return folder
