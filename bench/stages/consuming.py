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

OWN = "hayai.consume"
RAW = "raw.consume"
_NAMES = {
    OWN: "hayai",
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


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rates beside every peer, and the processor's time an event."""
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[_name(turn) for turn in range(plan.rounds)])
        run("hayai.publish", url=server.url, events=plan.events)
        sides = {label: partial(_once, server.url, plan.events, side) for side, label in _NAMES.items()}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    held = sync == "default"  # the peers run it so, and so is the requirement
    what = titled("consume, typed and ordered by key", sync)
    needs = {peer: need if held else None for peer, need in _NEEDS.items()}
    own, raw = _NAMES[OWN], _NAMES[RAW]
    return [*rates(what, found, own, needs), cost(what, found, own, raw, _COST if held else None)]


def _once(url: str, events: int, side: str, turn: int) -> Taken:
    name = _name(turn) if side == OWN else f"{side.replace('.', '_')}_{turn}"
    few = max(events // _SHARES.get(side, 1), 1)
    taken = timed(side, url=url, name=name, events=few)
    settle(url, f"{name}_0" if side == OWN else name, few)
    return taken


def _name(turn: int) -> str:
    return f"bench_{turn}"
