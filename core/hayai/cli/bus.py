"""`hayai bus status`: where each handler is, what the streams hold, and what waits in the ledger."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hayai.bus.permissions import Permissions, permissions, tenant_permissions
from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import complain, sentences, show, show_json
from hayai.errors import Unavailable
from hayai.runtime.oversight import BusState, overseen
from hayai.runtime.plugging import subscriptions_of
from hayai.runtime.standing import environment, settings_of
from hayai.runtime.tenants import look_at_tenants
from hayai.settings import InstallSettings

app = typer.Typer(help="Look at the bus.", no_args_is_help=True)
_EVERY = 2.0
_CLEAR = "\x1b[H\x1b[2J"
_KIB = 1024
_HANDLER = (
    *("handler", "lag", "in flight", "oldest", "redelivered", "dead letters"),
    *("attempts", "failed", "p50", "p99", "workers", "leases"),
)
_STREAM = ("stream", "messages", "bytes", "of", "first", "last")


@app.callback()
def bus() -> None:
    """Look at the bus."""


@app.command()
def status(
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show where each handler is, what the streams hold, and what waits in the ledger; no Hayai has to run.

    With --json and --watch one document a line.
    """
    with sentences():
        settings = settings_of(tier, environment(data))
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, as_json=as_json) if watch else _once(settings, as_json=as_json))


@app.command()
def tenants(tier: TierOption = None, data: DataOption = Path(".hayai"), as_json: JsonOption = False) -> None:
    """Show how much of the stream of events each tenant has filled, of how much it may; no Hayai has to run."""
    with sentences():
        found = asyncio.run(look_at_tenants(settings_of(tier, environment(data))))
    if as_json:
        show_json([asdict(each) for each in found])
        return
    for each in found:
        show(str(each))
    if not found:
        show("Nothing is stored, or nothing is indexed yet.")


@app.command("permissions")
def permissions_of(
    plugin: Annotated[str | None, typer.Argument(help="An agent that the tier file names.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Instead of an agent: a service of this tenant, outside.")] = None,
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
) -> None:
    """Print what the NATS user of an isolated agent, or of a tenant's service, needs, as the server's file has it."""
    if (plugin is None) == (tenant is None):
        raise typer.BadParameter("Name an agent, or a tenant with --tenant.")
    with sentences():
        needed = tenant_permissions(tenant) if tenant else _of_agent(plugin or "", tier, data)
        if as_json:
            show_json(asdict(needed))
        else:
            show(str(needed))


def _of_agent(plugin: str, tier: Path | None, data: Path) -> Permissions:
    settings = settings_of(tier, environment(data))
    subscriptions = asyncio.run(subscriptions_of(settings, plugin))
    partitions = int(settings.port("bus").keys.get("partitions", 1))
    return permissions(plugin, subscriptions, partitions=partitions)


async def _once(settings: InstallSettings, *, as_json: bool) -> None:
    async with overseen(settings) as oversight:
        state = await oversight.state()
    if as_json:
        show_json(asdict(state))
    else:
        show(render(state))


async def _watch(settings: InstallSettings, *, as_json: bool) -> None:
    clear = _CLEAR if sys.stdout.isatty() else ""
    async for state in _states(settings):
        show(json.dumps(asdict(state)) if as_json else f"{clear}{render(state)}")
        sys.stdout.flush()


async def _states(settings: InstallSettings) -> AsyncIterator[BusState]:
    """One every two seconds; a server that goes away meanwhile is waited for, and its sentence is shown."""
    async with overseen(settings) as oversight:
        while True:
            try:
                yield await oversight.state()
            except Unavailable as away:
                complain(f"hayai: {away}")
            await asyncio.sleep(_EVERY)


def render(state: BusState) -> str:
    """The state as tables for a person."""
    handlers = [
        (
            *(
                f"{h.name} (paused)" if h.paused else h.name,
                h.lag,
                h.in_flight,
                _age(h.oldest),
                h.redelivered,
                h.dead_letters,
            ),
            *(h.attempts, h.failed, _length(h.p50), _length(h.p99), h.workers, f"{h.held}/{h.leases}"),
        )
        for h in state.handlers
    ]
    streams = [
        (s.name, s.messages, _size(s.bytes), _size(s.max_bytes), _moment(s.first), _moment(s.last))
        for s in state.streams
    ]
    ledger = state.ledger
    age = "" if ledger.oldest is None else f", the oldest for {ledger.oldest:.1f} s"
    return "\n\n".join((
        _table(_HANDLER, handlers) if handlers else "No handler has a place on the server.",
        _table(_STREAM, streams) if streams else "The server has no stream of Hayai's.",
        f"outbox: {ledger.waiting} waiting{age}; refused: {ledger.refused}",
    ))  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as they must be; the first to the left, the others to the right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in lines)
    )


def _size(number: float) -> str:
    if number < 0:
        return "no limit"
    for unit in ("B", "KiB", "MiB"):
        if number < _KIB:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= _KIB
    return f"{number:.1f} GiB"


def _age(told: str | None) -> str:
    """How long ago that was, by this machine's clock."""
    if told is None:
        return "-"
    moment = datetime.fromisoformat(f"{told[:19]}+00:00")
    return f"{max(0.0, (datetime.now(UTC) - moment).total_seconds()):.0f} s"


def _length(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _moment(told: str | None) -> str:
    """RFC 3339 to the second."""
    return f"{told[:19]}Z" if told else "-"
