"""Which starts are free and which resources would serve them, given what is booked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, reduce
from typing import TYPE_CHECKING

from hayai.availability.rota import Rota
from hayai.availability.spans import Span, Spans
from hayai.schedule import Slot, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hayai.schedule import Resource, Schedule, Service

_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9989, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Busy:
    """A resource that is kept for somebody, buffers included; `start` and `end` are aware instants."""

    resource: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Visit:
    """A service as somebody wants it: with these very resources, as far as given, or those of them who are free."""

    schedule: Schedule
    service: Service
    asked: frozenset[str] = frozenset()
    """Ids of resources that must serve the visit."""
    kept: frozenset[str] = frozenset()
    """Ids of resources that are taken first where they are free: an appointment that moves keeps its own."""

    def span(self, starts_at: datetime) -> Span:
        """When the customer is there."""
        return starts_at, starts_at + self.service.duration

    def blocked(self, starts_at: datetime) -> Span:
        """When its resources are kept, buffers included."""
        return starts_at - self.service.before, starts_at + self.service.duration + self.service.after

    @cached_property
    def needs(self) -> tuple[tuple[int, tuple[Resource, ...]], ...]:
        """For each kind, how many of it and who could serve, in the order in which they are taken."""
        counts = Counter(self.service.needs)
        return tuple((count, tuple(self._candidates(kind, count))) for kind, count in counts.items())

    @property
    def room(self) -> timedelta:
        """The shortest stretch of a resource in which it fits, buffers included."""
        return self.service.before + self.service.duration + self.service.after

    def resources(self) -> list[str]:
        """Ids of all resources that could serve the visit."""
        return [each.id for _, candidates in self.needs for each in candidates]

    def _candidates(self, kind: str, count: int) -> list[Resource]:
        of_kind = [each for each in self.schedule.resources if each.kind == kind]
        asked = [each for each in of_kind if each.id in self.asked]
        others = [each for each in of_kind if each not in asked] if count > len(asked) else []
        return asked + sorted(others, key=lambda each: each.id not in self.kept)


def whole(schedule: Schedule, now: datetime) -> Window:
    """Where notice and horizon allow a start at `now`: the horizon's last instant is inside."""
    return Window(start=now + schedule.minimum_notice, end=now + schedule.horizon + timedelta.resolution)


def allowed(schedule: Schedule, window: Window, now: datetime) -> Window:
    """The part of the window in which notice and horizon allow a start; where there is none, it ends as it starts."""
    every = whole(schedule, now)
    start = max(every.start, window.start)
    return Window(start=start, end=max(start, min(every.end, window.end)))


def choose(visit: Visit, starts_at: datetime, rota: Rota, taken: Mapping[str, Spans]) -> tuple[str, ...] | None:
    """The resources that would serve a visit at `starts_at`, or None where a need cannot be met."""
    chosen: list[str] = []
    for count, candidates in visit.needs:
        free = [each.id for each in candidates if _free(visit, each, starts_at, rota, taken)]
        if len(free) < count:
            return None
        chosen += free[:count]
    # Those asked for come first, so that one of them who is not free has let somebody else into the choice.
    return tuple(sorted(chosen)) if visit.asked <= set(chosen) else None


def free_slots(visit: Visit, window: Window, busy: Iterable[Busy]) -> Iterator[Slot]:
    """The free starts of the window, in order, lazily; the window is one that allowed() gave."""
    rota, taken = Rota(visit.schedule, window.start, window.end), by_resource(busy)
    for start in rota.starts(_possible(visit, rota, taken)):
        if window.start <= start < window.end and (chosen := choose(visit, start, rota, taken)) is not None:
            starts_at, ends_at = visit.span(start)
            yield Slot(service=visit.service.id, starts_at=starts_at, ends_at=ends_at, resources=chosen)


def reach(visit: Visit, window: Window) -> Window:
    """The stretch whose bookings decide which starts of `window` are free."""
    return Window(start=visit.blocked(window.start)[0], end=visit.blocked(window.end)[1])


def pages(window: Window, length: timedelta) -> Iterator[Window]:
    """The window in pieces of at most `length`, in order."""
    start = window.start
    while start < window.end:
        end = min(start + length, window.end)
        yield Window(start=start, end=end)
        start = end


def by_resource(busy: Iterable[Busy]) -> dict[str, Spans]:
    """What is booked, for each resource."""
    gathered: dict[str, list[Span]] = {}
    for each in busy:
        gathered.setdefault(each.resource, []).append((each.start, each.end))
    return {resource: Spans(spans) for resource, spans in gathered.items()}


def nearest(starts: Iterable[datetime], wanted: datetime, count: int) -> list[datetime]:
    """The `count` starts that are nearest to `wanted`, in order of time."""
    return sorted(sorted(starts, key=lambda start: abs(start - wanted))[:count])


def in_utc(instant: datetime, *, what: str) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive one, which is no instant.

    One at the very edge of the calendar becomes one from which there is still room to reckon, as far beyond every
    horizon: a wild date is refused like any other, instead of being a defect.
    """
    if instant.utcoffset() is None:
        raise ValueError(f"The {what} is a naive time: give it a tzinfo, for example the business's zone.")
    return min(max(instant, _FIRST), _LAST).astimezone(UTC)


def rings(wanted: datetime, limits: Window) -> Iterator[list[Window]]:
    """All of `limits`, from around `wanted` (or the limit nearest to it) outwards: what each step adds."""
    middle, length = min(max(wanted, limits.start), limits.end), timedelta(days=1)
    inner = Window(start=middle, end=middle)
    while inner != limits:
        outer = Window(start=max(limits.start, middle - length), end=min(limits.end, middle + length))
        sides = Window(start=outer.start, end=inner.start), Window(start=inner.end, end=outer.end)
        whole_ring = [outer] if inner.start == inner.end else sides
        yield [each for each in whole_ring if each.start < each.end]
        inner, length = outer, length * 6


def _possible(visit: Visit, rota: Rota, taken: Mapping[str, Spans]) -> Spans:
    """The instants at which somebody of each kind that the visit needs could start it."""
    by_need = (
        Spans(span for each in candidates for span in _could_start(visit, each, rota, taken))
        for _, candidates in visit.needs
    )
    return reduce(Spans.both, by_need)


def _could_start(visit: Visit, resource: Resource, rota: Rota, taken: Mapping[str, Spans]) -> Spans:
    """When _free() says yes: that many instants at once, so that a full day costs no more than an empty one."""
    service, tick = visit.service, timedelta.resolution
    there = Spans((start, end - service.duration + tick) for start, end in rota.resource(resource))
    if (spans := taken.get(resource.id)) is None:
        return there
    return there.less(
        Spans((start - service.duration - service.after + tick, end + service.before) for start, end in spans)
    )


def _free(visit: Visit, resource: Resource, start: datetime, rota: Rota, taken: Mapping[str, Spans]) -> bool:
    spans = taken.get(resource.id)
    free = spans is None or not spans.touches(*visit.blocked(start))
    return free and rota.resource(resource).covers(*visit.span(start))
