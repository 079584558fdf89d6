"""The command: measure, print the table, write the figures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import table
from bench.plan import Plan
from bench.run import ROOT
from bench.stages import committing, consuming, publishing, relaying, routing, standing, tasking, texting, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.figures import Figure
    from bench.servers import Sync

_ONCE = frozenset({"idle", "memory", "soak", "tasks"})
"""Stages in which nothing depends on when the server makes a write durable: run with its default alone."""
_ASKED_FOR = frozenset({"soak"})
"""Stages that take long, and are measured where they are named only."""
LATEST = ROOT / "bench/results/latest.json"
_SYNCS: tuple[Sync, ...] = ("default", "always")
STAGES: dict[str, Callable[[Plan, Sync], list[Figure]]] = {
    "consume": consuming.measure,
    "publish": publishing.measure,
    "commit": committing.measure,
    "relay": relaying.measure,
    "latency": waiting.measure,
    "idle": standing.idle,
    "memory": standing.memory,
    "soak": standing.soak,
    "tasks": tasking.measure,
    "texts": texting.measure,
    "route": routing.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 1 where a gate was asked for and a ratio or a processor's time is short."""
    asked = _parser().parse_args(arguments)
    plan = Plan(asked.rounds, asked.events, asked.backlog, asked.seconds, asked.soak, tuple(asked.sync))
    figures = [
        figure for stage in asked.only for sync in _syncs(stage, plan) for figure in _measured(stage, plan, sync)
    ]
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps([each.told() for each in figures], indent=1) + "\n")
    print(table(figures))
    short = [each for each in figures if each.fails]
    if asked.gate and short:
        print(f"{len(short)} of what is required is short.", file=sys.stderr)
        return 1
    return 0


def _syncs(stage: str, plan: Plan) -> tuple[Sync, ...]:
    return ("default",) if stage in _ONCE else plan.syncs


def _measured(stage: str, plan: Plan, sync: Sync) -> list[Figure]:
    plan.progress(f"{stage}, sync {sync}")
    return STAGES[stage](plan, sync)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured (5)")
    parser.add_argument("--events", type=int, default=40_000, help="events of one side in one round (40000)")
    parser.add_argument(
        "--backlog", type=int, default=100_000, help="events that wait where memory is measured (100000)"
    )
    parser.add_argument("--seconds", type=float, default=3, help="how long a steady load lasts (3)")
    parser.add_argument("--soak", type=float, default=600, help="how long `soak` lasts (600 seconds)")
    usual = [stage for stage in STAGES if stage not in _ASKED_FOR]
    parser.add_argument("--only", nargs="+", choices=STAGES, default=usual, help="the stages to measure (all but soak)")
    parser.add_argument("--sync", nargs="+", choices=_SYNCS, default=list(_SYNCS), help="nats-server's sync (both)")
    parser.add_argument("--json", type=Path, nargs="?", const=LATEST, help="write the figures there as well")
    parser.add_argument("--gate", action="store_true", help="fail where a required ratio or processor's time is short")
    return parser


if __name__ == "__main__":
    sys.exit(main())
