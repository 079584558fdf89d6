"""Relaying: an outbox full of events is published and emptied; and how quick the publishing alone is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.databases import postgres_server
from bench.figures import Figure, Need, cost, rates
from bench.plan import titled
from bench.run import interleaved, run, timed
from bench.servers import nats_server, purge

if TYPE_CHECKING:
    from bench.databases import Given
    from bench.measure import Taken
    from bench.plan import Plan
    from bench.servers import Sync

_OWN, _BATCHES, _RAW, _SINGLY = "hayai", "hayai, out of memory", "raw publish_async, no id", "raw publish, one by one"
_PEERS = {_BATCHES: "hayai.publish_batches", _RAW: "raw.publish", _SINGLY: "raw.publish_singly"}
_SHARES = {_OWN: 1, _BATCHES: 1, _RAW: 1, _SINGLY: 10}
_SLOWER = {"default": 1, "always": 4}
_NEEDS = {"default": {_RAW: Need(ratio=2.5), _SINGLY: None}, "always": {_RAW: None, _SINGLY: Need(ratio=5)}}


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rate beside nats-py's pipelined publishing, and its publishing one by one."""
    events = max(plan.events // _SLOWER[sync], _SHARES[_SINGLY])
    with nats_server(sync) as server, postgres_server() as database:
        run("hayai.found", url=server.url, names=[])
        peers = {label: partial(_peer, server.url, events // _SHARES[label], side) for label, side in _PEERS.items()}
        sides = {_OWN: partial(_own, server.url, events, database), **peers}
        found = interleaved(sides, plan.rounds, progress=plan.progress)
    relayed, published = titled("outbox relayed, with id", sync), titled("batches published, with id", sync)
    return [
        *rates(relayed, found, _OWN, _NEEDS[sync]),
        cost(relayed, found, _OWN, _RAW),
        *rates(published, found, _BATCHES, dict.fromkeys((_RAW, _SINGLY))),
        cost(published, found, _BATCHES, _RAW),
    ]


def _own(url: str, events: int, database: Given, _turn: int) -> Taken:
    run("ledger.fill", events=events, database=database.address)
    taken = timed("ledger.relay", url=url, events=events, database=database.address)
    purge(url, expected=events)
    return taken


def _peer(url: str, events: int, side: str, _turn: int) -> Taken:
    taken = timed(side, url=url, events=events)
    purge(url, expected=events)
    return taken
