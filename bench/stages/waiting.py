"""Waiting: how late an event reaches its handler while others come at a steady rate."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.databases import postgres_server
from bench.figures import Figure, Need
from bench.plan import titled
from bench.run import interleaved, run
from bench.servers import nats_server, purge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.databases import Given
    from bench.plan import Plan
    from bench.servers import Sync

_RAW = "raw standing loop"
_SIDES = {"handler": "latency.to_handler", "commit": "latency.to_commit", _RAW: "latency.raw"}


class Load(NamedTuple):
    """To where, at how many events a second, and how many milliseconds the 99th percentile may be."""

    to: str
    rate: int
    most: float | None = None


_LOADS = {
    "default": (
        Load("handler", 1000, 5),
        Load("commit", 1000, 10),
        Load(_RAW, 1000),
        Load("handler", 10_000, 10),
        Load("commit", 5000, 10),
        Load(_RAW, 10_000),
        Load(_RAW, 5000),
    ),
    "always": (Load("handler", 500, 20), Load("commit", 500), Load(_RAW, 500)),
}


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The median and the 99th percentile at each load, beside nats-py's standing loop at the same rate."""
    loads = _LOADS[sync]
    with ExitStack() as stack:
        url = stack.enter_context(nats_server(sync)).url
        database = stack.enter_context(postgres_server())
        run("hayai.found", url=url, names=[])
        sides = {_label(load): partial(_once, url, database, plan.seconds, load) for load in loads}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    return [figure for load in loads if load.to != _RAW for figure in _figures(load, found, sync)]


def _once(url: str, database: Given, seconds: float, load: Load, turn: int) -> dict[str, Any]:
    events = int(load.rate * seconds)
    more = {"database": database.address} if load.to == "commit" else {}
    name = f"{_SIDES[load.to].replace('.', '_')}_{load.rate}_{turn}"
    late = run(_SIDES[load.to], url=url, name=name, rate=load.rate, events=events, **more)
    purge(url, expected=events)
    return late


def _figures(load: Load, found: dict[str, list[dict[str, Any]]], sync: Sync) -> list[Figure]:
    own, raw = found[_label(load)], found[_label(Load(_RAW, load.rate))]
    needs = {"p50": None, "p99": None if load.most is None else Need(value=load.most, gated=False)}
    what = titled(f"published to {'its commit' if load.to == 'commit' else 'its handler'}, {load.rate:,}/s", sync)
    return [
        Figure(f"{what}, {which}", _median(own, which), "ms", _RAW, _median(raw, which), need)
        for which, need in needs.items()
    ]


def _median(rounds: Sequence[dict[str, Any]], which: str) -> float:
    return float(median(each[which] for each in rounds))


def _label(load: Load) -> str:
    return f"to {load.to}, {load.rate:,}/s"
