"""Consuming a stream that is full already: typed, ordered by key, handled, acknowledged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.figures import Figure, Need, cost, rates
from bench.plan import titled
from bench.run import interleaved, run, timed
from bench.servers import nats_server, settle

if TYPE_CHECKING:
    from bench.measure import Taken
    from bench.plan import Plan
    from bench.servers import Sync

OWN, EXPRESS = "hayai.consume", "hayai.consume_express"
RAW = "raw.consume"
_NAMES = {
    OWN: "hayai",
    EXPRESS: "hayai, express",
    RAW: "raw standing loop",
    "raw.fetch": "raw fetch(500)",
    "faststream.pull_many": "FastStream PullSub(500)",
    "faststream.push": "FastStream push",
    "faststream.pull_one": "FastStream pull_sub=True",
}
_SHARES = {"faststream.pull_many": 4, "faststream.push": 4, "faststream.pull_one": 20}
"""A peer that is slow is given so many times fewer events, else it would take the most of the run."""

_NEEDS = {
    "raw standing loop": Need(ratio=0.6),
    "raw fetch(500)": Need(ratio=1.5),
    "FastStream PullSub(500)": Need(ratio=6),
    "FastStream pull_sub=True": Need(ratio=20),
    "FastStream push": None,
}
_COST = Need(value=18)
_OWNS = {OWN: "consume, typed and ordered by key", EXPRESS: "consume, typed and ordered by key, express"}
"""The product's sides, and what their rows are called."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rates beside every peer, and the processor's time an event."""
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[_name(own, turn) for own in _OWNS for turn in range(plan.rounds)])
        run("hayai.publish", url=server.url, events=plan.events)
        sides = {label: partial(_once, server.url, plan.events, side) for side, label in _NAMES.items()}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    held = sync == "default"  # the peers run it so, and so is the requirement
    needs = {peer: need if held else None for peer, need in _NEEDS.items()}
    figures: list[Figure] = []
    for own, what in _OWNS.items():
        name = titled(what, sync)
        figures += rates(name, found, _NAMES[own], needs)
        figures.append(cost(name, found, _NAMES[own], _NAMES[RAW], _COST if held else None))
    return figures


def _once(url: str, events: int, side: str, turn: int) -> Taken:
    name = _name(side, turn)
    few = max(events // _SHARES.get(side, 1), 1)
    taken = timed(side, url=url, name=name, events=few)
    settle(url, f"{name}_0" if side in _OWNS else name, few)
    return taken


def _name(side: str, turn: int) -> str:
    return f"{side.replace('.', '_')}_{turn}"
