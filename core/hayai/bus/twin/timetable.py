"""Timetable: when the messages of a stream of schedules come due (NATS ADR-51, `@at`).

As in nats-server 2.15 (server/scheduler.go): the server looks no sooner than a while after a schedule was stored, one
look finds all that is due by then, and these come in the order in which they were stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hayai.bus.twin.store import Stored

_AT = "@at "


def instant_of(pattern: str) -> float | None:
    """The instant of an `@at` pattern in seconds since 1970; None for any other."""
    try:
        return datetime.fromisoformat(pattern.removeprefix(_AT)).timestamp() if pattern.startswith(_AT) else None
    except ValueError:
        return None


class Timetable:
    """The schedules that are stored, one for each subject; `pause` seconds lie before a look."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._waiting: dict[str, tuple[int, float]] = {}
        self._look: float | None = None

    def add(self, stored: Stored, at: float, now: float) -> None:
        """Let `stored` come due at the instant `at`, in place of what its subject held."""
        self._waiting[stored.subject] = stored.sequence, at
        self._plan(now)

    def remove(self, subject: str) -> None:
        """Let nothing come due on `subject`."""
        self._waiting.pop(subject, None)

    def due(self) -> float | None:
        """When the server looks next at what waits."""
        return self._look if self._waiting else None

    def take(self, now: float) -> list[int]:
        """The sequences of what has come due, at the moment of a look."""
        if self._look is None or now < self._look:
            return []
        ready = sorted((sequence, subject) for subject, (sequence, at) in self._waiting.items() if at <= now)
        for _, subject in ready:
            del self._waiting[subject]
        self._look = now + self._pause if ready else None  # as the server, which looks once more at what came due
        self._plan(now)
        return [sequence for sequence, _ in ready]

    def _plan(self, now: float) -> None:
        if self._waiting:
            soonest = max(min(at for _, at in self._waiting.values()), now + self._pause)
            self._look = min(self._look, soonest) if self._look is not None and now < self._look else soonest
