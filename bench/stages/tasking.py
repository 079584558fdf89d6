"""Tasking: the same event through task queues, which many use as a bus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.figures import Figure, cost, rates
from bench.plan import titled
from bench.redis import redis_server
from bench.run import interleaved, run, timed
from bench.servers import nats_server, settle

if TYPE_CHECKING:
    from bench.measure import Taken
    from bench.plan import Plan
    from bench.servers import Sync

_OWN, _TASKIQ, _DRAMATIQ = "hayai", "taskiq on NATS", "dramatiq on Redis"
_SHARE = 20
"""Task queues are given so many times fewer events, else they would take the most of the run."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rate beside taskiq on the same server, and dramatiq on a Redis."""
    few = max(plan.events // _SHARE, 1)
    with nats_server(sync) as server, redis_server() as redis:
        run("hayai.found", url=server.url, names=[_name(turn) for turn in range(plan.rounds)])
        run("hayai.publish", url=server.url, events=plan.events)
        sides = {
            _OWN: partial(_own, server.url, plan.events),
            _TASKIQ: partial(_peer, "tasks.taskiq", server.url, few),
            _DRAMATIQ: partial(_peer, "tasks.threads", redis, few),
        }
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    what = titled("consume, beside task queues", sync)
    return [
        *rates(what, found, _OWN, {_TASKIQ: None, _DRAMATIQ: None}),
        *(cost(what, found, _OWN, peer) for peer in (_TASKIQ, _DRAMATIQ)),
    ]


def _own(url: str, events: int, turn: int) -> Taken:
    taken = timed("hayai.consume", url=url, name=_name(turn), events=events)
    settle(url, f"{_name(turn)}_0", events)
    return taken


def _peer(side: str, url: str, events: int, turn: int) -> Taken:
    return timed(side, url=url, name=f"tasks_{turn}", events=events)


def _name(turn: int) -> str:
    return f"bench_{turn}"
