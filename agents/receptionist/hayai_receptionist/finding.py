"""Finding: free starts for what the customer wishes, and the true reason where there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.availability.rota import Rota
from hayai.errors import BookingRefused, InThePast, OutsideHours, TooFar, TooSoon
from hayai_receptionist import say

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Wish

OFFERED = 3
"""How many starts are offered at once."""
_DAY = timedelta(days=1)
_READ = 14
"""How many windows of a wish without a date are looked at."""


async def offers(desk: Desk, service: str, wishes: Sequence[Wish], seen: Collection[datetime] = ()) -> list[datetime]:
    """Up to OFFERED free starts inside the wishes, spread over their days and hours, none that was `seen`."""
    found: dict[datetime, None] = {}
    for wish in wishes[:_READ]:
        free = await desk.free(service, wish.start, wish.end)
        found |= dict.fromkeys(each for each in free if each not in seen)
        if len({desk.local(each).date() for each in found}) >= OFFERED:
            break
    return sorted(found)[:OFFERED] if any(each.soonest for each in wishes) else spread(sorted(found), desk)


def spread(free: Sequence[datetime], desk: Desk) -> list[datetime]:
    """At most OFFERED of the free starts: of different days where there are, else early, middle and late."""
    days: dict[object, list[datetime]] = {}
    for each in free:
        days.setdefault(desk.local(each).date(), []).append(each)
    if len(days) >= OFFERED:
        return [starts[0] for starts in list(days.values())[:OFFERED]]
    if len(free) <= OFFERED:
        return list(free)
    if len(days) == 2:  # noqa: PLR2004 - two of the first day, one of the second
        first, second = days.values()
        return sorted({first[0], first[len(first) // 2], second[0]})
    return [free[0], free[len(free) // 2], free[-1]]


async def around(
    desk: Desk, service: str, wanted: datetime, known: Sequence[datetime] = (), seen: Collection[datetime] = ()
) -> list[datetime]:
    """The free starts nearest to `wanted`, in order of time: at least two wherever the calendar has them."""
    wanted = min(max(wanted, desk.now), desk.now + desk.business.schedule.horizon)
    free = set(await desk.free(service, wanted - _DAY, wanted + _DAY)) | set(known)
    if len(free - set(seen)) < OFFERED:
        free |= set(await desk.free(service, wanted, wanted + desk.business.schedule.horizon + _DAY, OFFERED * 4))
    if len(free - set(seen)) < OFFERED:
        free |= set(await desk.free(service, desk.now, wanted, 500))
    ranked = sorted(free - set(seen), key=lambda each: (abs(each - wanted), each))
    return sorted(ranked[:OFFERED])


def refused(no: BookingRefused, wanted: datetime, desk: Desk, service: str) -> str:
    """The reason why a start cannot be had, in one sentence."""
    when = say.moment(wanted, desk)
    if isinstance(no, OutsideHours):
        return _outside(wanted, desk, service)
    if isinstance(no, InThePast):
        return f"{when} has already passed."
    if isinstance(no, TooSoon):
        return f"{when} is too soon: we need at least {length(desk.business.schedule.minimum_notice)} of notice."
    if isinstance(no, TooFar):
        return _too_far(desk)
    if not desk.on_grid(wanted):
        return f"{when} is none of our starting times: we start every {length(desk.business.schedule.step)}."
    return f"{when} is not free."


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
        return f"{desk.title(service)} is not available on {day} at {say.clock(local)}."
    takes = f"{desk.title(service)} takes {length(offered.duration)} and " if offered else ""
    return f"{takes}{'does not fit at' if takes else 'Not at'} {say.clock(local)}: {hours}."


def _too_far(desk: Desk) -> str:
    last = desk.local(desk.now + desk.business.schedule.horizon).date()
    return f"That is further ahead than we book: our calendar is open until {say.day(last, desk.today())}."


def none_free(desk: Desk, service: str, wishes: Sequence[Wish]) -> str:
    """Why nothing inside the wishes is free, in one sentence."""
    schedule, first, last = desk.business.schedule, wishes[0], max(wishes, key=lambda each: each.end)
    day = say.day(desk.local(first.start).date(), desk.today())
    if last.end <= desk.now:
        return f"{say.moment(first.start, desk) if first.precise else day} has already passed."
    if last.end <= desk.now + schedule.minimum_notice:
        return f"That is too soon: we need at least {length(schedule.minimum_notice)} of notice."
    if all(each.start > desk.now + schedule.horizon for each in wishes):
        return _too_far(desk)
    if not any(_open(each, desk) for each in wishes):
        return _closed(first, desk) if len(wishes) == 1 else "We are closed at those times."
    one_day = desk.local(last.end - timedelta(microseconds=1)).date() == desk.local(first.start).date()
    return f"I have nothing free {f'on {day}' if one_day else 'then'} for {desk.title(service)}."


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


def length(span: timedelta) -> str:
    """`2 hours`, `45 minutes`, `1 day`."""
    minutes = int(span.total_seconds()) // 60
    units = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute"))
    return say.listed([f"{count} {unit}{'s' * (count != 1)}" for count, unit in units if count]) or "no time"
