"""Routing: a FastStream router on the house's engine beside a native handler, and beside FastStream's own delivery."""

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

_NATIVE, _PLAIN, _INJECTED = "native handler", "router, plain", "router, injected"
_PLAINLY, _INJECTING = "FastStream, plain", "FastStream, injected"
_SIDES = {
    _NATIVE: "hayai.consume",
    _PLAIN: "router.plain",
    _INJECTED: "router.injected",
    _PLAINLY: "faststream.pull_many",
    _INJECTING: "router.theirs",
}
_SLOW = (_PLAINLY, _INJECTING)
"""Given a quarter of the events, else they would take the most of the run; the house has no place to stop early."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rates of both routes, and the processor's time an event."""
    with nats_server(sync) as server:
        places = [_place(label, turn) for turn in range(plan.rounds) for label in (_NATIVE, _PLAIN, _INJECTED)]
        run("hayai.found", url=server.url, names=places)
        run("hayai.publish", url=server.url, events=plan.events)
        sides = {label: partial(_once, server.url, plan.events, label) for label in _SIDES}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    held = sync == "default"
    plain = {_NATIVE: Need(ratio=0.9, gated=False) if held else None, _PLAINLY: Need(ratio=1) if held else None}
    same = Need(most=1.1) if held else None  # a tenth is less than two rates differ by on a busy machine
    return [
        *rates(titled("FastStream route, plain", sync), found, _PLAIN, plain),
        *rates(
            titled("FastStream route, injected", sync), found, _INJECTED, {_INJECTING: Need(ratio=1) if held else None}
        ),
        cost(titled("FastStream route, plain", sync), found, _PLAIN, _NATIVE, same),
        cost(titled("FastStream route, injected", sync), found, _INJECTED, _INJECTING),
    ]


def _once(url: str, events: int, label: str, turn: int) -> Taken:
    few = events // 4 if label in _SLOW else events
    name = f"{_SIDES[label].replace('.', '_')}_{turn}"
    ours = label in {_NATIVE, _PLAIN, _INJECTED}
    taken = timed(_SIDES[label], url=url, name=name, events=few)
    settle(url, f"{_place(label, turn)}_0" if ours else name, few)
    return taken


def _place(label: str, turn: int) -> str:
    """The durable consumer's name: a route's has its function's."""
    name = f"{_SIDES[label].replace('.', '_')}_{turn}"
    return name if label == _NATIVE else f"{name}_handle"
