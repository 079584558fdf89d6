"""Weeks, weekends, months and their parts: "end of next week", "early next month", "the week of the 7th"."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from datetime import date, timedelta

from hayai_receptionist.when.days import each
from hayai_receptionist.when.frame import OPEN_END, REACH, Anchor, Days, DaySpec, Frame, Mask
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import matching, monday_of, month_span, nearest, one_day
from hayai_receptionist.when.tokens import Token


def _weeks_ahead(n: int) -> Anchor:
    def resolve(frame: Frame) -> tuple[Days, ...]:
        monday = monday_of(frame.today) + timedelta(7 * n)
        return (((max(monday, frame.today), monday + timedelta(6)),),)

    return Anchor(resolve, period=True)


def _months_ahead(n: int) -> Anchor:
    def resolve(frame: Frame) -> tuple[Days, ...]:
        index = frame.today.year * 12 + frame.today.month - 1 + n
        first, last = month_span(index // 12, index % 12 + 1)
        return (((max(first, frame.today), last),),)

    return Anchor(resolve, period=True)


def _year_ahead(n: int) -> Anchor:
    def resolve(frame: Frame) -> tuple[Days, ...]:
        year = frame.today.year + n
        return (((max(date(year, 1, 1), frame.today), date(year, 12, 31)),),)

    return Anchor(resolve, period=True)


def _this_weekend(frame: Frame) -> tuple[Days, ...]:
    saturday = monday_of(frame.today) + timedelta(5)
    return (((max(saturday, frame.today), saturday + timedelta(1)),),)


def _next_weekend(frame: Frame) -> tuple[Days, ...]:
    saturday = monday_of(frame.today) + timedelta(5)
    later = ((saturday + timedelta(7), saturday + timedelta(8)),)
    if frame.today.weekday() >= 5:
        return (later,)
    return ((saturday, saturday + timedelta(1)),), later


def _weekend_of(period: DaySpec) -> Anchor:
    def pick(days: Days) -> Days:
        return matching(Mask(weekdays=frozenset({5, 6})), days[0][0], days[-1][1])

    return Anchor(each(period, pick), period=True)


def _weekend_around(days: Days) -> Days:
    """Thus "the weekend of the 13th": the Saturday and Sunday of that week."""
    saturday = monday_of(days[0][0]) + timedelta(5)
    return ((saturday, saturday + timedelta(1)),)


def _weekend_beside(sign: int, day: DaySpec) -> Anchor:
    """Thus "the weekend before Christmas": the last Saturday and Sunday before it."""

    def pick(days: Days) -> Days:
        saturday = nearest(5, days[-1][1] + timedelta(1)) if sign > 0 else nearest(5, days[0][0] - timedelta(8))
        return ((saturday, saturday + timedelta(1)),)

    return Anchor(each(day, pick), period=True)


UNITS_AHEAD = {"week": _weeks_ahead, "month": _months_ahead, "year": _year_ahead}


def _both(unit: str, frame: Frame) -> tuple[Days, ...]:
    """Thus "this week or next"."""
    return ((*UNITS_AHEAD[unit](0).resolve(frame)[0], *UNITS_AHEAD[unit](1).resolve(frame)[0]),)


PARTS_OF_WEEK = {"early": (0, 1), "mid": (1, 3), "late": (3, 4)}
PARTS_OF_MONTH = {"early": (1, 10), "mid": (11, 20), "late": (21, 31)}
HOW = {
    "early": "early", "earlier": "early", "beginning": "early", "start": "early", "top": "early",
    "mid": "mid", "late": "late", "end": "late", "later": "later", "tail": "late", "latter": "late", "rest": "rest",
}  # fmt: skip


def _part(how: str, period: DaySpec) -> Anchor:
    """A part of a week (Monday and Tuesday, Tuesday to Thursday, Thursday and Friday) or of a longer period."""

    def pick_from(frame: Frame) -> tuple[Days, ...]:
        return each(period, lambda days: _part_of(HOW[how], days, frame.today))(frame)

    return Anchor(pick_from, period=True)


def _part_of(how: str, days: Days, today: date) -> Days:
    first, last = days[0][0], days[-1][1]
    if how == "rest":
        return ((first, last),)
    if how == "later":
        low = today + timedelta(1) if first <= today <= last else first + timedelta((last - first).days // 2)
        return ((min(low, last), last),)
    if (last - first).days < 7:
        monday = monday_of(last)
        low, high = (monday + timedelta(n) for n in PARTS_OF_WEEK[how])
    elif last.day < 32 and (last - first).days <= 31:
        a, b = PARTS_OF_MONTH[how]
        low, high = last.replace(day=a), last.replace(day=min(b, last.day))
    else:
        low, high = _part_of_long(how, first, last)
    return ((max(low, today), high),) if high >= today else ((low, high),)


def _part_of_long(how: str, first: date, last: date) -> tuple[date, date]:
    """Of a year: its first three months, the four in the middle, its last three."""
    months = {"early": (1, 3), "mid": (5, 8), "late": (10, 12)}[how]
    low, high = (month_span(last.year, m) for m in months)
    return max(first, low[0]), max(first, high[1])


def _nth_week(nth: Token | str, period: DaySpec) -> Anchor:
    """Thus "the first week of December" is its first seven days; the last week its last seven."""

    def pick(days: Days) -> Days:
        last = days[-1][1]
        if nth == "last":
            return ((last - timedelta(6), last),)
        low = days[0][0].replace(day=1) + timedelta(7 * (nth.value - 1 if isinstance(nth, Token) else 0))
        return ((low, min(low + timedelta(6), last)),)

    return Anchor(each(period, pick), period=True)


def _edge_day(which: str, period: DaySpec) -> Anchor:
    """Thus "the last day of the month"."""
    return Anchor(each(period, lambda days: one_day(days[-1][1] if which == "last" else days[0][0].replace(day=1))))


def _half(which: str, period: DaySpec) -> Anchor:
    """Thus "the first half of March" ends on its fifteenth; of a week, on its Wednesday."""

    def pick(days: Days) -> Days:
        first, last = days[0][0], days[-1][1]
        middle = monday_of(last) + timedelta(2) if (last - first).days < 7 else last.replace(day=15)
        return ((first, max(first, middle)),) if which == "first" else ((max(first, middle + timedelta(1)), last),)

    return Anchor(each(period, pick), period=True)


def _week_with(day: DaySpec, shift: int = 0) -> Anchor:
    def pick(days: Days) -> Days:
        monday = monday_of(days[0][0]) + timedelta(7 * shift)
        return ((monday, monday + timedelta(6)),)

    return Anchor(lambda f: tuple(_clip(d, f) for d in each(day, pick)(f)), period=True)


def _clip(days: Days, frame: Frame) -> Days:
    return tuple((max(a, frame.today), b) for a, b in days if b >= frame.today) or days


def _open_end(frame: Frame) -> tuple[Days, ...]:
    return (((frame.today, frame.today + timedelta(OPEN_END)),),)


def _any_day(frame: Frame) -> tuple[Days, ...]:
    if frame.context_days:
        return ((frame.context_days,),)
    return (((frame.today, frame.today + timedelta(REACH - 1)),),)


def _any_time(frame: Frame) -> tuple[Days, ...]:
    """Said of a day under discussion it is any time on that day."""
    if frame.context and not frame.context.precise:
        return (one_day(frame.context_day),) if not frame.context_days else ((frame.context_days,),)
    return _any_day(frame)


PERIOD_RULES: tuple[Rule, ...] = (
    rule("PERIOD", "the? this =week|month|year", lambda u: UNITS_AHEAD[u](0)),
    rule("OURS", "the =week|month|year", lambda u: UNITS_AHEAD[u](0)),
    rule("PERIOD", "the? following =month|year", lambda u: UNITS_AHEAD[u](1)),
    rule("PERIOD", "the? next|coming =week|month|year", lambda u: UNITS_AHEAD[u](1)),
    rule("PERIOD", "the? =week|month|year after next", lambda u: UNITS_AHEAD[u](2)),
    rule("PERIOD", "this|the? coming|upcoming? weekend", lambda: Anchor(_this_weekend, period=True)),
    rule("PERIOD", "the? next weekend", lambda: Anchor(_next_weekend, period=True)),
    rule("PERIOD", "the? weekend after next", lambda: Anchor(lambda f: _after(_next_weekend(f)), period=True)),
    rule("PERIOD", "the? weekend of|in? WEEKS", _weekend_of),
    rule("PERIOD", "the? weekend of|with|around the? DATE", lambda d: Anchor(each(d, _weekend_around), period=True)),
    rule("PERIOD", "the? weekend before HOLIDAY|DATE", lambda d: _weekend_beside(-1, d)),
    rule("PERIOD", "the? weekend after|following HOLIDAY|DATE", lambda d: _weekend_beside(1, d)),
    rule("WEEKS", "next week", lambda: _weeks_ahead(1)),
    rule("WEEKS", "this week", lambda: _weeks_ahead(0)),
    rule("PERIOD", "next week weekend", lambda: _weekend_of(_weeks_ahead(1))),
    rule("PERIOD", "the? week of|beginning|starting|commencing|with the? DATE", _week_with),
    rule("PERIOD", "the? w / c|b the? DATE", _week_with),
    rule("PERIOD", "wc|wb the? DATE", _week_with),
    rule("PERIOD", "the? week of|in which DATE", _week_with),
    rule(
        "PERIOD",
        "the? week of|beginning|starting|commencing WD",
        lambda t: _week_with(Mask(weekdays=frozenset({t.value}))),
    ),
    rule("PERIOD", "the? week of HOLIDAY", _week_with),
    rule("PERIOD", "HOLIDAY week", _week_with),
    rule("PERIOD", "this =week|month or|and|/ the? next", lambda u: Anchor(lambda f: _both(u, f), period=True)),
    rule("PERIOD", "the? week after HOLIDAY|DATE", lambda d: _week_with(d, 1)),
    rule("PERIOD", "the? week before HOLIDAY|DATE", lambda d: _week_with(d, -1)),
    rule("WHOLE", "PERIOD|OURS", lambda p: p),
    rule("WHOLE", "MONTHS", lambda m: m),
    rule("DAY", "in|on|during|over|for|at|within|sometime|anytime|any|some? time? in|during|over? PERIOD", lambda p: p),
    rule("DAY", "any|some|one|a|every|each day in|of|during? PERIOD", lambda p: p),
    rule("DAY", "any day in|of|during MONTHS", lambda m: m),
    rule("DAY", "PARTOF", lambda p: p),
    rule(
        "UNTILEND", "before|by|until|till the? end of WHOLE", lambda p: Anchor(lambda f: _until_end(p, f), period=True)
    ),
    rule("SPAN", "UNTILEND", lambda d: d),
    rule("DAY", "on? the? =first|last day of|in WHOLE", _edge_day),
    rule("DAY", "in|during? the? =first|second|last half of|in WHOLE", _half),
    rule("PARTOF", f"in|at|towards|toward|by|around|sometime? the? ={'|'.join(HOW)} end|part? of|in? WHOLE", _part),
    rule("PARTOF", "in|during|for? the? =rest|remainder of PERIOD|OURS", lambda _, p: _part("rest", p)),
    rule("PARTOF", "in|during? the? ORDW week of|in WHOLE|INMONTH", _nth_week),
    rule("PARTOF", "in|during? the? =last week of|in WHOLE", _nth_week),
    rule("ORDW", "ORD", lambda t: t if t.value <= 5 else None),
    rule("PARTOF", "midweek of|in|during? WHOLE", lambda p: _part("mid", p)),
    rule("DAY", "in? midweek", lambda: _part("mid", _weeks_ahead(0))),
    rule("DAY", "m -? f", lambda: Mask(weekdays=frozenset(range(5)), many=True)),
    rule("DAY", "mwf", lambda: Mask(weekdays=frozenset({0, 2, 4}), many=True)),
    rule("DAY", "tth|tuth", lambda: Mask(weekdays=frozenset({1, 3}), many=True)),
    rule("DAY", "mid week", lambda: _part("mid", _weeks_ahead(0))),
    rule("DAY", "on? a|any|the? weekdays|weekday", lambda: Mask(weekdays=frozenset(range(5)), many=True)),
    rule("DAY", "on|during the week", lambda: Mask(weekdays=frozenset(range(5)), many=True)),
    rule("DAY", "business|working|work|week day", lambda: Mask(weekdays=frozenset(range(5)), many=True)),
    rule("DAY", "on? a|any weekend|weekends day?", lambda: Mask(weekdays=frozenset({5, 6}), many=True)),
    rule("DAY", "on? weekends", lambda: Mask(weekdays=frozenset({5, 6}), many=True)),
    rule("DAY", "as soon as possible|you|u can?", lambda: Anchor(_open_end, soon=True)),
    rule("DAY", "the? asap|immediately|soon|pronto", lambda: Anchor(_open_end, soon=True)),
    rule("DAY", "right|straight now|away", lambda: Anchor(_open_end, soon=True)),
    rule("DAY", "the? sooner|earlier the better", lambda: Anchor(_open_end, soon=True)),
    rule(
        "DAY",
        "the|your|at? the|your? first|next|earliest|soonest available|free|open|possible|convenience SLOTWORD?",
        lambda _: Anchor(_open_end, soon=True),
    ),
    rule(
        "DAY",
        "the|your|very next|first|earliest|soonest appointment|slot|opening|availability|spot|appt|gap",
        lambda: Anchor(_open_end, soon=True),
    ),
    rule("DAY", "the|at? the? earliest|soonest", lambda: Anchor(_open_end, soon=True)),
    rule(
        "DAY",
        "anything|something|whatever|whichever is? available|free|open|possible",
        lambda: Anchor(_open_end, soon=True),
    ),
    rule("SLOTWORD", "appointment|slot|opening|availability|spot|time|date|appt|one|gap", lambda: True),
    rule("DAY", "any day|days", lambda: Anchor(_any_day, any=True)),
    rule("DAY", "any|some|every other day|days|time", lambda: Anchor(_any_day, any=True)),
    rule("DAY", "every day", lambda: Anchor(_any_day, any=True)),
    rule("ANYTIME", "any|anytime|whatever|whichever time", lambda: True),
    rule("ANYTIME", "anytime", lambda: True),
    rule("DAY", "any day at? any? time? works?", lambda: Anchor(_any_day, any=True)),
    rule("DAY", "ANYTIME", lambda _: Anchor(_any_time, any=True)),
)


def _after(alternatives: tuple[Days, ...]) -> tuple[Days, ...]:
    return tuple(tuple((a + timedelta(7), b + timedelta(7)) for a, b in days) for days in alternatives)


def _until_end(period: DaySpec, frame: Frame) -> tuple[Days, ...]:
    return each(period, lambda days: ((frame.today, days[-1][1]),))(frame)
