"""Texting: how long Twilio waits for the answer to a webhook, which it is given once the text is kept."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from bench.figures import Figure, Need
from bench.plan import titled
from bench.run import interleaved, run
from bench.servers import nats_server
from hayai.migrations import APPLICATION
from hayai.testing.postgres_server import PostgresServer

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.servers import Sync

_OWN, _BARE = "hayai", "a route that does nothing"
_RATE = 50
"""Texts a second: far more than a number may receive."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The median and the 99th percentile, without an agent."""
    many: dict[str, Any] = {"rate": _RATE, "events": int(_RATE * max(plan.seconds, 10))}
    with nats_server(sync) as server, PostgresServer({}) as postgres:

        def own(_turn: int) -> dict[str, Any]:
            name = postgres.create()
            addresses = {"owner": postgres.url(name), "application": postgres.url(name, user=APPLICATION)}
            return run("texting.taken", url=server.url, **addresses, **many)

        def bare(_turn: int) -> dict[str, Any]:
            return run("texting.bare", **many)

        found = interleaved({_OWN: own, _BARE: bare}, plan.rounds, progress=plan.progress)
    what = titled(f"a text taken, {_RATE}/s", sync)
    needs = {"p50": None, "p99": Need(value=50, gated=False)}
    return [
        Figure(f"{what}, {which}", _median(found[_OWN], which), "ms", _BARE, _median(found[_BARE], which), need)
        for which, need in needs.items()
    ]


def _median(rounds: list[dict[str, Any]], which: str) -> float:
    return float(median(each[which] for each in rounds))
