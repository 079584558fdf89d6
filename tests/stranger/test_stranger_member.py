"""A new plugin is five new files: begun inside a copy of the workspace, it is a member without an edit elsewhere."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hayai.new.writer import write

ROOT = Path(__file__).parents[2]
KEPT = ("pyproject.toml", "conftest.py", "tests/architecture", "core/pyproject.toml", "core/hayai")


def _uv() -> str:
    return os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools/bin/uv")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The workspace's rules and its core, without our own plugins."""
    for each in KEPT:
        target = tmp_path / each
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / each).is_dir():
            shutil.copytree(ROOT / each, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / each, target)
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    """Every file below `folder`, and a digest of what it holds."""
    found = (each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
    return {str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest() for each in found}


def run(workspace: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the copy, with the new package to be imported from there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    environment["PYTHONPATH"] = str(workspace / "adapters/fifth")
    return subprocess.run(
        [str(each) for each in command],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_new_plugin_is_five_new_files_and_no_edit_elsewhere(workspace: Path) -> None:
    """The workspace takes it as a member, the house's rules and its contract hold, and nothing else has changed."""
    before = files(workspace)
    write("adapter", "fifth", workspace / "adapters")
    after = files(workspace)
    assert {name: digest for name, digest in after.items() if name in before} == before
    assert sorted(after.keys() - before) == [
        "adapters/fifth/hayai_fifth/__init__.py",
        "adapters/fifth/hayai_fifth/py.typed",
        "adapters/fifth/hayai_fifth/secrets.py",
        "adapters/fifth/pyproject.toml",
        "adapters/fifth/tests/test_fifth_secrets.py",
    ]
    assert "hayai-fifth" in run(workspace, _uv(), "workspace", "list").stdout.splitlines()
    pytest_here = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    rules = run(workspace, *pytest_here, "tests/architecture", "-k", "adapters/fifth")
    assert rules.returncode == 0, rules.stdout
    contract = run(workspace, *pytest_here, "adapters")
    assert contract.returncode == 0, contract.stdout
    lint = run(workspace, sys.executable, "-m", "ruff", "check", "--no-cache", "adapters")
    assert lint.returncode == 0, lint.stdout
