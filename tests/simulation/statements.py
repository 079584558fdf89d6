"""Statements: what each statement of the ledger does to the simulated tables; its text in the ledger is its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayai.ledger import desk, leases, ledger, places, relay, roster, unit
from tests.simulation.postgres import SHARDS, Lease, Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.postgres import SimulatedPostgres, Transaction

    Rows = list[dict[str, Any]]
    Statement = Callable[[SimulatedPostgres, Transaction | None, tuple[Any, ...]], Rows]

_PATIENCE = 300.0
DOMAIN = "insert into simulation.domain (tenant, event) values ($1, $2)"
"""What the transactional handler of the simulation writes."""


def _sign(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    worker, _silence, scopes = given
    if worker not in it.workers:
        return []
    it.workers[worker] = (scopes, it.workers[worker][1] + 1)
    return [{"beat": it.workers[worker][1]}]


def _enter(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    worker, _silence, scopes = given
    it.workers[worker] = (scopes, 0)
    return []


def _roll(it: SimulatedPostgres, *_: Any) -> Rows:
    return [{"id": worker, "scopes": scopes, "beat": beat} for worker, (scopes, beat) in it.workers.items()]


def _strike(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    struck = [each for each, beat in zip(*given, strict=True) if each in it.workers and it.workers[each][1] == beat]
    for each in struck:
        del it.workers[each]
        it.world.note(f"{each[:6]} is struck off")
    return [{"id": each} for each in struck]


def _held(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    return [{"name": name, "epoch": row.epoch} for name, row in it.leases.items() if row.holder == given[0]]


def _free(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    return [
        {"name": name, "epoch": it.leases[name].epoch}
        for name in given[0]
        if name in it.leases and it.leases[name].holder not in it.workers
    ]


def _take(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    names, epochs, worker = given
    taken: Rows = []
    for name, epoch in sorted(zip(names, epochs, strict=True)):
        lease = it.leases[name]
        if lease.epoch != epoch or any(name in each.leases for each in it.open):
            continue  # somebody was faster; skip locked
        orphaned = lease.holder is not None
        lease.holder, lease.epoch = worker, lease.epoch + 1
        taken.append({"name": name, "epoch": lease.epoch, "orphaned": orphaned})
        it.world.note(f"lease {name} epoch {lease.epoch} goes to {worker[:6]}, orphaned: {orphaned}")
    return taken


def _release(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    worker, names, in_order = given
    for name in names:
        if it.leases[name].holder == worker:
            it.leases[name].holder = None if in_order else "nobody"
            it.world.note(f"lease {name} is given back by {worker[:6]}, in order: {in_order}")
    return []


def _release_all(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    return _release(it, None, (given[0], list(it.leases), False))


def _declare(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    for name in given[0]:
        it.leases.setdefault(name, Lease())
    return []


def _leave(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    it.workers.pop(given[0], None)
    return []


def _find_place(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    place = it.places.get(given[0])
    return [{"born": place[0], "floor": place[1]}] if place else []


def _keep_places(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    for name, born, floor in zip(*given, strict=True):
        it.places[name] = born, floor
    return []


def _seen(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    handler, run, tenants, ids = given
    asked = zip(tenants, ids, strict=True)
    return [{"tenant": t, "event": e} for t, e in asked if (t, e, handler, run) in it.inbox]


def _commit(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    names, epochs, tenants, events, handlers, _runs, of, ids, types, subjects, bodies, whose = given
    fences = frozenset(zip(names, epochs, strict=True))
    held = sum(it.holds(name, epoch, None) for name, epoch in fences)
    if held < len(fences):
        it.world.note(f"a commit is refused: {sorted(fences)}")
        return [{"fences": held, "events": None}]
    for tenant, event, handler in zip(tenants, events, handlers, strict=True):
        it.must_wait((tenant, event, handler, "live"), None)
    new: list[int] = []
    for place, (tenant, event, handler) in enumerate(zip(tenants, events, handlers, strict=True), 1):
        if it.mark(Mark(it.now, tenant, event, handler, fences, of.count(place)), None):
            new.append(place)
    rows = zip(of, whose, ids, types, subjects, bodies, strict=True)
    put = [tuple(row) for place, *row in rows if place in new]
    if put:
        it.put(put, None)
    return [{"fences": held, "events": [events[place - 1] for place in new] or None}]


def _begun(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    return [{"begun": it.suspects[given]}] if given in it.suspects else []


def _begin(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    it.suspects[given] = it.suspects.get(given, 0) + 1
    return []


def _claim(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    key, (lease, epoch, token) = given[:5], given[5:]
    holds = lease is None or it.holds(lease, epoch, None)
    before = dict(it.effects.get(key, {}))
    mine = holds and not before
    if mine:
        fence = (lease, epoch) if lease else None
        it.effects[key] = {"state": "claimed", "result": None, "claim": token, "fence": fence, "at": it.now}
    theirs = before.get("fence")
    left = bool(before) and (
        (theirs is not None and (theirs == (lease, epoch) or not it.holds(theirs[0], theirs[1], None)))
        or before["at"] < it.now - _PATIENCE
    )
    told = {each: before.get(each) for each in ("state", "result", "claim")}
    return [{"holds": holds, "mine": mine, "left_behind": left, **told}]


def _again(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    key, (lease, epoch, token, found) = given[:5], given[5:]
    row = it.effects.get(key)
    if row is None or row["claim"] != found or row["state"] == "done":
        return []
    row.update(state="claimed", claim=token, fence=(lease, epoch) if lease else None, at=it.now)
    return [{"bool": True}]


def _done(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    row = it.effects.get(given[:5])
    if row is not None and row["state"] != "done":
        row.update(state="done", result=given[5])
    return []


def _unknown(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    row = it.effects.get(given[:5])
    if row is not None and row["claim"] == given[5] and row["state"] == "claimed":
        row["state"] = "unknown"
    return []


def _undone(it: SimulatedPostgres, _: Transaction | None, given: tuple[Any, ...]) -> Rows:
    row = it.effects.get(given[:5])
    if row is not None and row["claim"] == given[5] and row["state"] != "done":
        del it.effects[given[:5]]
    return []


def _lock(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    assert transaction is not None
    transaction.idle = 4.0
    taken = {shard for each in it.open for shard in each.shards}
    transaction.shards = {each for each in range(given[0], SHARDS, given[1]) if each not in taken}
    return [{"shards": sorted(transaction.shards)}]


def _relayed(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    shards, since, most, _, share = given
    least, oldest = dict(zip(shards, map(int, since), strict=True)), it.oldest()
    due = [row for row in it.outbox if row.shard in least and row.written_by >= least[row.shard]]
    due.sort(key=lambda row: (row.written_by, row.position))
    due = sorted(
        (row for shard in least for row in [each for each in due if each.shard == shard][:share]),
        key=lambda row: (row.written_by, row.position),
    )[:most]
    if not due:
        return [{"open": oldest, "position": None}]
    it.number(transaction)

    def gone() -> None:
        for row in due:
            it.outbox.remove(row)

    it.write(transaction, gone)
    return [{"open": oldest, "written": row.written_by, "shard": row.shard, **vars(row)} for row in due]


def _refuse(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    it.write(transaction, lambda: it.refused.append(given))
    return []


def _fence_holds(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    return [{"holds": it.holds(given[0], given[1], transaction)}]


def _mark(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    assert transaction is not None
    tenant, event, handler, _ = given
    it.number(transaction)
    fences = frozenset((name, it.leases[name].epoch) for name in transaction.leases)
    return [{"true": True}] if it.mark(Mark(it.now, tenant, event, handler, fences, 0), transaction) else []


def _put(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    it.put([given], transaction)
    return []


def _hasten(_: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    assert transaction is not None
    transaction.idle = float(given[0].rstrip("s"))
    return []


def _domain(it: SimulatedPostgres, transaction: Transaction | None, given: tuple[Any, ...]) -> Rows:
    it.write(transaction, lambda: it.domain.append((given[0], given[1])))
    return []


def _nothing(*_: Any) -> Rows:
    return []


STATEMENTS: dict[str, Statement] = {
    leases._HELD: _held,
    leases._FREE: _free,
    leases._TAKE: _take,
    leases._RELEASE: _release,
    leases._RELEASE_ALL: _release_all,
    leases._DECLARE: _declare,
    roster._SIGN: _sign,
    roster._ENTER: _enter,
    roster._ROLL: _roll,
    roster._STRIKE: _strike,
    roster._LEAVE: _leave,
    places._FIND: _find_place,
    places._KEEP: _keep_places,
    ledger._SEEN: _seen,
    ledger._COMMIT: _commit,
    ledger._HASTEN: _hasten,
    ledger._BEGUN: _begun,
    ledger._BEGIN: _begin,
    desk._CLAIM: _claim,
    desk._AGAIN: _again,
    desk._DONE: _done,
    desk._UNKNOWN: _unknown,
    desk._UNDONE: _undone,
    relay._LOCK: _lock,
    relay._CLAIM: _relayed,
    relay._REFUSE: _refuse,
    unit._MARK: _mark,
    unit._PUT: _put,
    "select hayai.fence_holds($1, $2)": _fence_holds,
    "select pg_notify('hayai_outbox', '')": _nothing,
    "select": _nothing,
    DOMAIN: _domain,
}
