"""Figures: what was measured, beside what is required of it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.measure import Taken

Told = dict[str, str | float | None]


@dataclass(frozen=True)
class Need:
    """What is required: a ratio of at least `ratio`, or of at most `most`, or a value of at most `value`.

    A gate looks at ratios and at the processor's time, which a busy machine hardly changes. A time is only shown.
    """

    ratio: float | None = None
    value: float | None = None
    most: float | None = None
    gated: bool = True

    def met(self, figure: Figure) -> bool:
        """Whether `figure` is what is required."""
        seen = figure.ratio
        if seen is None and (self.ratio is not None or self.most is not None):
            return False
        enough = self.ratio is None or seen is None or seen >= self.ratio
        little = self.most is None or seen is None or seen <= self.most
        return enough and little and (self.value is None or figure.value <= self.value)

    def __str__(self) -> str:
        """As the table shows it."""
        if self.ratio is not None:
            return f">= {self.ratio:g} x"
        return f"<= {self.most:g} x" if self.most is not None else f"<= {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """The median of one thing over the rounds, and the median of the peer's."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    need: Need | None = None

    @property
    def ratio(self) -> float | None:
        """The value in terms of the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def verdict(self) -> str:
        """Met, short, or nothing where nothing is required."""
        return "" if self.need is None else "met" if self.need.met(self) else "short"

    @property
    def fails(self) -> bool:
        """Whether a gate refuses it."""
        return self.verdict == "short" and self.need is not None and self.need.gated

    def told(self) -> Told:
        """As bench/results/latest.json holds it."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": None if self.peer_value is None else round(self.peer_value, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
        }


def rates(name: str, found: Mapping[str, Sequence[Taken]], side: str, needs: Mapping[str, Need | None]) -> list[Figure]:
    """The rate of `side` beside that of each peer in `needs`."""
    own = _rate(found[side])
    return [Figure(name, own, "events/s", peer, _rate(found[peer]), need) for peer, need in needs.items()]


def cost(name: str, found: Mapping[str, Sequence[Taken]], side: str, peer: str, need: Need | None = None) -> Figure:
    """The client's processor time an event, of `side` beside `peer`."""
    return Figure(name, _cost(found[side]), "us CPU/event", peer, _cost(found[peer]), need)


def _rate(taken: Sequence[Taken]) -> float:
    return median(each.rate for each in taken)


def _cost(taken: Sequence[Taken]) -> float:
    return median(each.cost for each in taken)


_HEAD = ("what", "value", "unit", "beside", "its value", "ratio", "required", "")


def table(figures: Iterable[Figure]) -> str:
    """The figures as Markdown."""
    rows = [_HEAD, *(_row(each) for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    beside = _number(figure.peer_value)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    required = "" if figure.need is None else str(figure.need)
    return figure.name, _number(figure.value), figure.unit, figure.peer or "", beside, ratio, required, figure.verdict


_LARGE = 100


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= _LARGE else f"{value:.2f}"
