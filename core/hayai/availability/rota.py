"""Rota: who is there when, over a stretch of days, whatever is booked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from hayai.availability.spans import Span, Spans
from hayai.availability.wall import grid, opened, walls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.schedule import DayException, Opening, Resource, Schedule

_DAY = timedelta(days=1)


def exception(schedule: Schedule, day: date) -> DayException | None:
    """What makes `day` differ from its weekday, if anything does."""
    return next((each for each in schedule.exceptions if each.day == day), None)


def openings(schedule: Schedule, day: date) -> tuple[Opening, ...]:
    """When the business is open on `day`, in order: by its exception, or else by its weekday."""
    special = exception(schedule, day)
    found = schedule.hours.get(day.weekday(), ()) if special is None else special.openings
    return tuple(sorted(found, key=lambda each: each.opens))


class Rota:
    """The open stretches of the business and of each resource between two instants, and the starts on its grid.

    One day before and one after are looked at as well: an appointment may cross midnight.
    """

    def __init__(self, schedule: Schedule, start: datetime, end: datetime) -> None:
        self.schedule = schedule
        self._zone = schedule.zone
        first, last = (each.astimezone(self._zone).date() for each in (start, end))
        self._days = [first + _DAY * at for at in range(-1, (last - first).days + 2)]
        self._resources: dict[str, Spans] = {}

    @cached_property
    def business(self) -> Spans:
        """When the business is open."""
        return Spans(span for day in self._days for span in self._opened(day))

    def resource(self, resource: Resource) -> Spans:
        """When the resource is there and the business is open."""
        if resource.hours is None:
            return self.business
        if resource.id not in self._resources:
            present = Spans(span for day in self._days for span in self._present(resource, day))
            self._resources[resource.id] = self.business.both(present)
        return self._resources[resource.id]

    def starts(self, among: Spans | None = None) -> Iterator[datetime]:
        """The starts on the grid, in order: steps from each opening by the wall clock; only those in `among`, if given.

        The grid of an opening in which none can be is not even made: in a calendar that is full for months, that is
        nearly all of the work.
        """
        for day in self._days:
            hours = [each for each in openings(self.schedule, day) if among is None or self._any(each, day, among)]
            found = {start for each in hours for start in grid(*walls(each, day), self.schedule.step, self._zone)}
            yield from (start for start in sorted(found) if among is None or start in among)

    def _any(self, opening: Opening, day: date, among: Spans) -> bool:
        return any(among.touches(*span) for span in opened(*walls(opening, day), self._zone))

    def _opened(self, day: date) -> list[Span]:
        return [span for each in openings(self.schedule, day) for span in opened(*walls(each, day), self._zone)]

    def _present(self, resource: Resource, day: date) -> list[Span]:
        hours = (resource.hours or {}).get(day.weekday(), ())
        return [span for each in hours for span in opened(*walls(each, day), self._zone)]
