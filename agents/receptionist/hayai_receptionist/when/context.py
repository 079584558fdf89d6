"""Days and moments reckoned from the window under discussion, or from what the same message named before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.when.amounts import Length, Offset
from hayai_receptionist.when.days import each, single
from hayai_receptionist.when.frame import OPEN_END, Anchor, Days, DaySpec, Doubt, Frame, Mask
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import matching, monday_of, one_day, resolve_days
from hayai_receptionist.when.relative import beside, weekday_beside, weekday_week

if TYPE_CHECKING:
    from hayai_receptionist.when.tokens import Token


def _context(n: int) -> Anchor:
    return Anchor(single(lambda f: f.context_day + timedelta(n)), step=n)


def _same_day(day: DaySpec) -> Anchor:
    """Thus "the same day the following week": the weekday under discussion; after a single day it is that day."""
    if not isinstance(day, Anchor) or not day.period:
        return beside(0, day)

    def resolve(frame: Frame) -> tuple[Days, ...]:
        weekday = Mask(weekdays=frozenset({frame.context_day.weekday()}))
        return tuple(matching(weekday, d[0][0], d[-1][1]) for d in resolve_days(day, frame))

    return Anchor(resolve)


def _after_context() -> Anchor:
    """Thus "any day after that": from the day after the one under discussion, or named before, on."""

    def resolve(frame: Frame) -> tuple[Days, ...]:
        first = frame.context_day + timedelta(1)
        return (((first, first + timedelta(OPEN_END)),),)

    return Anchor(resolve, period=True, bound="low", step=0)


def _weekday_of_context(sign: int, weekday: Token) -> Anchor:
    """Thus "the Monday after": after the day under discussion, or the one named before."""
    there = Anchor(single(lambda f: f.context_day))
    return Anchor(weekday_beside(sign, weekday, there).resolve, echo=lambda day: weekday_beside(sign, weekday, day))


def _weekday_in_context_week(weekday: Token) -> Anchor:
    """Thus "the Thursday of that week": of the week under discussion, or of the day named before."""

    def of(day: DaySpec) -> Anchor:
        return Anchor(each(day, lambda days: one_day(monday_of(days[0][0]) + timedelta(weekday.value))))

    return Anchor(of(Anchor(single(lambda f: f.context_day))).resolve, echo=of)


def _context_week(n: int) -> Anchor:
    def resolve(frame: Frame) -> tuple[Days, ...]:
        monday = monday_of(frame.context_day) + timedelta(7 * n)
        return (((monday, monday + timedelta(6)),),)

    return Anchor(resolve, period=True, step=7 * n)


def _rest_of_context(how: str) -> Anchor:
    """Thus "later that week": the days after the one under discussion, up to Sunday."""

    def resolve(frame: Frame) -> tuple[Days, ...]:
        day = frame.context_day if frame.context else frame.today
        monday = monday_of(day)
        first, last = (day + timedelta(1), monday + timedelta(6)) if how == "later" else (monday, day - timedelta(1))
        if first > last:
            raise Doubt("Which day would you like?", "nothing is left of that week")
        return (((first, last),),)

    return Anchor(resolve, period=True)


def week_beside(n: int, day: DaySpec) -> Anchor:
    """The whole week so many days from the one that holds the days named."""

    def pick(days: Days) -> Days:
        monday = monday_of(days[0][0]) + timedelta(n)
        return ((monday, monday + timedelta(6)),)

    return Anchor(each(day, pick), period=True)


def _later(length: Length, sign: int) -> Offset | Anchor | None:
    if length.vague:
        return None
    return Offset(length, sign, later=True)


def _next_day(frame: Frame) -> tuple[Days, ...]:
    day = frame.context_day if frame.context else frame.today
    return (one_day(day + timedelta(1)),)


def _weekday_week_after(token: Token, _: Token | None) -> Anchor:
    """Thus "the Friday after this one": a week after the coming one."""
    return weekday_week(token)


CONTEXT_RULES: tuple[Rule, ...] = (
    rule("DAY", "the? day after|following that|then?", lambda: _context(1)),
    rule("DAY", "any|anytime|the? day|days|date after|following that|then|this", _after_context),
    rule("DAY", "the|that one after|following that?", lambda: Anchor(_context(7).resolve, step=7)),
    rule("DAY", "the WD after|following that|then?", lambda t: _weekday_of_context(1, t)),
    rule("DAY", "the WD after this one|WD?", _weekday_week_after),
    rule("DAY", "the next one", lambda: Anchor(_context(7).resolve, step=7)),
    rule("DAY", "the WD before that|then?", lambda t: _weekday_of_context(-1, t)),
    rule("DAY", "the? day before that|then?", lambda: _context(-1)),
    rule("DAY", "the following day", lambda: _context(1)),
    rule("DAY", "the previous day", lambda: _context(-1)),
    rule("DAY", "the? next day", lambda: Anchor(_next_day)),
    rule("DAY", "on? that day", lambda: _context(0)),
    rule("DAY", "on? that|the? same day", lambda: Anchor(_context(0).resolve, echo=_same_day)),
    rule("DAY", "on? the? same day|weekday ,? in|of? PERIOD", _same_day),
    rule("DAY", "on? the? same day|weekday ,? in|of? the? following week", lambda: _same_day(_context_week(1))),
    rule("DAY", "on? the? same day|weekday ,? in|of? the? week after", lambda: _same_day(_context_week(1))),
    rule("DAY", "that same? week", lambda: _context_week(0)),
    rule("DAY", "on? the? WD of|in? that|the same? week", _weekday_in_context_week),
    rule("DAY", "the same week", lambda: _context_week(0)),
    rule("DAY", "=later|earlier on|in? that|the same? week", _rest_of_context),
    rule("DAY", "the? week after that|then?", lambda: _context_week(1)),
    rule("DAY", "the week before that|then?", lambda: _context_week(-1)),
    rule("DAY", "the? following week", lambda: _context_week(1)),
    rule("OFFSET", "LENGTH later|after", lambda n: _later(n, 1)),
    rule("OFFSET", "LENGTH after that|then", lambda n: _later(n, 1)),
    rule("OFFSET", "LENGTH earlier|sooner", lambda n: _later(n, -1)),
    rule("OFFSET", "LENGTH before that?", lambda n: _later(n, -1)),
    rule("OFFSET", "push|move|put|shift|slide it|that|this|me? back|out by? LENGTH", lambda n: _later(n, 1)),
    rule("OFFSET", "push|move|put|shift|make it|that|this|mine LENGTH back|later", lambda n: _later(n, 1)),
    rule("OFFSET", "push|move|put|shift|make|bring it|that|this|mine LENGTH earlier|sooner", lambda n: _later(n, -1)),
    rule("OFFSET", "move|bump it|that|this|me|mine? up by? LENGTH", lambda n: _later(n, -1)),
    rule("OFFSET", "bring|pull it|that|this|me? forward|up|in by? LENGTH", lambda n: _later(n, -1)),
)
