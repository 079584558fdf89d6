"""Points: every await of the delivery path, before and after, as a place where a process can be made to die.

An import hook writes a call before and after each `await`, `async with` and `async for` of the modules in `ROOMS`, or
of others that are asked for. The call does nothing but compare, until a worker is armed with a point: at the passing
that it was told, it kills itself with SIGKILL, as `kill -9` from outside would at just that place.
"""

from __future__ import annotations

import ast
import os
import signal
import sys
from collections import Counter
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from tests.chaos.oracle import Oracle

ROOMS = ("hayai.bus.", "hayai.ledger.", "hayai.pools", "tests.chaos.handlers")
_OUT = ("memory", "outside", "schedules", "tap", "indexing", "index", "lookout", "overview", "retention")
"""Modules of these rooms that are not on the way from a publisher to a handler's outcome."""
_HOOK = "__chaos_reach__"

known: set[str] = set()
"""Every point of the modules that were imported."""
_passed: Counter[str] = Counter()
_armed: tuple[Oracle, str, int] | None = None
_traced = False


def reach(point: str) -> None:
    """Be at `point`: what the instrumented code calls."""
    if _traced:
        _passed[point] += 1
    if _armed is not None and _armed[1] == point:
        _passed[point] += not _traced
        if _passed[point] >= _armed[2]:
            _armed[0].tell("killing", point, number=_armed[2])
            os.kill(os.getpid(), signal.SIGKILL)


def arm(oracle: Oracle, point: str, passing: int, *, traced: bool) -> None:
    """From now on die at that passing of `point`, if one is named; count all passings where they are to be told."""
    global _armed, _traced  # noqa: PLW0603 - one process is one worker
    _armed = (oracle, point, passing) if point else None
    _traced = traced
    _passed.clear()


def tell(oracle: Oracle) -> None:
    """Tell the oracle how often each point was passed."""
    if _traced:
        for point in known:
            oracle.tell("reached", point, number=_passed[point])


def watch_imports(rooms: tuple[str, ...] = ROOMS) -> None:
    """Instrument what is imported from now on of these rooms."""
    sys.meta_path.insert(0, _Finder(rooms))


class _Finder(MetaPathFinder):
    def __init__(self, rooms: tuple[str, ...]) -> None:
        self._rooms = rooms

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if not name.startswith(self._rooms) or name.rpartition(".")[2].startswith(_OUT):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Compile anew: what lies compiled on the disk has no points."""
        tree = ast.parse(Path(self.path).read_bytes())
        tree = _Weaver(Path(self.path)).visit(tree)
        code: CodeType = compile(ast.fix_missing_locations(tree), self.path, "exec")
        return code

    def exec_module(self, module: Any) -> None:
        """Run it with the hook at hand."""
        module.__dict__[_HOOK] = reach
        super().exec_module(module)


class _Weaver(ast.NodeTransformer):
    """Writes the calls; a point is `room/file.py:function:line moment`."""

    def __init__(self, path: Path) -> None:
        self._where = f"{path.parent.name}/{path.name}"
        self._function = ""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Know the name of what is around a point."""
        outer, self._function = self._function, node.name
        self.generic_visit(node)
        self._function = outer
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """`await x` becomes `(reach(before), await x, reach(after))[1]`."""
        self.generic_visit(node)
        three = ast.Tuple([self._call(node, "before"), node, self._call(node, "after")], ast.Load())
        return ast.copy_location(ast.Subscript(three, ast.Constant(1), ast.Load()), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> list[ast.stmt]:
        """Before entering, inside, and after leaving."""
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(self._call(node, "entered")))
        return [ast.Expr(self._call(node, "entering")), node, ast.Expr(self._call(node, "left"))]

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """With each item."""
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(self._call(node, "item")))
        return node

    def _call(self, node: ast.expr | ast.stmt, moment: str) -> ast.expr:
        point = f"{self._where}:{self._function}:{node.lineno} {moment}"
        known.add(point)
        call = ast.Call(ast.Name(_HOOK, ast.Load()), [ast.Constant(point)], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))
