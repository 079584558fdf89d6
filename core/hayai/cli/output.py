"""Output: sentences for people, JSON for machines, and one way to fail."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from hayai.errors import HayaiError
from hayai.runtime.logs import told

if TYPE_CHECKING:
    from collections.abc import Generator

WRONG = 1
"""The exit status when something is wrong with the install or the request."""


def show(sentence: str) -> None:
    """One line for a person."""
    typer.echo(sentence)


def show_json(document: Any) -> None:
    """One JSON document for a machine, on standard output."""
    typer.echo(json.dumps(document, indent=2, default=str))


def complain(sentence: str) -> None:
    """One line on standard error."""
    typer.echo(sentence, err=True)


@contextmanager
def sentences() -> Generator[None]:
    """Inside: every error of ours ends the command with its sentence and exit status 1, without a traceback.

    Any other is a defect, told by its class and places: its text may hold what a person said.
    """
    try:
        yield
    except HayaiError as wrong:
        complain(f"hayai: {wrong}")
        sys.exit(WRONG)
    except Exception as defect:  # noqa: BLE001 - told, and the command ends
        complain(f"hayai: this is a defect of Hayai or of a plugin: {told(defect)}")
        sys.exit(WRONG)
