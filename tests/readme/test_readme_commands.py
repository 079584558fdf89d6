"""The README tells the truth: every command and every program in it is run, in order, in a fresh copy."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.strip().splitlines()]
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
QUICK_TEST = "core/tests/test_hayai_event.py"
READY_SECONDS = 15
BESIDE_DEV = [".venv/bin/hayai doctor"]
"""What the README says to run while `make dev` does."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would clone, with nothing installed in it."""
    place = tmp_path_factory.mktemp("newcomer") / "hayai"
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    return place


def _environment() -> dict[str, str]:
    """A newcomer's: nothing of this test run's own."""
    ours = ("HAYAI_", "COVERAGE_", "PYTEST_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "DATABASE_", "NATS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _run(command: str, checkout: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=checkout,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}"
    return done.stdout


def _run_dev(checkout: Path, *beside: str) -> None:
    """Start it as the README says, run `beside` once it is ready, stop it with SIGINT as Ctrl-C does."""
    ready = checkout / "ready.json"
    dev = subprocess.Popen(
        ["make", "dev", f"DEV=--ready-file {ready}"],
        cwd=checkout,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 300
        while not ready.exists() and dev.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ready.exists(), dev.communicate()[0] if dev.poll() is not None else "no ready file after 300 s"
        told = json.loads(ready.read_text())
        for command in beside:
            _run(command, checkout)
    finally:
        os.killpg(dev.pid, signal.SIGINT)
        said = dev.communicate(timeout=60)[0]
    print(f"make dev: ready after {told['seconds']} s")
    assert told["seconds"] < READY_SECONDS
    assert "harbor-dental" in said
    assert not [pid for pid in told["pids"].values() if Path(f"/proc/{pid}").exists()]


@pytest.mark.timeout(1200)
def test_every_command_of_the_readme_works_in_order(checkout: Path) -> None:
    """From an empty folder: set up, run, test, drop a package in, look around."""
    assert COMMANDS[:2] == ["make dev", "make test"]
    assert set(BESIDE_DEV) < set(COMMANDS)
    for command in COMMANDS:
        if command == "make dev":
            _run_dev(checkout)
        elif command in BESIDE_DEV:
            _run_dev(checkout, command)
        elif command == "make test":  # the whole run is what is running now: here one file stands for all
            assert " passed" in _run(f"make test TEST={QUICK_TEST}", checkout)
        else:
            _run(command, checkout)
    assert "greeter" in _run(".venv/bin/hayai plugins", checkout)


@pytest.mark.timeout(300)
def test_the_first_program_of_the_readme_runs() -> None:
    """The ten lines print what their handler says."""
    assert len(PROGRAMS) == 1
    done = subprocess.run(
        [ROOT / ".venv/bin/python", "-c", PROGRAMS[0]], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "Welcome through the front door, says greeter_greet.\n"


def test_every_file_that_the_readme_links_to_is_there() -> None:
    """No link of the README or of CONTRIBUTING leads nowhere."""
    for page in ("README.md", "CONTRIBUTING.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text()):
            assert (ROOT / link).exists(), f"{page} links to {link}"


def test_every_make_target_says_what_it_does() -> None:
    """`make help` lists each target that a person would call."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE)) - {"chromium"}
    told = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    assert not [target for target in targets if f"make {target} " not in told]
