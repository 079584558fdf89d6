"""The command: make the faults, print the table and the seed; exit status 1 where a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from typing import TYPE_CHECKING

from tests.chaos.plan import Plan, Report, table
from tests.chaos.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios that were asked for, one after the other."""
    asked = _parser().parse_args(arguments)
    plan = Plan(asked.seed, asked.full)
    print(f"seed {plan.seed}", flush=True)
    reports = [_run(name, plan) for name in asked.only]
    print(table(reports))
    again = f"python -m tests.chaos --seed {plan.seed}{' --full' if plan.full else ''} --only {' '.join(asked.only)}"
    broken = sum(len(each.breaches) for each in reports)
    print(f"{broken} promises broken. The same faults again: {again}")
    return 1 if broken else 0


def _run(name: str, plan: Plan) -> Report:
    """The report of one scenario; one that fell over is a breach too."""
    plan.progress(name)
    began = time.monotonic()
    try:
        report = asyncio.run(SCENARIOS[name](plan))
    except Exception as wrong:  # noqa: BLE001 - the others shall run
        report = Report(name, breaches=[f"it could not be run to its end: {type(wrong).__name__}: {wrong}"])
    report.show("took", f"{time.monotonic() - began:.0f} s")
    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long numbers")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="repeat the run of this seed")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), help="these alone (all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
