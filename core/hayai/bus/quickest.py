"""Quickest: of several ways to do the same work, the one that takes the least time, as trying tells."""

from __future__ import annotations

from typing import Generic, TypeVar

W = TypeVar("W")


class Quickest(Generic[W]):
    """Remembers what each way took the last time, and gives another one its chance now and then."""

    def __init__(self, *ways: W, again: int) -> None:
        self.seconds: dict[W, float] = dict.fromkeys(ways, 0.0)
        """What a piece of the work took, by way; 0 where nobody knows yet."""
        self._again = again
        self._count = 0

    def way(self) -> W:
        """The way to take: one that was never tried, else the quickest, else, each `again` times, the second."""
        self._count += 1
        quickest_first = sorted(self.seconds, key=self.seconds.__getitem__)
        return quickest_first[self._count % self._again == 0]

    def took(self, way: W, seconds: float) -> None:
        """Remember what a piece of the work took."""
        self.seconds[way] = seconds

    def forget(self) -> None:
        """Begin anew: whatever does the work may be another one by now."""
        self.seconds = dict.fromkeys(self.seconds, 0.0)
