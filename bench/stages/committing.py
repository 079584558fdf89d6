"""Committing: the mark that an event was handled and what follows from it, in Postgres, before it is acknowledged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.databases import postgres_server
from bench.figures import Figure, Need, cost, rates
from bench.plan import titled
from bench.run import interleaved, run, timed
from bench.servers import nats_server, settle

if TYPE_CHECKING:
    from bench.databases import Given
    from bench.measure import Taken
    from bench.plan import Plan
    from bench.servers import Sync

_OWN, _ONE, _MANY = "hayai", "one transaction an event", "one transaction an event, 16 at once"
_CONNECTIONS = {_ONE: 1, _MANY: 16}
_SHARE = 10
"""The peer is given so many times fewer events, else it would take the most of the run."""


def measure(plan: Plan, sync: Sync) -> list[Figure]:
    """The rate beside a transaction for each event, one after another and many at once."""
    with nats_server(sync) as server, postgres_server() as database:
        run("hayai.found", url=server.url, names=[_name(turn) for turn in range(plan.rounds)])
        run("hayai.publish", url=server.url, events=plan.events)
        own = partial(_own, server.url, plan.events, database)
        peers = {label: partial(_peer, server.url, plan.events // _SHARE, database, label) for label in _CONNECTIONS}
        found = interleaved({_OWN: own, **peers}, plan.rounds, progress=plan.progress)
    what = titled("inbox and outbox committed, then acknowledged", sync)
    need = Need(ratio=7) if sync == "default" else None
    return [*rates(what, found, _OWN, {_ONE: need, _MANY: None}), cost(what, found, _OWN, _MANY)]


def _own(url: str, events: int, database: Given, turn: int) -> Taken:
    taken = timed("ledger.consume", url=url, name=_name(turn), events=events, database=database.address)
    settle(url, f"{_name(turn)}_0", events)
    _see(database, "hayai.inbox", _name(turn), events)
    return taken


def _peer(url: str, events: int, database: Given, label: str, turn: int) -> Taken:
    connections = _CONNECTIONS[label]
    name = f"plain_{connections}_{turn}"
    where = database.address
    taken = timed("plain.consume", url=url, name=name, events=events, database=where, connections=connections)
    settle(url, name, 0)  # what its last transactions were is not known: they come in no order
    _see(database, "plain_inbox", name, events)
    return taken


def _see(database: Given, table: str, handler: str, events: int) -> None:
    """Raise RuntimeError where `table` does not hold the marks of so many events."""
    marked = int(database.run(f"select count(*) from {table} where handler = '{handler}'"))  # noqa: S608 - ours
    if marked < events:
        raise RuntimeError(f"{table} says of {handler} that it handled {marked} events instead of {events}.")


def _name(turn: int) -> str:
    return f"bench_{turn}"
