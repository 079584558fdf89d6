"""Run: sides in processes of their own, one after another, round by round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.measure import Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")
_DEADLINE, _SLOWEST = 60.0, 1000.0
"""A side has so many seconds, and one more for each so many events."""
_PROFILE = "BENCH_PROFILE"


class SideFailed(Exception):
    """A side ended with an error, or did not end."""


def run(name: str, /, **options: Any) -> dict[str, Any]:
    """What the side called `name` (MODULE.FUNCTION) returns. Raises SideFailed with the end of what it said."""
    command = [sys.executable, "-m", "bench.side", name, json.dumps(options)]
    deadline = _DEADLINE + options.get("events", 0) / _SLOWEST
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=deadline, cwd=ROOT, check=False)
    except subprocess.TimeoutExpired:
        raise SideFailed(f"{name} did not end within {deadline:g} s.") from None
    if done.returncode:
        raise SideFailed(f"{name} failed:\n{done.stderr[-2000:]}")
    *told, result = done.stdout.splitlines()
    if os.environ.get(_PROFILE):
        print(name, *told, sep="\n")
    return dict(json.loads(result))


def timed(name: str, /, **options: Any) -> Taken:
    """The same for a side that returns Taken.told()."""
    return Taken(**run(name, **options))


def interleaved(
    sides: Mapping[str, Callable[[int], T]], rounds: int, *, progress: Callable[[str], None] | None = None
) -> dict[str, list[T]]:
    """Each side once a round, every round beginning with another one; what each returned, round by round."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    names: Sequence[str] = list(sides)
    for turn in range(rounds):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            if progress:
                progress(f"round {turn + 1} of {rounds}: {name}")
            found[name].append(sides[name](turn))
    return found
