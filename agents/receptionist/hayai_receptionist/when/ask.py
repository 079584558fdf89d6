"""Dates and times in words, and the questions that are asked when in doubt."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai_receptionist.when.window import Window

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = "January February March April May June July August September October November December".split()


def month_name(day: date) -> str:
    """Thus "December", whatever the locale."""
    return _MONTHS[day.month - 1]


def day_words(day: date) -> str:
    """Thus "Tuesday, 24 November", as the receptionist writes days everywhere."""
    return f"{_DAYS[day.weekday()]}, {day.day} {month_name(day)}"


def clock_words(moment: datetime) -> str:
    """Thus "3:30 pm"; noon and midnight by name."""
    if moment.minute == 0 and moment.hour in {0, 12}:
        return "noon" if moment.hour else "midnight"
    return f"{moment.hour % 12 or 12}:{moment.minute:02d} {'am' if moment.hour < 12 else 'pm'}"


def window_words(window: Window, *, year: bool = False) -> str:
    """A window as one would say it: a time, a day, a stretch of a day, or a stretch of days."""
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    name = day_words(first) + (f" {first.year}" if year else "")
    if window.precise:
        return f"{name} at {clock_words(window.start)}"
    if first != last:
        return f"{name} to {day_words(last)}"
    if window.start.time() == datetime.min.time() and window.end.date() != first:
        return name
    return f"{name} between {clock_words(window.start)} and {clock_words(window.end)}"


def which(windows: Sequence[Window]) -> str:
    """Thus "Do you mean A or B?" for two readings or more, with the year where it tells them apart."""
    years = len({w.start.year for w in windows}) > 1
    words = [window_words(w, year=years) for w in windows]
    return f"Do you mean {', '.join(words[:-1])} or {words[-1]}?"


def confirm(window: Window) -> str:
    """A question that reads one shaky reading back."""
    return f"I want to be sure that I understood: do you mean {window_words(window)}?"
