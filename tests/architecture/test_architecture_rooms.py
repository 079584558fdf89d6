"""Who may import whom, found by glob: a new package is held to these rules without being listed anywhere."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted(
    each.parent
    for room in ("core", "adapters/*", "agents/*", "channels/*")
    for each in ROOT.glob(f"{room}/pyproject.toml")
)
PLUGINS = [member for member in MEMBERS if member.name != "core"]
ROOMS_OF_THE_HOUSE_ALONE = {"runtime", "replay", "doctor", "cli", "local", "web"}
GROUPS = {
    *(
        f"hayai.{path.stem}"
        for path in (ROOT / "core/hayai/ports").glob("*.py")
        if path.stem not in {"__init__", "base"}
    ),
    *(
        f"hayai.{each}"
        for each in ("agents", "bus", "channels", "fronts", "interceptors", "migrations", "renderers", "simulators")
    ),
}
SHARED = {"fastapi", "pydantic", "starlette"}
"""What every room may import: the types of the house's own face."""
ONLY_IN = {
    "nats": ("core/hayai/bus/", "adapters/faststream/"),
    "asyncpg": (
        "core/hayai/pools.py",
        "core/hayai/roles.py",
        "core/hayai/migrations.py",
        "core/hayai/ledger/",
        "adapters/postgres/",
    ),
}


def _name(member: Path) -> str:
    return str(member.relative_to(ROOT))


@cache
def _manifest(member: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    return project


def _package(member: Path) -> Path:
    return member / str(_manifest(member)["name"]).replace("-", "_")


def _sources(member: Path) -> list[Path]:
    skeletons = _package(member) / "new" / "skeletons"
    return [path for path in _package(member).rglob("*.py") if skeletons not in path.parents]


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return plain | froms


@pytest.mark.parametrize("member", PLUGINS, ids=_name)
def test_a_plugin_knows_the_core_and_no_other_plugin(member: Path) -> None:
    """No plugin imports another, nor the rooms that only the house itself may use, nor the core's face."""
    own = _package(member).name
    for path in _sources(member):
        for module in _imports(path):
            top, _, rest = module.partition(".")
            assert not (top.startswith("hayai_") and top != own), f"{path.name} imports the plugin {top}"
            assert module != "hayai", f"{path.name} imports the face: import from the module that defines the name"
            assert not (top == "hayai" and rest.split(".")[0] in ROOMS_OF_THE_HOUSE_ALONE), (
                f"{path.name} imports {module}"
            )
            assert not module.startswith("hayai.testing"), f"{path.name} imports the test kit"


def test_the_core_knows_no_plugin() -> None:
    """The core names ports; which package stands behind one is the tier file's business."""
    for path in _sources(ROOT / "core"):
        assert not [module for module in _imports(path) if module.startswith("hayai_")], path


@pytest.mark.parametrize("member", MEMBERS, ids=_name)
def test_a_vendors_package_is_imported_in_one_distribution_only(member: Path) -> None:
    """A member's third-party dependencies are declared by it; nats and asyncpg stay in their rooms."""
    declared = {_bare(each) for each in _manifest(member)["dependencies"]}
    others = {_bare(each) for other in MEMBERS if other != member for each in _manifest(other)["dependencies"]}
    for path in _sources(member):
        where = str(path.relative_to(ROOT))
        tops = {module.partition(".")[0] for module in _imports(path)}
        for top, rooms in ONLY_IN.items():
            assert top not in tops or where.startswith(rooms), f"{where} imports {top}, which only {rooms} may"
        foreign = {top for top in tops if top in others - declared - SHARED - {"hayai"}}
        assert not foreign, f"{where} imports {foreign}, which is another distribution's"


def _installed() -> list[EntryPoint]:
    return [each for group in entry_points().groups for each in entry_points(group=group)]


def _bare(requirement: str) -> str:
    name = requirement
    for mark in "<>=![; ~":
        name = name.partition(mark)[0]
    return {"nats-py": "nats", "python-dotenv": "dotenv"}.get(name, name.replace("-", "_"))


@pytest.mark.parametrize("member", MEMBERS, ids=_name)
def test_a_member_has_the_anatomy_of_every_other(member: Path) -> None:
    """Name, folder and package agree; the package is typed, its face is a docstring, its tests carry its name."""
    package, short = _package(member), "hayai" if member.name == "core" else member.name
    assert _manifest(member)["name"] == ("hayai" if member.name == "core" else f"hayai-{member.name}")
    assert (package / "py.typed").exists()
    if member.name != "core":
        body = ast.parse((package / "__init__.py").read_text()).body
        assert len(body) == 1, f"{package.name}/__init__.py holds its docstring and nothing else"
    tests = list((member / "tests").glob("test_*.py"))
    assert tests, f"{_name(member)} has no tests"
    assert all(path.name.startswith(f"test_{short}_") for path in tests), f"name the tests test_{short}_<module>.py"


@pytest.mark.parametrize("member", MEMBERS, ids=_name)
def test_every_module_says_its_subject_first(member: Path) -> None:
    """The first line of a file tells its one subject."""
    silent = [path for path in _sources(member) if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


@pytest.mark.parametrize("member", MEMBERS, ids=_name)
def test_no_file_outgrows_one_subject(member: Path) -> None:
    """No module is longer than 300 lines."""
    long = {str(path): lines for path in _sources(member) if (lines := len(path.read_text().splitlines())) > 300}
    assert not long


def test_functions_stay_short() -> None:
    """Over the whole house the median function has at most eight lines, and nine in ten at most 36."""
    lengths = sorted(
        node.end_lineno - node.body[0].lineno + 1
        for member in MEMBERS
        for path in _sources(member)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    )
    median, ninth = lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10]
    print(f"{len(lengths)} functions, median {median} lines, ninth decile {ninth}")
    assert median <= 8
    assert ninth <= 36


def test_every_entry_point_of_ours_loads_from_a_known_group() -> None:
    """Each plugin's entry points belong to a port (or to channels, agents, bus, migrations) and can be loaded."""
    ours = {str(_manifest(member)["name"]) for member in MEMBERS}
    found = [each for each in _installed() if each.group.startswith("hayai.") and each.dist and each.dist.name in ours]
    assert len(found) >= len(PLUGINS)
    for each in found:
        assert each.group in GROUPS, f"{each.group} is no port: the ports are {sorted(GROUPS)}"
        each.load()


def test_nothing_that_is_shipped_is_imported_from_deploy() -> None:
    """deploy/ holds how it gets onto machines; no Python is imported from there."""
    assert "deploy" not in sys.modules
    assert not [
        path for member in MEMBERS for path in _sources(member) if any(m.startswith("deploy") for m in _imports(path))
    ]


def test_every_dependency_is_pinned() -> None:
    """What a member or the development group asks for has its exact version in constraints.txt; no address is in it."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [
        *workspace["dependency-groups"]["dev"],
        *(each for member in MEMBERS for each in _manifest(member)["dependencies"]),
    ]
    names = {re.split(r"[<>=!\[; ~]", each)[0].lower().replace("_", "-") for each in asked}
    assert not {name for name in names if not name.startswith("hayai")} - pinned
    assert not [line for line in lines if re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) is None]
