"""Stretches of days: "Monday to Wednesday", "after the 5th", "by Friday", "from the 3rd on"."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.when.days import each
from hayai_receptionist.when.frame import OPEN_END, Anchor, Days, DaySpec, Frame, Mask
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import resolve_days

if TYPE_CHECKING:
    from hayai_receptionist.when.tokens import Token


def until(day: DaySpec, *, included: bool) -> Anchor:
    """From today up to a day, itself included or not."""

    def resolve(frame: Frame) -> tuple[Days, ...]:
        ends = (d[-1][1] if included else d[0][0] - timedelta(1) for d in resolve_days(day, frame))
        return tuple(((min(frame.today, end), end),) for end in ends)

    return Anchor(resolve, period=True, bound="high", target=day, closed=included)


def since(day: DaySpec, *, included: bool) -> Anchor:
    """From a day on, itself included or not, as far as the grammar looks ahead."""

    def resolve(frame: Frame) -> tuple[Days, ...]:
        starts = (d[0][0] if included else d[-1][1] + timedelta(1) for d in resolve_days(day, frame))
        return tuple(((start, start + timedelta(OPEN_END)),) for start in starts)

    return Anchor(resolve, period=True, bound="low", target=day, closed=included)


def through(first: DaySpec, last: DaySpec) -> Anchor:
    """From one day to another, the second reckoned from the first."""

    def resolve(frame: Frame) -> tuple[Days, ...]:
        starts = resolve_days(_with_month(first, last), frame)
        if len(starts) > 1 and isinstance(first, Mask) and starts[0][0][0] == frame.today:
            starts = starts[:1]
        return tuple(_joined(start, last, frame) for start in starts)

    return Anchor(resolve, period=True, within=_weekdays_between(first, last))


def _weekdays_between(first: DaySpec, last: DaySpec) -> Mask | None:
    if not (_is_weekday(first) and _is_weekday(last)):
        return None
    a, b = min(first.weekdays or {0}), min(last.weekdays or {0})  # type: ignore[union-attr]  # both are masks
    return Mask(weekdays=frozenset((a + n) % 7 for n in range((b - a) % 7 + 1)), many=True)


def _is_weekday(day: DaySpec) -> bool:
    return isinstance(day, Mask) and bool(day.weekdays) and not (day.dated or day.month or day.typo)


def _with_month(first: DaySpec, last: DaySpec) -> DaySpec:
    """Thus "the 5th to the 8th of January": the month belongs to both."""
    if isinstance(first, Mask) and isinstance(last, Mask) and first.dated and first.month is None and last.month:
        return Mask(day=first.day, month=last.month, year=last.year, weekdays=first.weekdays)
    return first


def _joined(start: Days, last: DaySpec, frame: Frame) -> Days:
    end = resolve_days(last, frame.at(start[0][0]))[0]
    return ((start[0][0], max(end[-1][1], start[0][0])),)


def _month_days(month: Token, first: Token, last: Token) -> Anchor:
    return through(Mask(day=first.value, month=month.value), Mask(day=last.value))


def _days_month(first: Token, last: Token, month: Token) -> Anchor:
    return through(Mask(day=first.value, month=month.value), Mask(day=last.value))


def _pair(month: Token, one: Token, two: Token) -> Anchor:
    return either(Mask(day=one.value, month=month.value), Mask(day=two.value, month=month.value))


def _inside(first: DaySpec, last: DaySpec) -> Anchor:
    """Thus "between Christmas and New Year": the days after the one and before the other."""
    whole = through(first, last)

    def shrink(days: Days) -> Days:
        (a, b), *_ = days
        return ((a + timedelta(1), b - timedelta(1)),) if (b - a).days > 1 else days

    return Anchor(each(whole, shrink), period=True)


def _around(days: Days) -> Days:
    """Thus "around the 20th": two days either way."""
    return ((days[0][0] - timedelta(2), days[-1][1] + timedelta(2)),)


def either(*specs: DaySpec) -> Anchor:
    """Several days of which any will do, in order."""
    return Anchor(lambda f: (tuple(span for s in specs for span in resolve_days(s, f)[0]),))


SPAN_RULES: tuple[Rule, ...] = (
    rule("SPAN", "the? week|days|time? between HOLIDAY and|& HOLIDAY", _inside),
    rule("SPAN", "between EDGE and|to|-|& EDGE", through),
    rule("SPAN", "any? from? EDGE -|until|through EDGE", through),
    rule("SPAN", "from? EDGE to EDGE", lambda a, b: replace(through(a, b), target=b)),
    rule("SPAN", "MONTH NTHISH|DOM -|to|through|until the? NTHISH|DOM", _month_days),
    rule("SPAN", "between MONTH the? NTHISH|DOM and the? NTHISH|DOM", _month_days),
    rule("SPAN", "from|between? the? NTHISH|DOM -|to|through|until|and the? NTHISH|DOM of? MONTH", _days_month),
    rule("SPAN", "on? the? NTHISH|DOM or|and|, the? NTHISH|DOM of? MONTH", lambda a, b, m: _pair(m, a, b)),
    rule("SPAN", "on? MONTH the? NTHISH|DOM or|and|/ the? NTHISH|DOM", _pair),
    rule("SPAN", "on? MONTH the? NTHISH|DOM , the? NTHISH", _pair),
    rule("SPAN", "NTHISH - NTHISH", lambda a, b: through(Mask(day=a.value), Mask(day=b.value))),
    rule("SPAN", "any? time? sometime? anytime? before EDGE", lambda d: until(d, included=False)),
    rule("SPAN", "earlier|sooner than EDGE", lambda d: until(d, included=False)),
    rule("SPAN", "any? time? sometime? anytime? by|until|through EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "no|not later than EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "not after|past EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "between|from now and|to|until|- EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "up to|until EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "EDGE at? the? latest", lambda d: until(d, included=True)),
    rule("SPAN", "EDGE or|and before|earlier|sooner", lambda d: until(d, included=True)),
    rule("SPAN", "any? time? sometime? anytime? after|past|following EDGE", lambda d: since(d, included=False)),
    rule("SPAN", "on or|and after|from EDGE", lambda d: since(d, included=True)),
    rule("SPAN", "on or|and before|by EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "somewhere|sometime? around|about|near|circa DATE", lambda d: Anchor(each(d, _around), period=True)),
    rule("SPAN", "later than EDGE", lambda d: since(d, included=False)),
    rule("SPAN", "from|starting|beginning from|on? EDGE onward|forward?", lambda d: since(d, included=True)),
    rule("SPAN", "EDGE onward|forward", lambda d: since(d, included=True)),
    rule("SPAN", "EDGE or|and after|later|onward", lambda d: since(d, included=True)),
    rule("SPAN", "EDGE at? the? earliest", lambda d: since(d, included=True)),
    rule("SPAN", "no|not earlier|sooner than EDGE", lambda d: since(d, included=True)),
    rule("SPAN", "can|could|will? wait until EDGE", lambda d: since(d, included=True)),
    rule(
        "SPAN", "the? earliest|soonest i|we can|could do|make|come|manage? is EDGE", lambda d: since(d, included=True)
    ),
    rule("SPAN", "the? latest i|we can|could do|make|come|manage? is EDGE", lambda d: until(d, included=True)),
    rule("SPAN", "hold off until EDGE", lambda d: since(d, included=True)),
    rule("SPAN", "not before|until EDGE", lambda d: since(d, included=True)),
    rule("EDGE", "DAY", lambda d: None if isinstance(d, Anchor) and (d.any or d.soon) else d),
)
