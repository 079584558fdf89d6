"""Side: the process that measures one side once: `python -m bench.side MODULE.FUNCTION OPTIONS-AS-JSON`.

It runs a coroutine function of bench.sides on uvloop and prints what that returns as its last line, in JSON. With
BENCH_PROFILE set it prints where the time went before that line.
"""

from __future__ import annotations

import asyncio
import cProfile
import importlib
import json
import os
import pstats
import sys
from typing import Any

import uvloop


def main() -> None:
    """Measure what the command line names."""
    name, options = sys.argv[1], json.loads(sys.argv[2])
    module, _, function = name.rpartition(".")
    side = getattr(importlib.import_module(f"bench.sides.{module}"), function)
    measured = _profiled if os.environ.get("BENCH_PROFILE") else _plain
    result = measured(side, options)
    print(json.dumps(result))


def _plain(side: Any, options: dict[str, Any]) -> object:
    return uvloop.run(side(**options))


def _profiled(side: Any, options: dict[str, Any]) -> object:
    with cProfile.Profile() as profile:
        result = asyncio.run(side(**options))
    pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(20)
    return result


if __name__ == "__main__":
    main()
