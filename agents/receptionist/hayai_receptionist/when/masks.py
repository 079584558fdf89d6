"""Calendar days by name: the nearest "Tuesday", "the 5th", "December", and conflicts between them."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta

from hayai_receptionist.when.ask import day_words, month_name
from hayai_receptionist.when.frame import REACH, Anchor, Days, DaySpec, Doubt, Frame, Mask
from hayai_receptionist.when.lexicon import WEEKDAYS

RECENT = 60
"""A date without a year that is fewer days past than this is asked about, not moved to next year."""


def one_day(day: date) -> Days:
    """A single day as spans."""
    return ((day, day),)


def nearest(weekday: int, today: date) -> date:
    """The first such weekday on or after today."""
    return today + timedelta((weekday - today.weekday()) % 7)


def monday_of(day: date) -> date:
    """The Monday of that day's week (weeks begin on Monday)."""
    return day - timedelta(day.weekday())


def month_span(year: int, month: int) -> tuple[date, date]:
    """First and last day of a month."""
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def matching(mask: Mask, first: date, last: date) -> Days:
    """Every day in the span that fits, neighbours joined."""
    fits = (first + timedelta(n) for n in range((last - first).days + 1) if mask.fits(first + timedelta(n)))
    spans: list[tuple[date, date]] = []
    for day in fits:
        if spans and spans[-1][1] + timedelta(1) == day:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return tuple(spans)


def resolve_mask(mask: Mask, frame: Frame) -> tuple[Days, ...]:
    """The alternatives for calendar days that stand alone.

    Raises:
        Doubt: no such date, a date just past, or a weekday that is not that date's.
    """
    found = _resolved(mask, frame)
    if not all(found):
        raise Doubt("There is no such day left. Which day would you like?", "no such day left")
    return found


def _resolved(mask: Mask, frame: Frame) -> tuple[Days, ...]:
    if mask.dated:
        return _dated(mask, frame)
    if mask.month is not None:
        return _month(mask, frame)
    if mask.year is not None:
        return (matching(mask, max(frame.today, date(mask.year, 1, 1)), date(mask.year, 12, 31)),)
    return _weekday(mask, frame)


def _weekday(mask: Mask, frame: Frame) -> tuple[Days, ...]:
    today, wanted = frame.today, sorted(mask.weekdays or ())
    if mask.typo:
        names = [WEEKDAYS[name] for name in mask.typo]
        return tuple(one_day(nearest(n, today)) for n in [*wanted, *names])
    if frame.context_days and (inside := matching(mask, *frame.context_days)):
        return (inside,)
    if mask.many or len(wanted) > 1:
        return (matching(mask, today, today + timedelta(27 if len(wanted) == 1 else REACH - 1)),)
    day = nearest(wanted[0], today)
    later = one_day(day + timedelta(7))
    if day != today or frame.moved:
        return (one_day(day),)
    over = frame.now.hour * 60 + frame.now.minute >= frame.hours.span(today)[1]
    return (later,) if over or mask.listed else (one_day(day), later)


def _month(mask: Mask, frame: Frame) -> tuple[Days, ...]:
    month = mask.month or 1
    year = mask.year or frame.today.year + (month < frame.today.month)
    first, last = month_span(year, month)
    if last < frame.today:
        raise Doubt(f"{month_name(first)} {year} is in the past. Which day would you like?", "month in the past")
    return (matching(replace(mask, year=None), max(first, frame.today), last),)


def _dated(mask: Mask, frame: Frame) -> tuple[Days, ...]:
    plain = replace(mask, weekdays=None)
    day = _month_day(plain, frame) if mask.month else _day_of_month(plain, frame)
    if mask.weekdays and day.weekday() not in mask.weekdays:
        raise _conflict(mask, day, frame)
    return (one_day(day),)


def _day_of_month(mask: Mask, frame: Frame) -> date:
    wanted = mask.day or 1
    near = _next_with_day(wanted, frame.today)
    if frame.context and not frame.moved and frame.context.start.date() > near:
        month = frame.context.start.date().replace(day=1)
        there = _next_with_day(wanted, max(month, frame.today))
        if there != near:
            raise Doubt(
                f"Do you mean {day_words(near)} or {day_words(there)}?",
                "day of the month in the month under discussion or in this one",
                (one_day(there), one_day(near)),
            )
    return near


def _next_with_day(wanted: int, today: date) -> date:
    year, month = today.year, today.month
    for _ in range(3):
        if wanted <= monthrange(year, month)[1] and date(year, month, wanted) >= today:
            return date(year, month, wanted)
        year, month = year + month // 12, month % 12 + 1
    return date(year, month, min(wanted, monthrange(year, month)[1]))


def _month_day(mask: Mask, frame: Frame) -> date:
    month, wanted = mask.month or 1, mask.day or 1
    year = mask.year or frame.today.year
    leap = 2028 if mask.year is None else year
    if wanted > monthrange(leap, month)[1]:
        raise _no_such_day(month, wanted, mask.year)
    if mask.year is None:
        year = _year_for(mask, frame)
    if wanted > monthrange(year, month)[1]:
        raise _no_such_day(month, wanted, year)
    return date(year, month, wanted)


def _year_for(mask: Mask, frame: Frame) -> int:
    month, wanted, today = mask.month or 1, mask.day or 1, frame.today
    if (month, wanted) >= (today.month, today.day):
        return today.year
    this = date(today.year, month, min(wanted, monthrange(today.year, month)[1]))
    if (today - this).days < RECENT and not frame.moved:
        coming = this.replace(year=this.year + 1) if (month, wanted) != (2, 29) else date(today.year + 1, 2, 28)
        fits_next = mask.weekdays and coming.weekday() in mask.weekdays
        if not fits_next:
            raise Doubt(
                f"{day_words(this)} is already past. Do you mean {day_words(coming)} {coming.year}?",
                "date just past",
                (one_day(coming),),
            )
    return today.year + 1


def _no_such_day(month: int, day: int, year: int | None) -> Doubt:
    name = f"{day} {month_name(date(2000, month, 1))}" + (f" {year}" if year else "")
    return Doubt(f"There is no {name}. Which date do you mean?", "no such date")


def _conflict(mask: Mask, day: date, frame: Frame) -> Doubt:
    weekday = min(mask.weekdays or {0})
    near = min(
        (d for n in range(-3, 4) if (d := day + timedelta(n)).weekday() == weekday),
        key=lambda d: abs((d - day).days),
    )
    days = [day, *([near] if near >= frame.today else [])]
    if mask.month is None and (other := _later_match(mask, day)):
        days.append(other)
    options = " or ".join(day_words(d) for d in days)
    return Doubt(
        f"The {day.day}{_suffix(day.day)} is a {day:%A}. Do you mean {options}?",
        "weekday and date do not agree",
        tuple(one_day(d) for d in days),
    )


def _later_match(mask: Mask, day: date) -> date | None:
    """The same date in the next month, when the weekday is right there."""
    try:
        later = day.replace(month=day.month % 12 + 1, year=day.year + day.month // 12)
    except ValueError:
        return None
    return later if mask.fits(later) else None


def _suffix(n: int) -> str:
    return "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def resolve_days(spec: DaySpec, frame: Frame) -> tuple[Days, ...]:
    """The alternative readings of one day expression."""
    return spec.resolve(frame) if isinstance(spec, Anchor) else resolve_mask(spec, frame)
