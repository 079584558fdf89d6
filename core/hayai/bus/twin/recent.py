"""RecentIds: the message ids that a stream has seen within its duplicate window."""

from __future__ import annotations


class RecentIds:
    """An id is known for `window` seconds from when it was stored; seeing it again does not make that longer."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._seen: dict[str, tuple[int, float]] = {}

    def find(self, id: str | None, now: float) -> int | None:  # noqa: A002 - CloudEvents calls it id
        """The sequence under which `id` was stored within the window."""
        self._forget(now)
        return self._seen[id][0] if id in self._seen else None

    def keep(self, id: str, sequence: int, now: float) -> None:  # noqa: A002 - CloudEvents calls it id
        """Remember that `id` is stored at `sequence`."""
        self._seen[id] = sequence, now

    def _forget(self, now: float) -> None:
        while self._seen and (oldest := next(iter(self._seen.items())))[1][1] + self._window <= now:
            del self._seen[oldest[0]]
