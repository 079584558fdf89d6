"""`hayai new`: the skeleton of a plugin, which passes its contract at once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hayai.cli.options import JsonOption
from hayai.cli.output import sentences, show, show_json
from hayai.errors import SettingsError
from hayai.new.writer import write


class Kind(StrEnum):
    """What can be begun."""

    handler = "handler"
    channel = "channel"
    adapter = "adapter"
    agent = "agent"


def new(
    kind: Annotated[Kind, typer.Argument(help="handler, channel, adapter or agent")],
    name: Annotated[str, typer.Argument(help="the plugin's name, lower case: the entry point and hayai-NAME")],
    into: Annotated[Path, typer.Option(help="the folder to put hayai-NAME's folder into")] = Path(),
    port: Annotated[str | None, typer.Option(help="for an adapter: the port that it serves; default: secrets")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a package that is discovered, runs, and passes its contract as it stands."""
    with sentences():
        if port and kind is not Kind.adapter:
            raise SettingsError(
                f"Only an adapter serves a port: leave --port out, or begin an adapter with `hayai new adapter {name}`."
            )
        written = write(kind.value, name, into, port=port or "secrets")
    if as_json:
        show_json({"files": [str(path) for path in written]})
        return
    for path in written:
        show(str(path))
