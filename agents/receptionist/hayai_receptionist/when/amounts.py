"""Amounts of time as they are said, and moments that are reckoned by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Length:
    """An amount of time as said: "two weeks", "half an hour"; `vague` for "a few days"."""

    count: float
    unit: str
    vague: bool = False

    @property
    def days(self) -> int:
        """In days, for days and weeks."""
        return int(self.count * {"week": 7, "fortnight": 14}.get(self.unit, 1))

    @property
    def minutes(self) -> float:
        """In minutes, for minutes and hours."""
        return self.count * (60 if self.unit == "hour" else 1)

    @property
    def clock(self) -> bool:
        """Whether it counts minutes or hours."""
        return self.unit in {"minute", "hour"}


@dataclass(frozen=True)
class Offset:
    """A moment that many minutes from now ("in an hour"), or from the window under discussion when `later`."""

    length: Length
    sign: int = 1
    later: bool = False


@dataclass(frozen=True)
class Noise:
    """Words about time that ask for nothing: a greeting, a history ("2 days ago"), a length of visit.

    `told` is a clock time that was told, not wished, to which "the same time" may still point.
    """

    told: Any = None
