"""Every adapter of a port that has a contract is held to it by a test of its own."""

from __future__ import annotations

import ast
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KIT = ROOT / "core/hayai/testing"
PORTS = sorted(path.stem for path in (ROOT / "core/hayai/ports").glob("*.py") if path.stem not in {"__init__", "base"})
SPOKEN_FOR = {"database": "every other Postgres contract stands on it"}


def _installed() -> list[EntryPoint]:
    return [each for group in entry_points().groups for each in entry_points(group=group)]


def _contract(port: str) -> str:
    return f"{port.capitalize()}Contract"


def _bases_in_tests() -> dict[str, set[str]]:
    """Contract name -> the test files with a class that inherits it."""
    found: dict[str, set[str]] = {}
    for path in [*ROOT.glob("*/tests/test_*.py"), *ROOT.glob("*/*/tests/test_*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    found.setdefault(ast.unparse(base), set()).add(path.name)
    return found


@pytest.mark.parametrize("port", [port for port in PORTS if port not in SPOKEN_FOR] + ["bus", "channel"])
def test_a_port_ships_its_contract(port: str) -> None:
    """hayai.testing.<port> defines <Port>Contract, for ours and for a stranger's."""
    assert f"class {_contract(port)}" in (KIT / f"{port}.py").read_text()


def test_every_adapter_is_held_to_its_contract() -> None:
    """For each entry point of a port, its distribution has a test class that inherits the port's contract."""
    inherited = _bases_in_tests()
    for each in _installed():
        port = each.group.removeprefix("hayai.").removesuffix("s") if each.group == "hayai.channels" else each.group[6:]
        if not each.group.startswith("hayai.") or not (KIT / f"{port}.py").exists() or not each.dist:
            continue
        short = each.dist.name.removeprefix("hayai-")
        held = [name for name in inherited.get(_contract(port), set()) if name.startswith(f"test_{short}_")]
        assert held, f"{each.group}/{each.name} of {each.dist.name}: no test inherits {_contract(port)}"
