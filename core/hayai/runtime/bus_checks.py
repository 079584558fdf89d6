"""Bus checks: what the doctor says of the running NATS server, its streams and consumers, and of what waits."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from hayai.bus.addresses import addresses
from hayai.bus.indexing import NAME as INDEX
from hayai.bus.lookout import Lookout, handler_of
from hayai.bus.outside import PREFIX
from hayai.bus.streams import NANOSECONDS, broken_promises, other_limits
from hayai.doctor import Finding
from hayai.errors import HayaiError
from hayai.ledger.overview import ledger_state
from hayai.runtime.oversight import overseen_bus, overseen_ledger
from hayai.runtime.pace_checks import handler_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hayai.bus.nats import NatsSettings
    from hayai.handlers import Subscription
    from hayai.ledger.overview import LedgerState
    from hayai.ledger.pace import Pace
    from hayai.settings import InstallSettings

OLDEST = (2, 15)
"""The first nats-server that hands out again, at once and in order, what a dead worker had in hand."""
_USUAL_MONITOR = 8222
_GLANCE = 2.0
_BACKLOG_SECONDS = 60.0
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Streams = list[tuple[dict[str, Any], dict[str, Any]]]
"""Each stream that is there: its configuration as declared, and what the server tells of it."""


async def look_at_ledger(settings: InstallSettings) -> LedgerState | None:
    """What waits in the ledger; None where it cannot be reached, which the doctor has said by then."""
    try:
        async with overseen_ledger(settings) as pool:
            return await ledger_state(pool)
    except HayaiError:
        return None


def waiting(state: LedgerState | None) -> list[Finding]:
    """What waits in the ledger, where that could be seen."""
    return [outbox(state), refused(state)] if state else []


async def look_at_bus(
    settings: InstallSettings,
    subscriptions: Sequence[Subscription],
    state: LedgerState | None,
    paces: Mapping[str, Pace],
    *,
    complete: bool,
    monitors: Iterable[str] = (),
) -> list[Finding]:
    """The running bus; nothing where it cannot be reached, which the doctor has said by then.

    `subscriptions` are those of the installed plugins, `paces` says how long they take, and `complete` says that all
    of these could be read. `monitors` are addresses where the server's monitoring port may be, beside the usual one.
    """
    try:
        async with overseen_bus(settings, Lookout) as lookout:
            try:
                return [
                    *await _look_at_server(lookout, state, monitors),
                    *await _look_at_consumers(lookout, subscriptions, complete=complete),
                    *handler_times(subscriptions, paces, cast("NatsSettings", lookout.settings).ack_wait),
                ]
            except HayaiError as wrong:
                return [Finding("bus server", ok=False, says=str(wrong))]
    except HayaiError:
        return []


async def _look_at_server(lookout: Lookout, state: LedgerState | None, monitors: Iterable[str]) -> list[Finding]:
    server = await lookout.server()
    found = [(each, await lookout.stream(each["name"])) for each in lookout.declared()]
    streams = [(declared, live) for declared, live in found if live]
    measures = cast("NatsSettings", lookout.settings)
    varz = await asyncio.to_thread(monitored, server, [*monitors_of(measures), *monitors])
    windows = [live["config"]["duplicate_window"] / NANOSECONDS for _, live in streams]
    return [
        version(str(server.get("ver", ""))),
        sync(varz, replicas=measures.replicas, strict=measures.durability == "strict"),
        replicas(streams),
        *(_drift(declared, live["config"]) for declared, live in streams),
        *([horizon(min(windows), measures.outbox_horizon)] if windows else []),
        *([window(min(windows), state)] if windows and state else []),
    ]


async def _look_at_consumers(
    lookout: Lookout, subscriptions: Sequence[Subscription], *, complete: bool
) -> list[Finding]:
    consumers = {name: each["config"] for name, each in (await lookout.consumers()).items()}
    left = leftovers(consumers, subscriptions) if complete else []
    return [consumer_drift(lookout, subscriptions, consumers), *left]


def version(running: str) -> Finding:
    """Whether the server is new enough."""
    numbers = tuple(map(int, re.findall(r"\d+", running)[:2]))
    wanted = ".".join(map(str, OLDEST))
    if numbers < OLDEST:
        says = f"nats-server {running or 'of an unknown version'} is too old: run {wanted} or newer."
        return Finding("bus version", ok=False, says=says)
    return Finding("bus version", ok=True, says=f"nats-server {running}")


def sync(varz: Mapping[str, Any] | None, *, replicas: int, strict: bool = False) -> Finding:
    """Whether an acknowledged event is on the disk, by what the server's monitoring port tells, if it was found.

    What cannot be seen is a fault where the settings are `strict` and one server alone has the event.
    """
    part = "bus sync"
    if varz is None:
        says = (
            "How often the server syncs its disk cannot be seen, since no monitoring port of this server was found: "
            "see that its configuration has `sync_interval: always` under jetstream, turn on `http: 8222` there, and "
            "say where that is with `monitor` under [bus]."
        )
        return Finding(part, ok=not strict or replicas > 1, says=says)
    config = varz.get("jetstream", {}).get("config", {})
    if config.get("sync_always"):
        return Finding(part, ok=True, says="an event is on the disk before it is acknowledged")
    seconds = config.get("sync_interval", 0) / NANOSECONDS
    says = f"The server syncs its disk every {seconds:g} s, and a power cut loses what was acknowledged since"
    if replicas > 1:
        return Finding(part, ok=True, says=f"{says} where all {replicas} servers have it at once")
    return Finding(part, ok=False, says=f"{says}: set `sync_interval: always` under jetstream, and restart it.")


def horizon(seconds: float, wanted: float) -> Finding:
    """Whether the server knows an id for as long as an event may be published again from the outbox."""
    part = "outbox horizon"
    if seconds < wanted:
        says = (
            f"The server knows an id for {seconds:g} s, and the outbox may publish an event again after {wanted:g} s: "
            "raise duplicate_window under [bus] and on the streams (`nats stream edit --dupe-window`), or lower "
            "outbox_horizon under [bus]."
        )
        return Finding(part, ok=False, says=says)
    return Finding(part, ok=True, says=f"{wanted:g} s, and the server knows an id for {seconds:g} s")


def replicas(streams: Streams) -> Finding:
    """Whether each stream is on as many servers as the settings want, and these are there and up to date."""
    wrong: list[str] = []
    for declared, live in streams:
        name, wanted, kept = declared["name"], declared["num_replicas"], live["config"]["num_replicas"]
        if kept != wanted:
            wrong.append(
                f"{name} is kept on {kept} instead of {wanted}: `nats stream edit {name} --replicas {wanted}`."
            )
        peers = cast("list[dict[str, Any]]", live.get("cluster", {}).get("replicas") or [])
        behind = [str(each["name"]) for each in peers if each.get("offline") or not each.get("current")]
        if behind:
            wrong.append(f"{name} is away or behind on {', '.join(behind)}: start it, and see that it catches up.")
    return Finding("bus replicas", ok=not wrong, says=" ".join(wrong) or "as many as the settings want")


def _drift(declared: dict[str, Any], live: dict[str, Any]) -> Finding:
    """Other limits are no fault: an operator may have set them."""
    part = f"bus stream {declared['name']}"
    if broken := broken_promises(declared, live):
        says = f"keeps less than declared ({'; '.join(broken)}): edit it with `nats stream edit`, or correct [bus]."
        return Finding(part, ok=False, says=says)
    other = other_limits(declared, live)
    return Finding(part, ok=True, says=f"has limits of its own: {'; '.join(other)}" if other else "as declared")


def consumer_drift(
    lookout: Lookout, subscriptions: Iterable[Subscription], consumers: Mapping[str, dict[str, Any]]
) -> Finding:
    """Where a handler's consumer is otherwise than this release and these settings make it."""
    durables = [durable for each in subscriptions for durable in lookout.durables(each)]
    there = [each for each in durables if each.name in consumers]
    wrong = [f"{each.name} has {'; '.join(other)}" for each in there if (other := each.drift(consumers[each.name]))]
    if wrong:
        says = f"{'. '.join(wrong)}. Restart Hayai, which brings them up to date."
        return Finding("bus consumers", ok=False, says=says)
    missing = len(durables) - len(there)
    later = f"; {missing} will be made at the next start" if missing else ""
    return Finding("bus consumers", ok=True, says=f"{len(there)} as declared{later}")


def leftovers(consumers: Iterable[str], subscriptions: Iterable[Subscription]) -> list[Finding]:
    """Handlers with a place on the server that no plugin of the tier file has; those of outside services are theirs."""
    known = {each.name for each in subscriptions} | {INDEX}
    strange = sorted({handler_of(each) for each in consumers if not each.startswith(PREFIX)} - known)
    if not strange:
        return []
    says = (
        f"Events wait for {', '.join(strange)}, and no plugin that the tier file names has such a handler: install it "
        "again, or delete its consumers with `nats consumer rm`."
    )
    return [Finding("bus leftovers", ok=False, says=says)]


def outbox(state: LedgerState) -> Finding:
    """Whether what was committed is published soon."""
    age = state.oldest or 0.0
    if age > _BACKLOG_SECONDS:
        says = f"{_events(state.waiting)} to be published, the oldest for {age:.0f} s: see that Hayai runs."
        return Finding("outbox", ok=False, says=says)
    return Finding("outbox", ok=True, says=f"{_events(state.waiting)} to be published")


def _events(number: int) -> str:
    return "1 event waits" if number == 1 else f"{number} events wait"


def refused(state: LedgerState) -> Finding:
    """Whether there are events that the bus will never take."""
    if state.refused:
        says = (
            f"Refused by the bus for good: {state.refused}. `hayai ledger refused list` shows them; retry or drop each."
        )
        return Finding("refused events", ok=False, says=says)
    return Finding("refused events", ok=True, says="none")


def window(seconds: float, state: LedgerState) -> Finding:
    """Whether what waits to be published would still be known to the server, had it been published before a crash."""
    age = state.oldest or 0.0
    if age >= seconds:
        says = (
            f"An event has waited {age:.0f} s to be published, and the server knows an id for {seconds:.0f} s: it may "
            "be stored twice, and is handled once all the same. Raise duplicate_window under [bus] and on the streams."
        )
        return Finding("duplicate window", ok=False, says=says)
    return Finding("duplicate window", ok=True, says=f"{seconds:.0f} s, and nothing has waited that long")


def monitored(server: Mapping[str, Any], addresses: Iterable[str]) -> dict[str, Any] | None:
    """What the monitoring port of that very server says on /varz; None where none of the addresses is its."""
    for address in dict.fromkeys(addresses):
        try:
            with _DIRECTLY.open(f"{address}/varz", timeout=_GLANCE) as answer:
                told = json.load(answer)
            if told["server_id"] == server["id"]:
                return dict(told)
        except (OSError, HTTPException, ValueError, LookupError, TypeError):  # nobody there, or another
            continue
    return None


def monitors_of(measures: NatsSettings) -> list[str]:
    """Where the server's monitoring port may be: what the settings say, else the usual port of the server's host."""
    if measures.monitor:
        return [measures.monitor]
    return list(map(_usual, addresses(measures.url).urls))


def _usual(address: str) -> str:
    host = urlsplit(address).hostname or "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{_USUAL_MONITOR}"
