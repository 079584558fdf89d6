"""Measure: the time and the processor's time of one side, and what it prints for whoever started it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Taken:
    """What `events` events took in this process: wall clock and processor, both in seconds."""

    events: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds of this process's processor time an event, user and system."""
        return self.processor / self.events * 1e6

    def told(self) -> dict[str, float]:
        """As a side returns it."""
        return asdict(self)


class Stopwatch:
    """Runs from the moment that it is made."""

    def __init__(self) -> None:
        self._processor = processor()
        self._clock = time.perf_counter()

    def taken(self, events: int) -> Taken:
        """What `events` took until now."""
        return Taken(events, time.perf_counter() - self._clock, processor() - self._processor)


def processor() -> float:
    """Seconds of processor time of this process so far, user and system, its threads included, its children left out.

    As os.times() tells, but not in hundredths of a second.
    """
    return time.process_time()
