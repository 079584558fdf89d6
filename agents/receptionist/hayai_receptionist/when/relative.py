"""Days reckoned by counting: "tomorrow", "in two weeks", "Friday week", "the day after Thanksgiving"."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.when.amounts import Length, Noise, Offset
from hayai_receptionist.when.days import each, shifted, single
from hayai_receptionist.when.frame import Anchor, Days, DaySpec, Doubt, Frame, Mask
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import nearest, one_day, resolve_days

if TYPE_CHECKING:
    from hayai_receptionist.when.tokens import Token


def months_on(day: date, n: int) -> date:
    """The same day n months on, or that month's last day."""
    index = day.year * 12 + day.month - 1 + n
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def moved(day: date, length: Length, sign: int = 1) -> date:
    """That day moved by a length of days, weeks, months or years."""
    if length.unit in {"month", "year"}:
        return months_on(day, sign * int(length.count * (12 if length.unit == "year" else 1)))
    return day + timedelta(sign * length.days)


def _in(length: Length) -> Anchor | Offset:
    if length.clock:
        return Anchor(_today_until) if length.vague else Offset(length)
    if length.vague:
        return Anchor(lambda f: _vague(f, length), period=True)
    return Anchor(single(lambda f: moved(f.today, length)), week=length.unit in {"week", "fortnight", "month"})


def _vague(frame: Frame, length: Length) -> tuple[Days, ...]:
    """Thus "in a few weeks" may be the second or the fifth; a few days are the next ones.

    Raises:
        Doubt: weeks or months, of which nobody knows how many.
    """
    if length.unit != "day":
        raise Doubt(f"Which {length.unit} would suit you?", f"a few {length.unit}s have no certain number")
    return (((frame.today + timedelta(2), frame.today + timedelta(5)),),)


def _from_day(length: Length, day: DaySpec) -> Anchor | None:
    if length.clock or length.vague:
        return None
    return Anchor(lambda f: tuple(one_day(moved(d[0][0], length)) for d in resolve_days(day, f)))


def _before_day(length: Length, day: DaySpec) -> Anchor | None:
    if length.clock or length.vague:
        return None
    return Anchor(lambda f: tuple(one_day(moved(d[0][0], length, -1)) for d in resolve_days(day, f)))


def _within(length: Length) -> Anchor | None:
    if length.clock and length.minutes < 24 * 60:
        return Anchor(_today_until)
    if length.clock:
        length = Length(length.minutes // (24 * 60), "day")
    span = Length(3 if length.vague else length.count, length.unit)
    return Anchor(lambda f: (((f.today, moved(f.today, span)),),), period=True)


def _today_until(_: Frame) -> tuple[Days, ...]:
    raise Doubt("What time today would suit you?", "within hours")


def weekday_week(token: Token) -> Anchor:
    """British "Friday week": a week after the coming Friday."""
    return Anchor(single(lambda f: nearest(token.value, f.today + timedelta(1)) + timedelta(7)))


def beside(n: int, day: DaySpec) -> Anchor:
    """The day so many days after the last, or before the first, of those named."""
    return Anchor(each(day, lambda days: shifted((days[0],) if n < 0 else (days[-1],), n)))


def weekday_beside(sign: int, weekday: Token, day: DaySpec) -> Anchor:
    """Thus "the Monday after Thanksgiving", "the Friday before Christmas"."""

    def pick(days: Days) -> Days:
        if sign > 0:
            return one_day(nearest(weekday.value, days[-1][1] + timedelta(1)))
        return one_day(nearest(weekday.value, days[0][0] - timedelta(7)))

    return Anchor(each(day, pick))


def _tomorrow(frame: Frame) -> tuple[Days, ...]:
    """Between midnight and four "tomorrow" may be the day that has just begun."""
    day = frame.today + timedelta(1)
    if frame.now.hour < 4 and not frame.moved:
        return one_day(day), one_day(frame.today)
    return (one_day(day),)


def _counted(number: Token, unit: str) -> Length | None:
    """Thus "1300 hours" is a time of day."""
    return None if "HHMM" in number.keys and len(number.text) == 4 else Length(number.value, unit)


def _weekdays_on(number: Token, weekday: Token) -> Anchor:
    """Thus "two Tuesdays from now" is the Tuesday after the coming one."""
    weeks = timedelta(7 * (number.value - 1))
    return Anchor(single(lambda f: nearest(weekday.value, f.today + timedelta(1)) + weeks))


RELATIVE_RULES: tuple[Rule, ...] = (
    rule("LENGTH", "INT more? =minute|hour|day|week|month|year|fortnight", _counted),
    rule("LENGTH", "a|an|another =minute|hour|day|week|month|year|fortnight", lambda u: Length(1, u)),
    rule("LENGTH", "half an? =hour", lambda u: Length(0.5, u)),
    rule("LENGTH", "a half =hour", lambda u: Length(0.5, u)),
    rule("LENGTH", "a? quarter of? an? =hour", lambda u: Length(0.25, u)),
    rule("LENGTH", "INT quarters of? an? =hour", lambda n, u: Length(n.value / 4, u)),
    rule("LENGTH", "INT and a half =hour", lambda n, u: Length(n.value + 0.5, u)),
    rule("LENGTH", "an|one =hour and a half", lambda u: Length(1.5, u)),
    rule("LENGTH", "a couple of? more? =minute|hour|day|week|month", lambda u: Length(2, u)),
    rule("LENGTH", "a? few|several|some more? =minute|hour|day|week|month", lambda u: Length(3, u, vague=True)),
    rule("LENGTH", "a|an =minute|hour|day|week|month or two", lambda u: Length(2, u, vague=True)),
    rule("LENGTH", "INT or|to|- INT =minute|hour|day|week|month", lambda n, _, u: Length(n.value, u, vague=True)),
    rule("DAY", "today", lambda: Anchor(single(lambda f: f.today))),
    rule("DAY", "tomorrow", lambda: Anchor(_tomorrow)),
    rule("DAY", "the? day after tomorrow", lambda: Anchor(single(lambda f: f.today + timedelta(2)))),
    rule("DAY", "overmorrow", lambda: Anchor(single(lambda f: f.today + timedelta(2)))),
    rule("DAY", "yesterday", lambda: Anchor(single(lambda f: f.today - timedelta(1)), past=True)),
    rule("DAY", "the? day before yesterday", lambda: Anchor(single(lambda f: f.today - timedelta(2)), past=True)),
    rule("DAY", "last =week|month|year", lambda u: Anchor(lambda f: _last(f, u), past=True)),
    rule("DAY", "last night", lambda: Anchor(single(lambda f: f.today - timedelta(1)), past=True)),
    rule("DAY", "in about|around|exactly|like? LENGTH time?", _in),
    rule("OFFSET", "in about|around|like? LENGTH time?", _in),
    rule("DAY", "LENGTH from|after now|today", _in),
    rule("DAY", "LENGTH time", lambda n: None if n.clock or n.vague else _in(n)),
    rule(
        "DAY",
        "a? fortnight =tomorrow|today",
        lambda w: Anchor(single(lambda f: f.today + timedelta(14 + (w == "tomorrow")))),
    ),
    rule("DAY", "LENGTH out|hence|away|ahead", lambda n: None if n.clock else _in(n)),
    rule("NOISE", "back in LENGTH", lambda n: Noise() if n.clock else None),
    rule("NOISE", "LENGTH away|drive|walk|ride", lambda n: Noise() if n.clock else None),
    rule("DAY", "LENGTH from|after|on? NEARDAY", _from_day),
    rule("DAY", "LENGTH before NEARDAY", _before_day),
    rule("NEARDAY", "DAY", lambda d: d),
    rule("DAY", "INT WDS from now|today", _weekdays_on),
    rule("DAY", "in INT WDS time?", _weekdays_on),
    rule("DAY", "on? NEARWD week", weekday_week),
    rule("DAY", "on? NEARWD fortnight", lambda t: Anchor(each(weekday_week(t), lambda days: shifted(days, 7)))),
    rule(
        "DAY",
        "a|one? week =tomorrow|today",
        lambda w: Anchor(single(lambda f: f.today + timedelta(7 + (w == "tomorrow")))),
    ),
    rule("NEARWD", "WD", lambda t: t if "WDS" not in t.keys else None),
    rule(
        "DAY",
        "a? week on|from WD",
        lambda t: Anchor(single(lambda f: nearest(t.value, f.today + timedelta(1)) + timedelta(7))),
    ),
    rule(
        "DAY",
        "=today|tomorrow =week|fortnight",
        lambda w, n: Anchor(single(lambda f: f.today + timedelta((w == "tomorrow") + (7 if n == "week" else 14)))),
    ),
    rule("DAY", "within|in|over|during|for the|a? next|coming|following LENGTHNUM", _within),
    rule("DAY", "sometime|anytime|any|some? time? within LENGTH", _within),
    rule("DAY", "the|a? next|coming LENGTHNUM", _within),
    rule("LENGTHNUM", "LENGTH", lambda n: n),
    rule("LENGTHNUM", "couple of? =day|week|month", lambda u: Length(2, u)),
    rule("DAY", "the? day after BASEDAY", lambda d: beside(1, d)),
    rule("DAY", "the? day before BASEDAY", lambda d: beside(-1, d)),
    rule("BASEDAY", "HOLIDAY|DATE", lambda d: d),
    rule("BASEDAY", "WD", lambda t: Mask(weekdays=frozenset({t.value}))),
    rule("DAY", "on? the? first|next? WD after|following HOLIDAY|DATE", lambda w, d: weekday_beside(1, w, d)),
    rule("DAY", "on? the? last? WD before HOLIDAY|DATE", lambda w, d: weekday_beside(-1, w, d)),
)


def _last(frame: Frame, unit: str) -> tuple[Days, ...]:
    back = Length(1, unit)
    day = moved(frame.today, back, -1)
    return (((day, day),),)
