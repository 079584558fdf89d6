"""The `hayai` command: what it can do, and the version."""

from typing import Annotated

import typer

from hayai.cli import bus, doctor, events, keys, ledger, new, plugins, prove, run, simulate

app = typer.Typer(
    name="hayai",
    help="A private AI-automation platform: an event bus that connects channels, agents and tiers.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # a local may hold what a person said
    add_completion=False,
)
app.command("dev")(run.dev)
app.command("run")(run.run)
app.command("migrate")(run.migrate)
app.command("doctor")(doctor.doctor)
app.command("simulate")(simulate.simulate)
app.add_typer(plugins.app, name="plugins")
app.command("new")(new.new)
app.add_typer(bus.app, name="bus")
app.add_typer(events.app, name="events")
app.add_typer(keys.app, name="keys")
app.add_typer(ledger.app, name="ledger")
app.add_typer(prove.app, name="prove")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"hayai {version('hayai')}")
        raise typer.Exit


@app.callback()
def options(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """A private AI-automation platform: an event bus that connects channels, agents and tiers."""


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
