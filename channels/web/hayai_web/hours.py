"""Hours: opening hours as a customer reads them: the week, what is different soon, and whether it is open now."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from hayai.business import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from hayai.schedule import Opening, Schedule

_AHEAD = timedelta(days=30)
_MIDNIGHT = time(0)
_WEEK_AND_A_DAY = 8


def week(schedule: Schedule) -> Iterator[tuple[int, str, str]]:
    """Weekday (Monday 0), its name, its hours in words."""
    for day, name in enumerate(WEEKDAYS):
        yield day, name.capitalize(), spoken(schedule.hours.get(day, ()))


def differing(schedule: Schedule, today: date) -> Iterator[tuple[date, str, str]]:
    """The exceptions of the next 30 days: the day, its hours in words, the reason."""
    for each in sorted(schedule.exceptions, key=lambda exception: exception.day):
        if today <= each.day <= today + _AHEAD:
            yield each.day, spoken(each.openings), each.reason


def open_now(schedule: Schedule, now: datetime) -> str:
    """`Open now until 5 pm`, `Opens tomorrow at 9 am` and the like, for the aware instant `now`."""
    local = now.astimezone(schedule.zone)
    for ahead in range(_WEEK_AND_A_DAY):
        day = local.date() + timedelta(days=ahead)
        for each in sorted(_openings(schedule, day), key=lambda opening: opening.opens):
            if ahead or local.time() < each.opens:
                return f"Opens {_day_from(day, ahead)} at {clock_time(each.opens)}"
            if each.closes == _MIDNIGHT or local.time() < each.closes:
                return f"Open now until {clock_time(each.closes)}"
    return "Closed this week"


def _day_from(day: date, ahead: int) -> str:
    return ("today", "tomorrow")[ahead] if ahead < 2 else WEEKDAYS[day.weekday()].capitalize()  # noqa: PLR2004


def spoken(openings: Iterable[Opening]) -> str:
    """`8:30 am – 12:30 pm, 1:30 pm – 5 pm`, or `Closed`."""
    spans = [f"{clock_time(each.opens)} – {clock_time(each.closes)}" for each in openings]
    return ", ".join(spans) or "Closed"


def clock_time(at: time) -> str:
    """`8:30 am`, `5 pm`, `midnight`."""
    if at == _MIDNIGHT:
        return "midnight"
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes} {'am' if at.hour < 12 else 'pm'}"  # noqa: PLR2004 - noon


def _openings(schedule: Schedule, day: date) -> tuple[Opening, ...]:
    exception = next((each for each in schedule.exceptions if each.day == day), None)
    return schedule.hours.get(day.weekday(), ()) if exception is None else exception.openings
