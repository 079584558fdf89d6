"""Weekdays and dates: "this Friday", "next Tuesday", "the 5th of January", "Jan 5", "2027-01-05"."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.when.frame import Anchor, Days, DaySpec, Doubt, Frame, Mask, Resolve
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import RECENT, nearest, one_day, resolve_days
from hayai_receptionist.when.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable


def single(pick: Callable[[Frame], date]) -> Resolve:
    """A resolver with one reading of one day."""
    return lambda frame: (one_day(pick(frame)),)


def each(spec: DaySpec, change: Callable[[Days], Days]) -> Resolve:
    """A resolver that carries every reading of `spec` through `change`."""
    return lambda frame: tuple(change(days) for days in resolve_days(spec, frame))


def shifted(days: Days, n: int) -> Days:
    """All spans moved by n days."""
    return tuple((a + timedelta(n), b + timedelta(n)) for a, b in days)


def _weekday(token: Token) -> Mask:
    return Mask(weekdays=frozenset({token.value}), many="WDS" in token.keys, typo=token.other)


def _coming(token: Token) -> Anchor:
    """Thus "this Friday" and "coming Friday": the nearest one; said on a Friday it may be today."""
    if token.other:
        return Anchor(lambda frame: resolve_days(_weekday(token), frame))
    return Anchor(lambda frame: resolve_days(Mask(weekdays=frozenset({token.value})), frame))


def _next(token: Token) -> Anchor:
    """Thus "next Tuesday": people disagree whether it is the coming one or that of the week after, so both are offered.

    It is clear on a Tuesday, for the one in seven days, and late in the week, for a day of the week to come.
    """

    def resolve(frame: Frame) -> tuple[Days, ...]:
        day = nearest(token.value, frame.today)
        later = one_day(day + timedelta(7))
        ahead = (day - frame.today).days
        if token.value < frame.today.weekday() >= 2 and 3 <= ahead <= 5 and not token.other:
            return (one_day(day),)
        return (later,) if day == frame.today else (one_day(day), later)

    return Anchor(resolve)


def _after_next(token: Token) -> Anchor:
    def resolve(frame: Frame) -> tuple[Days, ...]:
        day = nearest(token.value, frame.today + timedelta(1))
        return one_day(day + timedelta(7)), one_day(day + timedelta(14))

    return Anchor(resolve)


def _last(token: Token) -> Anchor:
    return Anchor(
        single(lambda f: nearest(token.value, f.today) - timedelta(7)),
        past=True,
    )


def _day_month(day: Token, month: Token, year: Token | None) -> Mask:
    return Mask(day=day.value, month=month.value, year=year.value if year else None)


def _month_day(month: Token, day: Token, year: Token | None) -> Mask:
    return _day_month(day, month, year)


def _iso(token: Token) -> Mask:
    year, month, day = (int(part) for part in token.text.split("-"))
    return Mask(day=day, month=month, year=year) if 1 <= month <= 12 and day else _bad(token)  # type: ignore[return-value]


def _weekday_date(weekday: Token, date_: DaySpec) -> Mask | None:
    """Thus "Tuesday the 12th of January": one day, whose parts must agree."""
    if not isinstance(date_, Mask) or not date_.dated or weekday.other:
        return None
    return replace(date_, weekdays=frozenset({weekday.value}))


def _bad(_: Token) -> Anchor:
    def resolve(_: Frame) -> tuple[Days, ...]:
        raise Doubt("I could not make out that date. Which day and month do you mean?", "no such date")

    return Anchor(resolve)


def _numeric(token: Token) -> DaySpec:
    """Thus "5/1" may be either order: only a part above 12, equal parts, or a weekday beside it tell."""
    sep = next(c for c in "/.-" if c in token.text)
    parts = [int(p) for p in token.text.split(sep) if p]
    year = (parts[2] if parts[2] > 99 else 2000 + parts[2]) if len(parts) > 2 else None
    a, b = parts[0], parts[1]
    orders = [(a, b), (b, a)] if sep != "." else [(b, a)]
    masks = [Mask(day=d, month=m, year=year) for m, d in dict.fromkeys(orders) if 1 <= m <= 12 and 1 <= d <= 31]
    if not masks:
        return _bad(token)
    return masks[0] if len(masks) == 1 else Anchor(lambda f: _either_order(masks, f))


def _either_order(masks: list[Mask], frame: Frame) -> tuple[Days, ...]:
    """Both orders, or the one that exists and is not just past."""
    found: list[Days] = []
    doubt: Doubt | None = None
    for month_first, mask in zip((True, False), masks, strict=True):
        try:
            found.extend(resolve_days(mask, frame))
        except Doubt as problem:
            if month_first is frame.month_first:
                raise
            doubt = doubt or problem
    if not found and doubt:
        raise doubt
    return (usual,) if len(found) == 2 and (usual := _usual(found, frame)) else tuple(found)


def _usual(found: list[Days], frame: Frame) -> Days | None:
    """The reading in the order of this country, if it is near and the other is far off."""
    if frame.month_first is None:
        return None
    usual, other = (days[0][0] for days in (found if frame.month_first else found[::-1]))
    certain = (usual - frame.today).days <= RECENT <= (other - usual).days
    return one_day(usual) if certain else None


def _the_nth(token: Token) -> Mask:
    return Mask(day=token.value)


def _month_only(month: Token, year: Token | None) -> Mask:
    return Mask(month=month.value, year=year.value if year else None)


def _next_month_named(month: Token) -> Anchor:
    """Thus "next March" said in January may be either; said in May it is clear."""

    def resolve(frame: Frame) -> tuple[Days, ...]:
        first = resolve_days(Mask(month=month.value), frame)[0]
        if first[0][0].year > frame.today.year:
            return (first,)
        return first, resolve_days(Mask(month=month.value, year=frame.today.year + 1), frame)[0]

    return Anchor(resolve, period=True)


def _nth_weekday(nth: Token | str, weekday: Token, month: DaySpec) -> Anchor:
    """Thus "the first Monday of January", "the last Friday of next month"."""

    def pick(days: Days) -> Days:
        first, last = days[0][0].replace(day=1), days[-1][1]
        found = [d for n in range((last - first).days + 1) if (d := first + timedelta(n)).weekday() == weekday.value]
        index = -1 if nth == "last" else (nth.value - 1 if isinstance(nth, Token) else 0)
        if index >= len(found):
            raise Doubt("There is no such day in that month. Which date do you mean?", "no such weekday")
        return one_day(found[index])

    return Anchor(each(month, pick))


def _nth_of_month(nth: Token, which: str) -> Anchor:
    """Thus "the first of the month" is the coming first; "of this month" the one of the month that runs."""
    if not 1 <= nth.value <= 31:
        return _bad(nth)
    if which == "the":
        return Anchor(lambda f: resolve_days(Mask(day=nth.value), f))
    return Anchor(lambda f: _in_month(nth, f, 0 if which == "this" else 1))


DAY_RULES: tuple[Rule, ...] = (
    rule("DAY", "on? a|an|some|the|one? WD", _weekday),
    rule("DAY", "on? any|every|each WD", lambda t: Mask(weekdays=frozenset({t.value}), many=True)),
    rule("DAY", "on? this coming|upcoming|next? WD", _coming),
    rule("DAY", "on? the? coming|upcoming|nearest|closest WD", _coming),
    rule("DAY", "on? this WD coming|upcoming?", _coming),
    rule("DAY", "WD coming|this this? week?", _coming),
    rule("DAY", "on? the? next WD", _next),
    rule("DAY", "on? WD NEXTED", lambda t, _: _coming(t)),
    rule("DAY", "on? the? WD after next", _after_next),
    rule("DAY", "on? the? last|past WD", _last),
    rule("DAY", "the? next available|free|open|possible WD", _coming),
    rule("DAY", "first|earliest|soonest available|free|open|possible? WD", _coming),
    rule("DAY", "on? the? following WD", lambda t: Anchor(lambda f: _following(t, f))),
    # Dates.
    rule("DATE", "the? NTH of? MONTH ,? YEAR?", _day_month),
    rule("DATE", "the? DOM of? MONTH ,? YEAR?", _day_month),
    rule("DATE", "MONTH the? NTHISH ,? YEAR?", _month_day),
    rule("DATE", "MONTH DOM ,? YEAR?", _month_day),
    rule("DATE", "the? NTH prox|proximo .?", lambda t: Anchor(lambda f: _in_month(t, f, 1))),
    rule("DATE", "the? NTH inst|instant .?", lambda t: Anchor(lambda f: _in_month(t, f, 0))),
    rule("DATE", "the? BADNTH of? MONTH?", lambda t, _: _bad(t)),
    rule("DATE", "MONTH BADDOM", lambda _, t: _bad(t)),
    rule("DATE", "BADDOM of? MONTH", lambda t, _: _bad(t)),
    rule("BADDOM", "OVER", lambda t: t if t.value > 31 and "YEAR" not in t.keys else None),
    rule("DATE", "ISO", _iso),
    rule("DATE", "NUM", _numeric),
    rule("DATE", "the NTHPLAIN", _the_nth),
    rule("DAY", "on the? DOMPLAIN", _the_nth),
    rule("DAY", "the DOMPLAIN", lambda t: _the_nth(t) if t.value > 12 else None),
    rule("DOMPLAIN", "DOM", lambda t: t if not {"SPELLED", "DOUBTFUL"} & t.keys else None),
    rule("DAY", "on the NTH", _the_nth),
    rule("DAY", "on? WD ,? DATE", _weekday_date),
    rule("DAY", "on? WD ,? the NTH", lambda w, n: Mask(frozenset({w.value}), n.value, typo=w.other)),
    # "the first" alone rather picks from what was offered.
    rule("NTHPLAIN", "NTH", lambda t: t if "SPELLED" not in t.keys or t.value > 3 else None),
    rule("DATE", "NTHDIGIT", _the_nth),
    rule("NTHDIGIT", "NTH", lambda t: t if "SPELLED" not in t.keys else None),
    rule("NTHISH", "NTH", lambda t: t),
    rule("NTHISH", "ORD", lambda t: t if 1 <= t.value <= 31 and "SPELLED" not in t.keys else None),
    rule("DAY", "on|at|for? DATE", lambda d: d),
    rule("DAY", "on|by? NTHWORD", _the_nth),
    rule("NTHWORD", "NTH", lambda t: t if "SPELLED" in t.keys and t.value > 3 else None),
    # Months.
    rule("MONTHS", "in|during|for|this? MONTH ,? YEAR?", _month_only),
    rule("MONTHS", "next MONTH", _next_month_named),
    rule("MONTHS", "MONTH next year", lambda m: Anchor(_next_year(m), period=True)),
    rule("DAY", "some|any? time? sometime? anytime? MONTHS", lambda m: m),
    rule("DAY", "the? =last WD of|in|next? INMONTH", _nth_weekday),
    rule("DAY", "on? the? ORD WD of|in|next? INMONTH", _nth_weekday),
    rule("DAY", "on? the? ORD of =the|this|next|following month", _nth_of_month),
    rule("INMONTH", "the|this|next? MONTHS", lambda m: m),
    rule("INMONTH", "PERIOD|OURS", lambda p: p),
    rule("INMONTH", "the|a new|coming year", lambda: Anchor(_next_january, period=True)),
)


def _next_january(frame: Frame) -> tuple[Days, ...]:
    return resolve_days(Mask(month=1, year=frame.today.year + (frame.today.month > 1)), frame)


def _next_year(month: Token) -> Resolve:
    return lambda f: resolve_days(Mask(month=month.value, year=f.today.year + 1), f)


def _in_month(token: Token, frame: Frame, ahead: int) -> tuple[Days, ...]:
    """Thus "the eighth prox." is that of next month, "inst." that of this one."""
    month = (frame.today.month - 1 + ahead) % 12 + 1
    year = frame.today.year + (month < frame.today.month)
    return resolve_days(Mask(day=token.value, month=month, year=year), frame)


def _following(token: Token, frame: Frame) -> tuple[Days, ...]:
    """Thus "the following Friday" follows the day under discussion."""
    if frame.context is None:
        return resolve_days(_next(token), frame)
    return (one_day(nearest(token.value, frame.context_day + timedelta(1))),)
