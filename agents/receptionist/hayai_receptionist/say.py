"""Wording: dates, lists and the sentences that are said in more than one place."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, time, timedelta

    from hayai.ports.calendar import Appointment
    from hayai.schedule import Opening
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Wish

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = tuple(
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def clock(moment: time | datetime) -> str:
    """`3:30 PM`, `9 AM`; noon and midnight are named, for 12 PM is read both ways."""
    if (moment.hour, moment.minute) in {(0, 0), (12, 0)}:
        return "noon" if moment.hour else "midnight"
    minutes = f":{moment.minute:02}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {'AM' if moment.hour < 12 else 'PM'}"  # noqa: PLR2004


def day(when: date, today: date) -> str:
    """`Tuesday, 1 December`; with the year when it is another."""
    year = "" if when.year == today.year else f" {when.year}"
    return f"{_DAYS[when.weekday()]}, {when.day} {_MONTHS[when.month - 1]}{year}"


def moment(instant: datetime, desk: Desk) -> str:
    """`Tuesday, 1 December at 3:30 PM`, on the business's clocks."""
    local = desk.local(instant)
    return f"{day(local.date(), desk.today())} at {clock(local)}"


def button(instant: datetime, desk: Desk) -> str:
    """`Tue 1 Dec, 3:30 PM`: a start as short as a button wants it, with the year when it is another."""
    local = desk.local(instant)
    year = "" if local.year == desk.today().year else f" {local.year}"
    return f"{_DAYS[local.weekday()][:3]} {local.day} {_MONTHS[local.month - 1][:3]}{year}, {clock(local)}"


def span(wish: Wish, desk: Desk) -> str:
    """A reading of what was said about time: a start, a day, or a part of a day."""
    if wish.precise:
        return button(wish.start, desk)
    start, end = desk.local(wish.start), desk.local(wish.end)
    if (end - start).days >= 1:
        last = desk.local(wish.end).date()
        return day(start.date(), desk.today()) + ("" if (end - start).days == 1 else f" to {day(last, desk.today())}")
    return f"{button(wish.start, desk)} to {clock(end)}"


def listed(parts: Sequence[str], word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""


def starts(instants: Sequence[datetime], desk: Desk) -> str:
    """Several starts in a sentence, each date said once: `Tuesday, 1 December at 9 AM or 10 AM`."""
    days: dict[date, list[str]] = {}
    for each in instants:
        days.setdefault(desk.local(each).date(), []).append(clock(desk.local(each)))
    told = [f"{day(date_, desk.today())} at {listed(clocks, 'or')}" for date_, clocks in days.items()]
    return told[0] if len(told) == 1 else f"{'; '.join(told[:-1])}; or {told[-1]}" if told else ""


def hours(openings: Sequence[Opening]) -> str:
    """`9 AM to noon and 1 PM to 5 PM`, `around the clock`, or `closed`."""
    if [(each.opens.isoformat(), each.closes.isoformat()) for each in openings] == [("00:00:00", "00:00:00")]:
        return "around the clock"
    return listed([f"{clock(each.opens)} to {clock(each.closes)}" for each in openings]) or "closed"


def week(desk: Desk) -> str:
    """The weekly hours, days with the same ones together: `Monday to Thursday 9 AM to 5 PM; Friday ...`."""
    weekly = desk.business.schedule.hours
    return _by_weekday([hours(weekly.get(weekday, ())) for weekday in range(7)])


def breaks(desk: Desk) -> str:
    """When the business closes within a day: `Monday to Thursday noon to 1 PM`; empty where it never does."""
    weekly = desk.business.schedule.hours
    gaps = [pairwise(sorted(weekly.get(weekday, ()), key=lambda each: each.opens)) for weekday in range(7)]
    return _by_weekday([listed([f"{clock(a.closes)} to {clock(b.opens)}" for a, b in each]) for each in gaps])


def _by_weekday(each_day: Sequence[str]) -> str:
    """What is told of each weekday, days with the same together; nothing of those of which nothing is told."""
    runs: list[tuple[int, int, str]] = []
    for weekday, told in enumerate(each_day):
        if runs and runs[-1][2] == told:
            runs[-1] = (runs[-1][0], weekday, told)
        else:
            runs.append((weekday, weekday, told))
    return "; ".join(f"{_days(first, last)} {told}" for first, last, told in runs if told)


def _days(first: int, last: int) -> str:
    between = " and " if last == first + 1 else " to "
    return _DAYS[first] if first == last else f"{_DAYS[first]}{between}{_DAYS[last]}"


def weekday(when: date) -> str:
    """`Tuesday`."""
    return _DAYS[when.weekday()]


def appointment(each: Appointment, desk: Desk) -> str:
    """`Cleaning on Tuesday, 1 December at 3:30 PM`."""
    return f"{desk.title(each.service)} on {moment(each.starts_at, desk)}"


def ticket(each: Appointment, desk: Desk) -> str:
    """An appointment as short as a button wants it."""
    return f"{desk.title(each.service)}, {button(each.starts_at, desk)}"


def length(span: timedelta) -> str:
    """`2 hours`, `45 minutes`, `1 day`."""
    minutes = int(span.total_seconds()) // 60
    units = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute"))
    return listed([f"{count} {unit}{'s' * (count != 1)}" for count, unit in units if count]) or "no time"


def call_us(desk: Desk) -> str:
    """How to reach a person by telephone or mail, as the end of a sentence; empty where the file names neither."""
    ways = [way for way in (desk.business.phone, desk.business.email) if way]
    return f" You can also reach us at {listed(ways, 'or')}." if ways else ""


CAN = "I can book, move or call off an appointment, and answer questions about our hours, address and prices."
MENU = ("Book an appointment", "Opening hours", "My appointments", "Speak to a person")
CONFIRMING = {
    "book": ("Yes, book it", "Another time", "Forget it"),
    "move": ("Yes, move it", "Another time", "Forget it"),
    "cancel": ("Yes, cancel it", "No, keep it", "Move it instead"),
}
