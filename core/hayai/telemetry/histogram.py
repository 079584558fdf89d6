"""Histogram: durations counted in buckets, cheap enough for every event; an OpenTelemetry SDK's costs ten times more.

The buckets are log-linear, as those of HdrHistogram: whole microseconds up to 16, then eight to each doubling. So a
quantile that is read from them is at most an eighth too high.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MICRO = 1_000_000
_LINEAR_BITS = 4
_LONGEST = (1 << 37) - 1
"""Microseconds, somewhat more than a day; what takes longer is counted as that."""
_BUCKETS = 8 * (37 - _LINEAR_BITS) + 16


class Histogram:
    """How many durations there were of each length; not for several threads at once."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.total = 0.0
        """The sum of all, in seconds."""

    def add(self, seconds: float) -> None:
        """Count one; less than nothing, as after a clock was set back, is nothing."""
        micros = int(seconds * _MICRO)
        shift = micros.bit_length() - _LINEAR_BITS
        if shift < 0:  # noqa: PLR1730 - max() costs as much as all the rest
            shift = 0
        if not 0 <= micros <= _LONGEST:
            return self.add(0.0 if micros < 0 else _LONGEST / _MICRO)
        self._counts[(shift << 3) + (micros >> shift)] += 1
        self.total += seconds
        return None

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self._counts)

    @property
    def counts(self) -> dict[int, int]:
        """How many are in each bucket that has any, by the bucket's number."""
        return {place: count for place, count in enumerate(self._counts) if count}


def edge(bucket: int) -> float:
    """Where a bucket ends, in seconds."""
    shift = max(0, (bucket >> 3) - 1)
    return ((bucket - (shift << 3) + 1) << shift) / _MICRO


def quantile(counts: Mapping[int, int], part: float) -> float | None:
    """The length in seconds that `part` (0 to 1) of the durations do not exceed; None where there are none."""
    places = sorted(counts)
    sums = list(accumulate(counts[place] for place in places))
    if not sums:
        return None
    wanted = part * sums[-1]
    return next(edge(place) for place, reached in zip(places, sums, strict=True) if reached >= wanted)


def merged(several: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The counts of several histograms as those of one."""
    found: dict[int, int] = {}
    for counts in several:
        for place, count in counts.items():
            found[place] = found.get(place, 0) + count
    return found


def less(counts: Mapping[int, int], before: Mapping[int, int]) -> dict[int, int]:
    """What came to `counts` since they were `before`."""
    return {place: left for place, count in counts.items() if (left := count - before.get(place, 0))}
