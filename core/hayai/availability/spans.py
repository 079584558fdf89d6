"""Spans: a set of instants kept as disjoint stretches in order."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[datetime, datetime]
"""From the first instant up to but without the second, both aware and in UTC."""


class Spans:
    """Stretches of time; those that overlap or touch are joined when the set is made."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for start, end in sorted(span for span in spans if span[0] < span[1]):
            self._join(start, end)

    def _join(self, start: datetime, end: datetime) -> None:
        if self._ends and start <= self._ends[-1]:
            self._ends[-1] = max(end, self._ends[-1])
        else:
            self._starts.append(start)
            self._ends.append(end)

    def __iter__(self) -> Iterator[Span]:
        """The stretches in order."""
        return zip(self._starts, self._ends, strict=True)

    def __contains__(self, instant: datetime) -> bool:
        """Whether the instant is in the set."""
        at = bisect_right(self._starts, instant) - 1
        return at >= 0 and instant < self._ends[at]

    def covers(self, start: datetime, end: datetime) -> bool:
        """Whether every instant from `start` up to `end` is in the set."""
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and end <= self._ends[at]

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether any instant from `start` up to `end` is in the set."""
        at = bisect_right(self._ends, start)
        return at < len(self._starts) and self._starts[at] < end

    def less(self, others: Spans) -> Spans:
        """The instants of this set that are not in `others`."""
        kept: list[Span] = []
        for start, end in self:
            for taken_from, taken_until in others.between(start, end):
                kept.append((start, taken_from))
                start = taken_until  # noqa: PLW2901 - what is left of the stretch
            kept.append((start, end))
        return Spans(kept)

    def both(self, others: Spans) -> Spans:
        """The instants that are in this set and in `others`."""
        met = ((max(a, c), min(b, d)) for a, b in self for c, d in others.between(a, b))
        return Spans(met)

    def between(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The whole stretches of which something lies from `start` up to `end`, in order."""
        at = bisect_right(self._ends, start)
        while at < len(self._starts) and self._starts[at] < end:
            yield self._starts[at], self._ends[at]
            at += 1
