"""The short form of `make chaos`, scenario by scenario, for those who run the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_promises_hold_under_this_fault(name: str) -> None:
    """No breach; what was printed has the seed that repeats the run. It is the command itself that is run."""
    command = [sys.executable, "-m", "tests.chaos", "--only", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=390)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
