"""Reasons: why a start, or a whole span, cannot be had; the true one, in one sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.availability.rota import Rota
from hayai.availability.slots import Visit
from hayai.availability.spans import Spans
from hayai.errors import BookingRefused, InThePast, OutsideHours, TooFar, TooSoon
from hayai_receptionist import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from hayai.schedule import Resource
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Wish

_DAY = timedelta(days=1)
_TOLD = 3
"""So many closed days are named; of more only the first and the last."""


def refused(no: BookingRefused, wanted: datetime, desk: Desk, service: str) -> str:
    """The reason why a start cannot be had, in one sentence."""
    when = say.moment(wanted, desk)
    if isinstance(no, OutsideHours):
        return _outside(wanted, desk, service)
    if isinstance(no, InThePast):
        return f"{when} has already passed."
    if isinstance(no, TooSoon):
        return f"{when} is too soon: we need at least {say.length(desk.business.schedule.minimum_notice)} of notice."
    if isinstance(no, TooFar):
        return _too_far(desk)
    if not desk.on_grid(wanted):
        return f"{when} is none of our starting times: we start every {say.length(desk.business.schedule.step)}."
    with_them = f"{desk.wanted(service)} is not free on {when}."
    return with_them if desk.chosen(service) else f"{when} is not free. It is taken already."


def _outside(wanted: datetime, desk: Desk, service: str) -> str:
    local = desk.local(wanted)
    day, openings, reason = (
        say.day(local.date(), desk.today()),
        desk.openings(local.date()),
        desk.exception(local.date()),
    )
    because = f" ({reason})" if reason else ""
    if not openings:
        return f"We are closed on {day}{because}."
    hours = f"on {day} we are open {say.hours(openings)}{because}"
    offered = desk.service(service)
    span = (wanted, wanted + offered.duration) if offered else (wanted, wanted)
    if Rota(desk.business.schedule, *span).business.covers(*span):
        return _lacking(local.date(), desk, service) or f"{desk.title(service)} is not available at {say.clock(local)}."
    takes = f"{desk.title(service)} takes {say.length(offered.duration)} and " if offered else ""
    return f"{takes}{'does not fit at' if takes else 'Not at'} {say.clock(local)}: {hours}."


def horizon(desk: Desk) -> str:
    """Until when there is anything to book."""
    return f"Our calendar is open until {_last_day(desk)}."


def _too_far(desk: Desk) -> str:
    return f"That is further ahead than we book: our calendar is open until {_last_day(desk)}."


def _last_day(desk: Desk) -> str:
    last = desk.local(desk.now + desk.business.schedule.horizon).date()
    last = next((day for day in (last - _DAY * back for back in range(14)) if desk.openings(day)), last)
    return say.day(last, desk.today())


def none_free(desk: Desk, service: str, wishes: Sequence[Wish]) -> str:
    """Why nothing inside the wishes is free, in one sentence."""
    schedule, first, last = desk.business.schedule, wishes[0], max(wishes, key=lambda each: each.end)
    day = say.day(desk.local(first.start).date(), desk.today())
    if last.end <= desk.now:
        return f"{say.moment(first.start, desk) if first.precise else day} has already passed."
    if last.end <= desk.now + schedule.minimum_notice:
        return f"That is too soon: we need at least {say.length(schedule.minimum_notice)} of notice."
    if all(each.start > desk.now + schedule.horizon for each in wishes):
        return _too_far(desk)
    if not any(_open(each, desk) for each in wishes):
        return _closed(first, desk) if len(wishes) == 1 else _closed_days(wishes, desk)
    one_day = desk.local(last.end - timedelta(microseconds=1)).date() == desk.local(first.start).date()
    if one_day and (lacking := _lacking(desk.local(first.start).date(), desk, service, first)):
        return lacking
    whole = one_day and max(first.start, desk.now) <= max(desk.midnight(desk.local(first.start).date()), desk.now)
    then = f"on {day}" if whole and _covers_day(last, desk) else "then"
    return f"I have nothing free {then} for {desk.wanted(service)}."


def _covers_day(wish: Wish, desk: Desk) -> bool:
    """Whether a wish goes on to the end of its day."""
    last = desk.local(wish.end - timedelta(microseconds=1)).date()
    return wish.end >= desk.midnight(last + timedelta(days=1))


def _open(wish: Wish, desk: Desk) -> bool:
    rota = Rota(desk.business.schedule, wish.start, wish.end)
    return rota.business.touches(max(wish.start, desk.now), wish.end)


def _closed(wish: Wish, desk: Desk) -> str:
    first, last = (desk.local(each).date() for each in (wish.start, wish.end - timedelta(microseconds=1)))
    if first != last:
        return f"We are closed from {say.day(first, desk.today())} to {say.day(last, desk.today())}."
    reason, openings = desk.exception(first), desk.openings(first)
    because = f" ({reason})" if reason else ""
    if not openings:
        return f"We are closed on {say.day(first, desk.today())}{because}."
    return f"On {say.day(first, desk.today())} we are open {say.hours(openings)}{because}."


def _closed_days(wishes: Sequence[Wish], desk: Desk) -> str:
    """The closed days among several wishes, each with its reason."""
    days = sorted({desk.local(each.start).date() for each in wishes})
    if any(desk.openings(day) for day in days):
        return "We are closed at those times."
    if len({day.weekday() for day in days}) == 1:
        return f"We are closed on {say.weekday(days[0])}s."
    if len(days) > _TOLD:
        return "We are closed at those times."
    reasons = {day: f" ({desk.exception(day)})" if desk.exception(day) else "" for day in days}
    return f"We are closed on {say.listed([say.day(day, desk.today()) + reasons[day] for day in days])}."


def _lacking(day: date, desk: Desk, service: str, wish: Wish | None = None) -> str:
    """What the service needs and the business does not have all of `day`, or not within `wish`; empty where nothing."""
    offered = desk.service(service)
    if offered is None:
        return ""
    start = desk.midnight(day)
    rota = Rota(desk.business.schedule, start, start + _DAY)
    asked = frozenset(desk.chosen(service))
    for _, candidates in Visit(desk.business.schedule, offered, asked).needs:
        there = Spans(span for each in candidates for span in rota.resource(each))
        named = candidates[0].id in asked
        whom = f"{candidates[0].name} is" if named else f"For {offered.name} we need our {candidates[0].kind},"
        if not there.touches(start, start + _DAY):
            return f"{whom} not available on {say.day(day, desk.today())}."
        absent = wish is not None and not there.touches(wish.start, wish.end)
        short = wish is None and any(each.hours is not None for each in candidates)
        if absent or short:
            return f"{whom} available only {_spoken(there, day, desk)}."
    return ""


def presence(person: Resource, day: date, desk: Desk) -> str:
    """When somebody is there on `day`, in one sentence."""
    start = desk.midnight(day)
    there = Rota(desk.business.schedule, start, start + _DAY).resource(person)
    if not there.touches(start, start + _DAY):
        return f"{person.name} is not available on {say.day(day, desk.today())}."
    return f"{person.name} is available {_spoken(there, day, desk)}."


def _spoken(there: Spans, day: date, desk: Desk) -> str:
    start = desk.midnight(day)
    local = [(desk.local(a), desk.local(b)) for a, b in there if a < start + _DAY and start < b]
    hours = say.listed([f"{say.clock(a)} to {say.clock(b)}" for a, b in local])
    return f"from {hours} on {say.day(day, desk.today())}"
