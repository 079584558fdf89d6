"""A stranger's packages: begun, built and installed as wheels outside of the workspace, with exactly our rights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TIER = 'tier = "strange"\nagents = ["visitor"]\n[secrets]\nadapter = "{adapter}"\n[secrets.held]\ngreeting = "hello"\n'
FLAWED = """
import pytest
from hayai.testing.secrets import SecretsContract
from hayai_stranger.secrets import StrangerSecrets, StrangerSettings

class Flawed(StrangerSecrets):
    async def _read(self, name):
        found = await super()._read(name)
        return found and found + "!"

class TestFlawed(SecretsContract):
    @pytest.fixture
    async def secrets(self):
        return Flawed(StrangerSettings.model_validate({"held": dict(self.stored)}))
"""


@dataclass(frozen=True)
class Install:
    """A fresh environment with the wheel of hayai, and a folder for the stranger's own things."""

    folder: Path

    def uv(self, *arguments: str | Path) -> None:
        """Run uv, and show what it said where it fails."""
        done = self.run(_uv(), *arguments)
        assert done.returncode == 0, done.stderr

    def install(self, *packages: str | Path) -> None:
        """Install packages into the environment, in the versions that we test with."""
        self.uv("pip", "install", "-q", "--python", self.bin("python"), "-c", ROOT / "constraints.txt", *packages)

    def bin(self, command: str) -> Path:
        """A command of the environment."""
        return self.folder / "venv/bin" / command

    def hayai(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the environment's own `hayai`."""
        return self.run(self.bin("hayai"), *arguments)

    def begin(self, kind: str, name: str) -> Path:
        """Begin a package with `hayai new`; returns its folder."""
        done = self.hayai("new", kind, name, "--into", self.folder)
        assert done.returncode == 0, done.stderr
        return self.folder / name

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command in the stranger's folder, without a trace of our environment."""
        ours = {"VIRTUAL_ENV", "PYTHONPATH", "PYTEST_ADDOPTS", "HAYAI_TIER"}
        kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("COV")}
        return subprocess.run(
            [str(each) for each in command],
            cwd=self.folder,
            env=kept,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def problems(self) -> dict[str, str | None]:
        """What `hayai plugins` says of each distribution that is not ours."""
        listed: list[dict[str, Any]] = json.loads(self.hayai("plugins", "--json").stdout)
        return {row["distribution"]: row["problem"] for row in listed if row["distribution"] != "hayai"}

    def refusal(self, adapter: str) -> str:
        """What starting an install on that adapter says, which must be one sentence and no traceback."""
        (self.folder / "refused.toml").write_text(TIER.format(adapter=adapter))
        done = self.hayai("run", "--tier", self.folder / "refused.toml")
        assert done.returncode == 1, done.stdout
        (sentence,) = done.stderr.splitlines()
        return sentence


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    assert Path(found).exists(), "this test needs uv: `make install` brings it"
    return found


@pytest.fixture(scope="module")
def install(tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Hayai from its wheel, and two packages begun with it: one built and installed as a wheel, one from its folder."""
    install = Install(tmp_path_factory.mktemp("stranger"))
    install.uv("venv", "-q", "--python", sys.executable, "venv")
    install.uv("build", "-q", "--wheel", "--out-dir", "dist", ROOT / "core")
    install.install(next((install.folder / "dist").glob("hayai-*.whl")), "pytest", "pytest-asyncio", "httpx")
    install.uv("build", "-q", "--wheel", "--out-dir", "dist", install.begin("adapter", "stranger"))
    install.install(next((install.folder / "dist").glob("hayai_stranger-*.whl")), install.begin("handler", "visitor"))
    return install


@pytest.fixture(scope="module")
def troubled(install: Install) -> Install:
    """The same with three more: one that leaves the program at import, and two that claim one name."""
    leaver = install.begin("adapter", "leaver")
    module = leaver / "hayai_leaver/secrets.py"
    module.write_text(f"raise SystemExit('hunter2')\n{module.read_text()}")
    twins = [install.begin("adapter", name) for name in ("castor", "pollux")]
    for twin in twins:
        manifest = twin / "pyproject.toml"
        manifest.write_text(manifest.read_text().replace(f'{twin.name} = "hayai_', 'twin = "hayai_'))
    install.install(leaver, *twins)
    return install


def test_a_strangers_packages_are_discovered(install: Install) -> None:
    """`hayai plugins` lists them beside ours, and they load."""
    problems = install.problems()
    assert (problems["hayai-stranger"], problems["hayai-visitor"]) == (None, None)


def test_a_strangers_packages_run(install: Install) -> None:
    """A tier file names the adapter, a handler's event follows a message: all of it found by entry point."""
    (install.folder / "tier.toml").write_text(TIER.format(adapter="stranger"))
    done = install.run(install.bin("python"), ROOT / "tests/stranger/visit.py", "tier.toml")
    assert done.stdout.splitlines() == ["hello", "message.received.v1", "visitor.counted.v1"], done.stderr


@pytest.mark.parametrize("name", ["stranger", "visitor"])
def test_a_strangers_package_is_held_to_its_contract(install: Install, name: str) -> None:
    """Its own tests inherit the contract out of our wheel, and pass."""
    done = install.run(install.bin("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", install.folder / name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_a_contract_out_of_a_wheel_explains_its_assertions(install: Install) -> None:
    """A flawed adapter is shown what it gave and what was expected."""
    flawed = install.folder / "stranger/tests/test_stranger_flawed.py"
    flawed.write_text(FLAWED)
    done = install.run(install.bin("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", flawed)
    flawed.unlink()
    assert done.returncode == 1
    assert "AssertionError: assert 'hello!' == 'hello'" in done.stdout


def test_a_plugin_that_leaves_at_import_takes_nothing_else_down(troubled: Install) -> None:
    """SystemExit is one sentence about that plugin; the others are there, and its text is not shown."""
    problems = troubled.problems()
    assert "SystemExit at hayai_leaver.secrets, line 1" in str(problems["hayai-leaver"])
    assert (problems["hayai-stranger"], problems["hayai-visitor"]) == (None, None)
    sentence = troubled.refusal("leaver")
    assert sentence.startswith("hayai: The plugin 'leaver' of hayai.secrets (hayai_leaver.secrets:LeaverSecrets, from")
    assert "hunter2" not in sentence


def test_a_name_claimed_twice_is_refused_with_both(troubled: Install) -> None:
    """Neither of the two is taken by chance."""
    sentence = troubled.refusal("twin")
    assert "hayai-castor 0.1.0" in sentence
    assert "hayai-pollux 0.1.0" in sentence
    assert troubled.problems()["hayai-castor"] == sentence.removeprefix("hayai: ")


def test_a_plugin_that_is_not_there_is_refused_with_its_neighbour(troubled: Install) -> None:
    """A slip of the pen in the tier file is met with what was probably meant."""
    assert "There is no 'stanger' in hayai.secrets: did you mean 'stranger'?" in troubled.refusal("stanger")
