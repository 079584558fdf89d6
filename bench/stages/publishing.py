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

_OWN, _EXPRESS, _RAW = "hayai", "hayai, express", "raw publish_async, no id"
_OWN_SINGLY, _RAW_SINGLY = "hayai, one by one", "raw publish, one by one"
_SIDES = {
    _OWN: "hayai.publish",
    _EXPRESS: "hayai.publish_express",
    _RAW: "raw.publish",
    _OWN_SINGLY: "hayai.publish_singly",
    _RAW_SINGLY: "raw.publish_singly",
}
_SHARES = {_OWN_SINGLY: 10, _RAW_SINGLY: 10}
"""One by one, so many times fewer events are published, else it would take the most of the run."""
_SLOWER = {"default": 1, "always": 10}
"""The same where every write is made durable."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rate and the processor's time an event beside nats-py's own publishing, pipelined and one by one."""
    events = max(plan.events // _SLOWER[sync], 256)
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[])
        sides = {label: partial(_once, server.url, events // _SHARES.get(label, 1), label) for label in _SIDES}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    many = titled("publish, typed, with id, many at once", sync)
    express = titled("publish, typed, with id, many at once, express", sync)
    singly = titled("publish, typed, with id, one by one", sync)
    need = Need(ratio=0.9) if sync == "default" else None
    return [
        *rates(many, found, _OWN, {_RAW: need}),
        cost(many, found, _OWN, _RAW),
        *rates(express, found, _EXPRESS, {_RAW: need}),
        cost(express, found, _EXPRESS, _RAW),
        *rates(singly, found, _OWN_SINGLY, {_RAW_SINGLY: None}),
        cost(singly, found, _OWN_SINGLY, _RAW_SINGLY),
    ]


def _once(url: str, events: int, label: str, _turn: int) -> Taken:
    taken = timed(_SIDES[label], url=url, events=events)
    purge(url, expected=events)
    return taken
