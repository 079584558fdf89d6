"""The one screen that a person reads when everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Screen:
    """What there is to say.

    `web`: the front page. `demos`: a business's name -> the page where its customers chat. `servers`: name -> address
    without a password. `places`: every folder that holds data. `notes`: what a person should know about this start.
    """

    web: str
    demos: Mapping[str, str]
    servers: Mapping[str, str]
    places: Sequence[Path]
    seconds: float
    notes: Sequence[str] = ()
    stop: str = "press Ctrl-C"
    reset: str = "make dev.reset"


def render(screen: Screen) -> str:
    """The screen as lines of at most 120 columns where the addresses allow it, ending with a line break."""
    blocks = [
        [f"Hayai is ready after {screen.seconds:.1f} s:  {screen.web}"],
        _table("Chat with", screen.demos),
        _table("Servers", screen.servers),
        [
            f"Your data is in {' and '.join(str(each) for each in screen.places)}.",
            "It survives a restart: start again with the same command, and all bookings are there.",
            f"To stop, {screen.stop}. To forget the data, stop and run `{screen.reset}`.",
        ],
        [f"Note: {note}" for note in screen.notes],
    ]
    return "\n".join(f"{_lines(block)}" for block in blocks if block)


def _table(title: str, rows: Mapping[str, str]) -> list[str]:
    if not rows:
        return []
    width = max(len(name) for name in rows)
    return [f"{title}:", *(f"  {name:<{width}}  {url}" for name, url in rows.items())]


def _lines(block: Sequence[str]) -> str:
    return "".join(f"  {line}\n" for line in block)
