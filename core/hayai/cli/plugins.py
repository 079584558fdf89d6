"""`hayai plugins`: what is installed and whether it loads; one is paused, resumed, or started anew."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from hayai import plugins as found
from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import sentences, show, show_json
from hayai.doctor import problem
from hayai.runtime import plugging
from hayai.runtime.standing import environment, settings_of

app = typer.Typer(help="List plugins, pause, resume and reload one.", invoke_without_command=True)
NameArgument = Annotated[str, typer.Argument(help="An agent or a channel that the tier file names.")]


@app.callback()
def plugins(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every plugin that is installed, where it comes from, and what is wrong with those that do not load."""
    if context.invoked_subcommand:
        return
    rows = [_row(group, each) for group, several in found.installed().items() for each in several]
    if as_json:
        show_json(rows)
        return
    for row in rows:
        show(
            f"{row['group']:<22} {row['name']:<14} {row['distribution']} {row['version']:<10} {row['problem'] or 'ok'}"
        )


@app.command()
def pause(
    name: NameArgument,
    seconds: Annotated[
        float | None, typer.Option("--for", min=1, help="Seconds, after which it goes on by itself.")
    ] = None,
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
) -> None:
    """Hand a plugin no events: they wait on the bus, in order, until it is resumed. No Hayai has to run."""
    with sentences():
        handlers = asyncio.run(plugging.pause(settings_of(tier, environment(data)), name, seconds=seconds))
        until = f"for {seconds:g} s" if seconds else f"until `hayai plugins resume {name}`"
        show(f"{name} is paused {until}: {', '.join(handlers)}. Events that come now wait; what is at work finishes.")


@app.command()
def resume(name: NameArgument, tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Hand a paused plugin its events again, those that have waited first."""
    with sentences():
        handlers = asyncio.run(plugging.resume(settings_of(tier, environment(data)), name))
        show(f"{name} goes on: {', '.join(handlers)}.")


@app.command()
def reload(name: NameArgument, tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Start the process of an isolated plugin anew, with the code that is installed now; the others go on."""
    with sentences():
        show(asyncio.run(plugging.reload(settings_of(tier, environment(data)), name)))


def _row(group: str, each: found.Found) -> dict[str, Any]:
    return {
        "group": group,
        "name": each.name,
        "distribution": each.distribution,
        "version": each.version,
        "target": each.target,
        "problem": problem(group, each.name),
    }
