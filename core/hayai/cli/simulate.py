"""`hayai simulate`: be a customer at the far end of a channel, without its network."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hayai.cli.options import DataOption, TierOption
from hayai.cli.output import sentences, show
from hayai.runtime.simulating import simulate as play
from hayai.runtime.standing import environment, settings_of


def simulate(
    channel: Annotated[str, typer.Argument(help="The channel, as the tier file names it: sms.")],
    door: Annotated[
        str | None, typer.Option("--door", metavar="URL", help="Where Hayai serves; default: as the tier file has it.")
    ] = None,
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
) -> None:
    """Play a channel's network and its customer: type a line to write, read what comes back; Ctrl-D ends it."""
    with sentences():
        asyncio.run(play(settings_of(tier, environment(data)), channel, door=door, say=show))
