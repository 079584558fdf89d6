"""Plan: how much is measured, as the command line has it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.servers import Sync


@dataclass(frozen=True)
class Plan:
    """How many rounds of each side, and how many events a round; `syncs` are those that every stage is run with."""

    rounds: int
    events: int
    backlog: int
    seconds: float
    soak: float
    syncs: tuple[Sync, ...]

    def progress(self, what: str) -> None:
        """Say on stderr what is going on."""
        print(f"  {what}", file=sys.stderr)


def titled(what: str, sync: Sync) -> str:
    """The name of a row, which says so where the server makes every write durable."""
    return what if sync == "default" else f"{what}, sync always"
