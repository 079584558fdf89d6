"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

TierOption = Annotated[
    Path | None,
    typer.Option("--tier", envvar="HAYAI_TIER", help="The tier file; default: deploy/tiers/local.toml below here."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="HAYAI_DATA", help="Where Hayai keeps its data; default: .hayai.")
]
