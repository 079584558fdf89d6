"""`hayai dev` as a newcomer starts it, and a browser in front of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hayai.testing.browser import chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Browser

ROOT = Path(__file__).parents[2]
HAYAI = Path(sys.executable).parent / "hayai"
READY_WITHIN = 60.0


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the ready file of a running `hayai dev` says: urls, pids, data, seconds."""
    folder = tmp_path_factory.mktemp("journey")
    folder.chmod(0o755)  # where root runs the tests, the database runs as somebody else
    ready, told = folder / "ready.json", folder / "dev.log"
    command = [str(HAYAI), "dev", "--data", str(folder / "data"), "--ready-file", str(ready), "--port", "8480"]
    with told.open("wb") as output:
        running = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        _wait(ready, running, told)
        yield json.loads(ready.read_text())
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(30)
        finally:
            running.kill()


def _wait(ready: Path, running: subprocess.Popen[bytes], told: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while not ready.exists():
        if running.poll() is not None or time.monotonic() > until:
            pytest.fail(f"`hayai dev` did not become ready:\n{told.read_text()}")
        time.sleep(0.1)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real one."""
    async with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def staff(dev: dict[str, Any]) -> dict[str, str]:
    """The headers with which the dentist's front desk asks the staff API."""
    command = [str(HAYAI), "keys", "issue", "--tenant", "harbor-dental", "--data", dev["data"], "--json"]
    issued = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    return {"Authorization": f"Bearer {json.loads(issued.stdout)['key']}"}


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder that the journeys leave their pictures in."""
    folder = ROOT / "test-results"
    folder.mkdir(exist_ok=True)
    return folder
