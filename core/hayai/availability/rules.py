"""The rules for a start, apart from what is booked, and the sentence for each that it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.availability.rota import Rota, exception, openings
from hayai.availability.slots import choose
from hayai.availability.wall import instants
from hayai.errors import InThePast, OutsideHours, ResourceUnknown, ServiceUnknown, SlotTaken, TooFar, TooSoon

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime, timedelta

    from hayai.availability.slots import Visit
    from hayai.errors import BookingRefused
    from hayai.schedule import Opening, Schedule, Service


@dataclass(frozen=True)
class Refusal:
    """Why a start cannot be had, before anybody has looked for another."""

    error: type[BookingRefused]
    sentence: str


def offered(schedule: Schedule, service: str) -> Service:
    """The service of that id. Raises ServiceUnknown, naming those that there are."""
    found = next((each for each in schedule.services if each.id == service), None)
    if found is None:
        known = ", ".join(each.id for each in schedule.services) or "none"
        raise ServiceUnknown(f"The business does not offer that service: choose one of {known}.")
    return found


def check_asked(schedule: Schedule, service: Service, asked: Collection[str]) -> None:
    """Raises ResourceUnknown where `asked` names resources that cannot serve the service, or too many of a kind."""
    kinds = {each.id: each.kind for each in schedule.resources}
    wanted = [kinds.get(each, "") for each in asked]
    if any(service.needs.count(kind) < wanted.count(kind) or not kind for kind in wanted):
        able = ", ".join(each.id for each in schedule.resources if each.kind in service.needs)
        raise ResourceUnknown(
            f"{service.name} takes one each of {', '.join(service.needs)}: choose its resources among {able}."
        )


def refusal(visit: Visit, starts_at: datetime, now: datetime) -> Refusal | None:
    """What speaks against a start even in an empty calendar; None where nothing does."""
    return _by_the_clock(visit.schedule, starts_at, now) or _by_the_hours(visit, starts_at)


def taken(visit: Visit, starts_at: datetime) -> Refusal:
    """Somebody was faster."""
    when = said(visit.schedule, starts_at)
    return Refusal(SlotTaken, f"{visit.service.name} on {when} is taken: choose another start.")


def said(schedule: Schedule, instant: datetime) -> str:
    """An instant in words, by the business's clock: "Monday, 2 March 2026 at 09:30".

    An hour that the clocks show twice says which of the two is meant: "at 01:30 EST".
    """
    wall = instant.astimezone(schedule.zone)
    twice = len(instants(wall.replace(tzinfo=None), schedule.zone)) > 1
    return f"{_day(wall.date())} at {wall:%H:%M}{f' {wall:%Z}' * twice}"


def _by_the_clock(schedule: Schedule, starts_at: datetime, now: datetime) -> Refusal | None:
    earliest, latest = now + schedule.minimum_notice, now + schedule.horizon
    when = said(schedule, starts_at)
    if starts_at < now:
        return Refusal(InThePast, f"{when} has gone by: choose a start from {said(schedule, earliest)} on.")
    if starts_at < earliest:
        notice = _length(schedule.minimum_notice)
        return Refusal(
            TooSoon,
            f"{when} is too soon, the business needs {notice} notice: "
            f"choose a start from {said(schedule, earliest)} on.",
        )
    if starts_at > latest:
        return Refusal(
            TooFar,
            f"{when} is too far ahead, the calendar is open for {_length(schedule.horizon)}: "
            f"choose a start up to {said(schedule, latest)}.",
        )
    return None


def _by_the_hours(visit: Visit, starts_at: datetime) -> Refusal | None:
    span = visit.span(starts_at)
    rota = Rota(visit.schedule, *span)
    if not rota.business.covers(*span):
        return Refusal(OutsideHours, _closed(visit, starts_at))
    if choose(visit, starts_at, rota, {}) is None:
        when, length = said(visit.schedule, starts_at), _length(visit.service.duration)
        return Refusal(
            OutsideHours,
            f"Nobody who is needed for {visit.service.name} ({length}) is in on {when}: choose another start.",
        )
    return None


def _closed(visit: Visit, starts_at: datetime) -> str:
    day = starts_at.astimezone(visit.schedule.zone).date()
    special = exception(visit.schedule, day)
    because = f" ({special.reason})" if special and special.reason else ""
    if not (hours := openings(visit.schedule, day)):
        return f"The business is closed on {_day(day)}{because}: choose another day."
    return (
        f"{visit.service.name} takes {_length(visit.service.duration)} and does not fit on "
        f"{said(visit.schedule, starts_at)}: the business is open {_hours(hours)} on that day{because}."
    )


def _hours(hours: tuple[Opening, ...]) -> str:
    spans = (f"{each.opens:%H:%M} to {each.closes:%H:%M}".replace("to 00:00", "to 24:00") for each in hours)
    return " and ".join(spans)


def _day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _length(length: timedelta) -> str:
    """A length of time in its largest whole units: "90 days", "1 hour 30 minutes"."""
    minutes = int(length.total_seconds() // 60)
    counted = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute"))
    return " ".join(f"{n} {unit}{'s' * (n != 1)}" for n, unit in counted if n) or "0 minutes"
