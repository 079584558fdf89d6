"""`hayai dev`, `hayai run`, `hayai migrate`: start the house."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import sentences, show, show_json
from hayai.local.stack import reset as reset_data
from hayai.runtime import dev as local
from hayai.runtime.assembly import migrated
from hayai.runtime.serving import serve
from hayai.runtime.standing import configured, environment, settings_of, tier_file


def dev(
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    port: Annotated[int | None, typer.Option(help="the web port to try first; default: the last one, or 8080")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="write JSON here when everything is ready")] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="delete what Hayai keeps in the data folder, and stop")
    ] = False,
) -> None:
    """Start bus, database and web chat as child processes of this one, and run until Ctrl-C."""
    with sentences():
        if reset:
            for line in reset_data(data):
                show(line)
            return
        asyncio.run(local.dev(tier_file(tier), data, port=port, ready_file=ready_file, say=show))


def run(tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Run against the servers that the tier file names, until SIGTERM."""
    with sentences():
        asyncio.run(serve(settings_of(tier, configured(data)), say=show))


def migrate(tier: TierOption = None, data: DataOption = Path(".hayai"), as_json: JsonOption = False) -> None:
    """Bring the database's tables and the contracts of events up to date and stop; safe to run twice, or at once."""
    with sentences():
        migrations, events = asyncio.run(migrated(settings_of(tier, environment(data))))
    applied = [str(each) for each in migrations]
    if as_json:
        show_json({"applied": applied, "events": events})
        return
    show("\n".join(f"Applied {each}." for each in applied) or "The tables were up to date already.")
    if events:
        show(f"New events: {', '.join(events)}.")
