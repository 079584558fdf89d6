"""`hayai events`: the contracts of events, as JSON Schema and as AsyncAPI."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import WRONG, complain, sentences, show, show_json
from hayai.contracts import store
from hayai.contracts.registry import Registry, document
from hayai.contracts.rendering import render
from hayai.errors import ContractBroken
from hayai.runtime.assembly import standing_install
from hayai.runtime.parts import installed_registry
from hayai.runtime.standing import environment, settings_of
from hayai.settings import InstallSettings

app = typer.Typer(help="Say who publishes and who reads which event, and what is in it.", no_args_is_help=True)

WireType = Annotated[str, typer.Argument(help="One version of an event, as appointment.booked.v1.")]


@app.command("schema")
def schemas(
    event: Annotated[
        str | None, typer.Argument(help="One event, as appointment.booked or appointment.booked.v1.")
    ] = None,
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
) -> None:
    """List the versions of events with who publishes and who reads them; with --json their JSON Schemas too."""
    with sentences():
        registry = _registry(settings_of(tier, environment(data)))
    found = {name: each for name, each in document(registry).items() if event in {None, name, name.rpartition(".v")[0]}}
    if event and not found:
        complain(f"hayai: no plugin of this install publishes or reads {event}: `hayai events schema` lists them.")
        sys.exit(WRONG)
    if as_json:
        show_json(found)
    else:
        _show(found)


@app.command()
def asyncapi(tier: TierOption = None, data: DataOption = Path(".hayai"), as_json: JsonOption = False) -> None:
    """Print the whole bus as an AsyncAPI 3 document; it is JSON with and without --json."""
    del as_json
    with sentences():
        show_json(render("asyncapi", _registry(settings_of(tier, environment(data)))))


@app.command()
def check(tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Say whether the installed plugins agree on the versions of their events; asks no server. Exit status 1 if not."""
    with sentences():
        registry = _registry(settings_of(tier, environment(data)))
        store.refuse(registry.disagreements())
        show(f"{len(registry.events())} versions of events fit each other.")


@app.command()
def forget(wire_type: WireType, tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Take a version off the list of what may be in the streams; do it when no such event is left."""
    with sentences():
        settings = settings_of(tier, environment(data))
        if wire_type in _registry(settings).events():
            raise ContractBroken(f"{wire_type} is published or read by this install: take its plugins out first.")
        was_there = asyncio.run(_forget(settings, wire_type))
    show(f"{wire_type} is forgotten." if was_there else f"{wire_type} was not on the list.")


async def _forget(settings: InstallSettings, wire_type: str) -> bool:
    async with standing_install(settings) as install:
        return await store.forget(install.pool, wire_type)


def _registry(settings: InstallSettings) -> Registry:
    registry, problems = installed_registry(settings)
    for problem in problems:
        complain(f"hayai: left out: {problem}")
    return registry


def _show(found: dict[str, dict[str, Any]]) -> None:
    for name, each in found.items():
        show(name)
        show(f"  published by {', '.join(each['producers']) or 'nobody here'}")
        show(f"  read by      {', '.join(each['consumers']) or 'nobody here'}")
