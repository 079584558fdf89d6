"""`hayai prove`: tests of Hayai's claims that a customer runs on the own machine."""

import asyncio
import signal
import sys
from typing import Annotated

import typer

from hayai.cli.options import JsonOption
from hayai.cli.output import WRONG, complain, sentences, show, show_json
from hayai.errors import LocalStackRefused
from hayai.prove.durability import prove

app = typer.Typer(help="Test Hayai's claims on this machine.", no_args_is_help=True)
IMPOSSIBLE = 2
"""The exit status where the test cannot run here."""


@app.callback()
def claims() -> None:
    """Test Hayai's claims on this machine."""


@app.command()
def durability(
    events: Annotated[int, typer.Option("--events", min=1, help="Acknowledged events before the cut.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Show that an acknowledged event survives the loss of power; needs root. Exit status 1 if not, 2 if untestable."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started with it ignored
    signal.signal(signal.SIGTERM, _as_interrupt)
    with sentences():
        try:
            report = asyncio.run(prove(events))
        except LocalStackRefused as wrong:
            complain(f"hayai: {wrong}")
            sys.exit(IMPOSSIBLE)
    if as_json:
        show_json(report.document())
    else:
        for each in (report.always, report.contrast):
            show(
                f"sync_interval {each.sync}: {each.acknowledged} acknowledged, {each.found} found, {each.lost} lost, "
                f"{each.extra} extra, {each.seconds} s, nats-server {each.server}"
            )
        show("An acknowledged event survives the loss of power." if report.passed else "This was not shown here.")
    if not report.passed:
        sys.exit(WRONG)


def _as_interrupt(_number: int, _frame: object) -> None:
    """At SIGTERM clean up as at Ctrl-C: a mount would outlive the process."""
    signal.raise_signal(signal.SIGINT)
