"""Holidays of the United States and of Britain by name, reckoned from their rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from hayai_receptionist.when.frame import Anchor, Days, Frame
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import nearest, one_day

Finder = Callable[[int], date]


def _fixed(month: int, day: int) -> Finder:
    return lambda year: date(year, month, day)


def _nth(month: int, weekday: int, n: int) -> Finder:
    return lambda year: nearest(weekday, date(year, month, 1)) + timedelta(7 * (n - 1))


def _memorial(year: int) -> date:
    return nearest(0, date(year, 5, 25))


def _late_august(year: int) -> date:
    return nearest(0, date(year, 8, 25))


def easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian computus."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _from(base: Finder, days: int) -> Finder:
    return lambda year: base(year) + timedelta(days)


_THANKSGIVING = _nth(11, 3, 4)
_HOLIDAYS: tuple[tuple[str, Finder], ...] = (
    ("new year|years eve", _fixed(12, 31)),
    ("nye", _fixed(12, 31)),
    ("new year|years day?", _fixed(1, 1)),
    ("mlk|martin luther? king? day", _nth(1, 0, 3)),
    ("president|presidents day", _nth(2, 0, 3)),
    ("valentine|valentines day?", _fixed(2, 14)),
    ("st|saint patrick|patricks|paddy|paddys day", _fixed(3, 17)),
    ("mother|mothers day", _nth(5, 6, 2)),
    ("memorial day", _memorial),
    ("juneteenth", _fixed(6, 19)),
    ("father|fathers day", _nth(6, 6, 3)),
    ("independence day", _fixed(7, 4)),
    ("labor|labour day", _nth(9, 0, 1)),
    ("columbus|indigenous day", _nth(10, 0, 2)),
    ("halloween", _fixed(10, 31)),
    ("veteran|veterans day", _fixed(11, 11)),
    ("thanksgiving day?", _THANKSGIVING),
    ("black friday", _from(_THANKSGIVING, 1)),
    ("cyber monday", _from(_THANKSGIVING, 4)),
    ("christmas eve", _fixed(12, 24)),
    ("christmas day?", _fixed(12, 25)),
    ("boxing day", _fixed(12, 26)),
    ("good friday", _from(easter, -2)),
    ("easter sunday?", easter),
    ("easter monday", _from(easter, 1)),
    ("mothering sunday", _from(easter, -21)),
    ("pancake day", _from(easter, -47)),
    ("shrove tuesday", _from(easter, -47)),
    ("ash wednesday", _from(easter, -46)),
    ("bonfire night", _fixed(11, 5)),
    ("early may bank holiday", _nth(5, 0, 1)),
    ("may day bank? holiday?", _nth(5, 0, 1)),
    ("spring|whitsun bank holiday", _memorial),
    ("late may bank holiday", _memorial),
    ("august|summer bank holiday", _late_august),
)


def _coming(find: Finder) -> Anchor:
    def resolve(frame: Frame) -> tuple[Days, ...]:
        this = find(frame.today.year)
        return (one_day(this if this >= frame.today else find(frame.today.year + 1)),)

    return Anchor(resolve)


def _maker(find: Finder) -> Callable[[], Anchor]:
    return lambda: _coming(find)


def _in_may(frame: Frame) -> tuple[Days, ...]:
    """The one of May's two bank holidays that comes next."""
    years = (frame.today.year, frame.today.year + 1)
    return (one_day(min(d for y in years for f in (_nth(5, 0, 1), _memorial) if (d := f(y)) >= frame.today)),)


HOLIDAY_RULES: tuple[Rule, ...] = (
    rule("HOLIDAY", "may bank holiday", lambda: Anchor(_in_may)),
    rule("HOLIDAY", "the HOLIDAY", lambda h: h),
    *(rule("HOLIDAY", pattern, _maker(find)) for pattern, find in _HOLIDAYS),
    rule("DAY", "on|at|around|for|the? HOLIDAY", lambda h: h),
)
