"""Every seed of the simulation keeps the promises, and the same seed is the same history."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def simulated(*words: str) -> subprocess.CompletedProcess[str]:
    """What the command says: it runs in a process of its own, whose hashes are the seed's."""
    command = [sys.executable, "-m", "tests.simulation", *words]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=900)


@pytest.mark.timeout(900)
def test_five_hundred_seeds_keep_every_promise() -> None:
    """Nothing lost, nothing twice, the order kept, and all settled once the faults are over."""
    done = simulated("--seeds", os.environ.get("SIMULATED_SEEDS", "500"))
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    faults = dict(re.findall(r"(\d+) ([a-z ]+?)(?:,|$)", done.stdout.split("faults: ")[1].splitlines()[0]))
    assert len(faults) > 5, "hardly anything went wrong, so nothing was tried"


def test_the_same_seed_is_the_same_history() -> None:
    """A seed that was broken once can be looked at again, line for line."""
    first, again = (simulated("--seeds", "1", "--from", "7", "--history", "4000") for _ in range(2))
    story, retold = (re.sub(r" in [0-9.]+ s: .*", "", each.stdout) for each in (first, again))
    assert len(story.splitlines()) > 100
    assert story == retold
