"""Plan and Report: how much is done, from which seed, and what came of it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """The seed of a run, and whether its numbers are the short ones or the long ones."""

    seed: int
    full: bool = False

    def pick(self, short: int, full: int) -> int:
        """The number for this run."""
        return full if self.full else short

    def random(self, scenario: str) -> random.Random:
        """Chance for one scenario: the same for the same seed, whatever else runs."""
        return random.Random(f"{self.seed} {scenario}")

    def progress(self, what: str) -> None:
        """Say on stderr what is going on."""
        print(f"  {what}", file=sys.stderr, flush=True)


@dataclass
class Report:
    """What one scenario saw: figures for the table, notes below it, and the promises that were broken."""

    scenario: str
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def demand(self, what: str, value: float, *, most: float = 0, unit: str = "") -> None:
        """Keep a figure that must not be above `most`."""
        self.figures[what] = f"{value:g}{unit} (<= {most:g})" if most else f"{value:g}{unit}"
        if value > most:
            self.breaches.append(f"{what} is {value:g}{unit} and may be {most:g}{unit} at most")

    def require(self, what: str, value: float, *, least: float, unit: str = "") -> None:
        """Keep a figure that must not be below `least`."""
        self.figures[what] = f"{value:g}{unit} (>= {least:g})"
        if value < least:
            self.breaches.append(f"{what} is {value:g}{unit} and must be {least:g}{unit} at least")

    def show(self, what: str, value: object) -> None:
        """Keep a figure of which nothing is demanded."""
        self.figures[what] = f"{value:g}" if isinstance(value, float) else str(value)


Scenario = Callable[[Plan], Coroutine[None, None, Report]]
"""Makes its own world, does its faults, and reports; it cleans up whatever happens."""


def table(reports: list[Report]) -> str:
    """Every figure as Markdown, then notes and breaches."""
    rows = [("scenario", "figure", "value")]
    rows += [(each.scenario, what, value) for each in reports for what, value in each.figures.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    lines += [f"{each.scenario}: {note}" for each in reports for note in each.notes]
    lines += [f"BREACH in {each.scenario}: {breach}" for each in reports for breach in each.breaches]
    return "\n".join(lines)
