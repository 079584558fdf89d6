"""Meters: what a bus counts in one process, for each handler and tenant, and for each event that it publishes.

Names that come from outside are bounded: a tenant too many is counted among the others, so that neither memory nor
whatever collects the figures grows with the number of tenants.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from hayai.telemetry.histogram import Histogram, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

OTHER = "_OTHER"
"""The name of all that came too late to have their own; OpenTelemetry's conventions have the word."""
MOST_TENANTS, MOST_EVENTS = 100, 200
_BETWEEN_AGES = 0.001
"""Seconds: up to a thousand events a second have their age measured, which costs as much as all the rest."""

V = TypeVar("V")


class Stored(Protocol):
    """An event that was published."""

    @property
    def type(self) -> str:
        """Its wire type."""
        ...

    @property
    def tenant(self) -> str:
        """Whose it is."""
        ...


class Named(dict[str, V]):
    """One value for each of the first `most` names, and one more for all others; made when it is asked for."""

    def __init__(self, make: Callable[[], V], most: int) -> None:
        super().__init__()
        self._make, self._most = make, most

    def __missing__(self, name: str) -> V:
        if len(self) >= self._most and name != OTHER:
            return self[OTHER]
        made = self[name] = self._make()
        return made


class Work:
    """What one handler did for one tenant."""

    __slots__ = ("again", "age", "dead", "deferred", "done", "duration", "failed", "next_age", "redelivered")

    def __init__(self) -> None:
        self.duration = Histogram()
        """How long each try took, whatever came of it."""
        self.age = Histogram()
        """How long after it happened an event was handled; where they come fast, of a thousand a second."""
        self.next_age = 0.0
        self.done = 0
        """Tries that came to their end."""
        self.failed = 0
        """Tries that raised."""
        self.again = 0
        """Failures that are followed by another try."""
        self.deferred = 0
        """How often what follows from an event could not be stored, which is tried again without the handler."""
        self.dead = 0
        """Events that were given up."""
        self.redelivered = 0
        """Events that the server had handed out before."""


class HandlerMeter:
    """What one handler did, by tenant."""

    def __init__(self, handler: str, event: str) -> None:
        self.handler, self.event = handler, event
        self.tenants = Named(Work, MOST_TENANTS)

    def handled(self, tenant: str, happened: datetime, begun: float) -> None:
        """A try that began at `begun`, an instant of time.perf_counter(), has come to its end just now."""
        work, now = self.tenants[tenant], time.perf_counter()
        work.done += 1
        work.duration.add(now - begun)
        if now > work.next_age:
            work.next_age = now + _BETWEEN_AGES
            work.age.add(time.time() - happened.timestamp())

    def failed(self, tenant: str, begun: float) -> None:
        """A try that began at `begun` has raised just now."""
        work = self.tenants[tenant]
        work.failed += 1
        work.duration.add(time.perf_counter() - begun)

    @property
    def durations(self) -> dict[int, int]:
        """How long tries took, of all tenants, as Histogram.counts has it."""
        return merged(work.duration.counts for work in list(self.tenants.values()))


class Meters:
    """What the bus of this process counts."""

    def __init__(self) -> None:
        self.handlers: dict[str, HandlerMeter] = {}
        self.published: Named[Named[Histogram]] = Named(_tenants, MOST_EVENTS)
        """How long an event waited for its acknowledgement, by wire type and tenant."""

    def stored(self, several: Iterable[Stored], begun: float) -> None:
        """These, which were sent at `begun`, an instant of time.perf_counter(), have been acknowledged just now."""
        seconds = time.perf_counter() - begun
        for each in several:
            self.published[each.type][each.tenant].add(seconds)

    def handler(self, name: str, event: str) -> HandlerMeter:
        """The meter of the handler called `name`, which takes the events called `event`; the same one again."""
        return self.handlers.setdefault(name, HandlerMeter(name, event))


def _tenants() -> Named[Histogram]:
    return Named(Histogram, MOST_TENANTS)
