"""`hayai plugins`: what is installed, and whether it loads."""

from typing import Any

from hayai import plugins as found
from hayai.cli.options import JsonOption
from hayai.cli.output import show, show_json
from hayai.doctor import problem


def plugins(
    as_json: JsonOption = False,
) -> None:
    """List every plugin that is installed, where it comes from, and what is wrong with those that do not load."""
    rows = [_row(group, each) for group, several in found.installed().items() for each in several]
    if as_json:
        show_json(rows)
        return
    for row in rows:
        show(
            f"{row['group']:<22} {row['name']:<14} {row['distribution']} {row['version']:<10} {row['problem'] or 'ok'}"
        )


def _row(group: str, each: found.Found) -> dict[str, Any]:
    return {
        "group": group,
        "name": each.name,
        "distribution": each.distribution,
        "version": each.version,
        "target": each.target,
        "problem": problem(group, each.name),
    }
