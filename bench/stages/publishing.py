"""Publishing, each event acknowledged by the stream."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.figures import Figure, Need, cost, rates
from bench.plan import titled
from bench.run import interleaved, run, timed
from bench.servers import nats_server, purge

if TYPE_CHECKING:
    from bench.measure import Taken
    from bench.plan import Plan
    from bench.servers import Sync

_OWN, _RAW = "hayai", "raw publish_async, no id"
_SIDES = {_OWN: "hayai.publish", _RAW: "raw.publish"}
_SLOWER = {"default": 1, "always": 10}
"""With every write made durable, so many times fewer events are published."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rate and the processor's time an event beside nats-py's own pipelined publishing."""
    events = max(plan.events // _SLOWER[sync], 256)
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[])
        sides = {label: partial(_once, server.url, events, side) for label, side in _SIDES.items()}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    what = titled("publish, typed, with id, many at once", sync)
    need = Need(ratio=0.9) if sync == "default" else None
    return [*rates(what, found, _OWN, {_RAW: need}), cost(what, found, _OWN, _RAW)]


def _once(url: str, events: int, side: str, _turn: int) -> Taken:
    taken = timed(side, url=url, events=events)
    purge(url, expected=events)
    return taken
