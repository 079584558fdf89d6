"""Run seeds and say what they found: `python -m tests.simulation --seeds 500 --from 1`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from tests.simulation.run import Result, run

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 3


def main() -> int:
    """Run the seeds of the command line; how many were broken, at most 1 as an exit code."""
    asked = _asked()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets of words is part of a history
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    _log(aloud=asked.log)
    begun = time.perf_counter()
    results = list(_results(range(asked.first, asked.first + asked.seeds), asked.jobs))
    broken = [each for each in results if each.wrong]
    for each in broken[:_SHOWN]:
        _tell(each, asked.history)
    for each in broken[_SHOWN:]:
        print(f"seed {each.seed}: {each.wrong}")
    if asked.history and not broken:
        print("\n".join(results[-1].history[-asked.history :]))
    _sum_up(results, time.perf_counter() - begun)
    return int(bool(broken))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many (500)")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first of them (1)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes at once (2)")
    parser.add_argument("--history", type=int, default=0, help="the last lines of the history to print")
    parser.add_argument("--log", action="store_true", help="print what the product logs (best with one seed)")
    return parser.parse_args()


def _log(*, aloud: bool) -> None:
    logging.getLogger("hayai").propagate = aloud
    logging.getLogger("nats").setLevel(logging.CRITICAL)
    if aloud:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


def _results(seeds: range, jobs: int) -> Iterator[Result]:
    if jobs < 2 or len(seeds) < 2:
        yield from map(run, seeds)
    else:
        with ProcessPoolExecutor(jobs, initializer=_log_quietly) as pool:
            yield from pool.map(run, seeds, chunksize=5)


def _log_quietly() -> None:
    _log(aloud=False)


def _tell(broken: Result, lines: int) -> None:
    print(f"seed {broken.seed} is broken after {broken.seconds:.1f} virtual seconds: {broken.wrong}")
    print(f"  again: python -m tests.simulation --seeds 1 --from {broken.seed} --history 200 --log")
    for each in broken.history[-(lines or 40) :]:
        print(f"  {each}")


def _sum_up(results: list[Result], took: float) -> None:
    faults: Counter[str] = sum((each.faults for each in results), Counter())
    seconds, callbacks = sum(each.seconds for each in results), sum(each.callbacks for each in results)
    print(
        f"{len(results)} seeds, {sum(bool(each.wrong) for each in results)} broken, "
        f"{sum(each.events for each in results)} events, {sum(faults.values())} faults, {callbacks} steps, "
        f"{seconds:.0f} virtual seconds in {took:.1f} s: {len(results) / took:.1f} seeds a second"
    )
    print("faults: " + ", ".join(f"{count} {name}" for name, count in sorted(faults.items())))
    print(f"acts twice since their process was stopped between claim and act: {sum(e.excused for e in results)}")


if __name__ == "__main__":
    sys.exit(main())
