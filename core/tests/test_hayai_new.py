"""`hayai new`: every skeleton is a package that passes its tests, the linter and the type checker as it is written."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from hayai.errors import SettingsError
from hayai.new.writer import choices, write

ROOT = Path(__file__).parents[2]


class Package(NamedTuple):
    """One of each kind, and the module that its entry point leads to."""

    kind: str
    port: str
    group: str
    module: str

    @property
    def name(self) -> str:
        """A name of its own for each."""
        return f"my{self.module}"


PACKAGES = [
    Package("handler", "", "hayai.agents", "handlers"),
    Package("agent", "", "hayai.agents", "agent"),
    Package("channel", "", "hayai.channels", "channel"),
    Package("adapter", "secrets", "hayai.secrets", "secrets"),
    Package("adapter", "bus", "hayai.bus", "bus"),
    Package("adapter", "calendar", "hayai.calendar", "calendar"),
]


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own with one package of each kind."""
    folder = tmp_path_factory.mktemp("outside")
    for each in PACKAGES:
        write(each.kind, each.name, folder, port=each.port)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in a folder where every package can be imported."""
    paths = os.pathsep.join(str(folder / each.name) for each in PACKAGES)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("each", PACKAGES, ids=lambda each: each.name)
def test_a_package_has_five_files(outside: Path, each: Package) -> None:
    """Manifest, face, mark of being typed, one module and its test; the entry point leads to the module."""
    files = {str(path.relative_to(outside / each.name)) for path in (outside / each.name).rglob("*") if path.is_file()}
    assert files == {
        "pyproject.toml",
        f"hayai_{each.name}/__init__.py",
        f"hayai_{each.name}/py.typed",
        f"hayai_{each.name}/{each.module}.py",
        f"tests/test_{each.name}_{each.module}.py",
    }
    manifest = tomllib.loads((outside / each.name / "pyproject.toml").read_text())
    (target,) = manifest["project"]["entry-points"][each.group].values()
    assert target.startswith(f"hayai_{each.name}.{each.module}:")


def test_the_packages_pass_their_tests(outside: Path) -> None:
    """A contract of hayai.testing where a port has one, with warnings as errors."""
    own = tomllib.loads((outside / PACKAGES[0].name / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert (own["asyncio_mode"], own["filterwarnings"]) == ("auto", ["error"])
    options = ["-W", "error", *(f"-o{name}={own[name]}" for name in own if name.startswith("asyncio"))]
    done = run(outside, "pytest", "-v", "-p", "no:cacheprovider", *own["addopts"], *options, ".")
    assert done.returncode == 0, done.stdout
    for each in PACKAGES:
        assert f"test_{each.name}_{each.module}.py" in done.stdout


def test_the_packages_are_typed(outside: Path) -> None:
    """Mypy --strict finds nothing."""
    paths = [str(outside / each.name / f"hayai_{each.name}") for each in PACKAGES]
    tests = [str(outside / each.name / "tests") for each in PACKAGES]
    done = run(outside, "mypy", "--strict", *paths, *tests)
    assert done.returncode == 0, done.stdout


def test_the_packages_are_linted(outside: Path, tmp_path: Path) -> None:
    """By their own rules outside, and by the workspace's when they are begun in one."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for each in PACKAGES:
        write(each.kind, each.name, tmp_path / "adapters", port=each.port)
        assert "[tool." not in (tmp_path / "adapters" / each.name / "pyproject.toml").read_text().replace(
            "tool.hatch", ""
        )
    for folder in (outside, tmp_path):
        assert run(folder, "ruff", "check", "--no-cache", ".").stdout == "All checks passed!\n"
        assert run(folder, "ruff", "format", "--no-cache", "--diff", ".").stdout == ""


@pytest.mark.parametrize("name", ["", "x", "Vault", "my-vault", "my_vault", "7up", "a/b", "..", "é", "a" * 21, "ab\n"])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    """A name becomes a folder, a module and an entry point; nothing is written."""
    with pytest.raises(SettingsError, match="use 2 to 20 lower-case letters and digits"):
        write("adapter", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_word_of_python_is_refused(tmp_path: Path) -> None:
    """The name becomes a variable of the package, which `class` cannot be."""
    with pytest.raises(SettingsError, match="'class' cannot be a plugin's name: it is a word of Python itself"):
        write("handler", "class", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_installed_already_is_refused(tmp_path: Path) -> None:
    """Two plugins of one name would both be refused."""
    with pytest.raises(SettingsError, match=r"'nats' is taken by hayai in hayai\.bus"):
        write("adapter", "nats", tmp_path, port="bus")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Nothing of yours is written over."""
    (tmp_path / "mine").mkdir()
    with pytest.raises(SettingsError, match="mine is there already"):
        write("handler", "mine", tmp_path)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file where a folder is needed."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        write("handler", "mine", tmp_path / "file")


def test_a_kind_or_port_without_a_skeleton_is_refused(tmp_path: Path) -> None:
    """The sentence names the nearest one there is."""
    with pytest.raises(SettingsError, match=r"no skeleton of a 'handlr': did you mean handler\?"):
        write("handlr", "mine", tmp_path)
    with pytest.raises(SettingsError, match=r"no skeleton of an adapter for 'secret': did you mean secrets\?"):
        write("adapter", "mine", tmp_path, port="secret")
    assert choices("adapter") == ["bus", "calendar", "secrets"]
