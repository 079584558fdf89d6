"""Clauses to windows: days times hours, exclusions cut out, every doubt kept with its readings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.when.ask import which, window_words
from hayai_receptionist.when.choose import Stretch, edge, stretches
from hayai_receptionist.when.clause import Clause
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.combine import clause_days, daily
from hayai_receptionist.when.fill import framing
from hayai_receptionist.when.frame import OPEN_END, Anchor, Days, Doubt, Frame, Mask
from hayai_receptionist.when.lean import in_context_week, same_weekday, with_context
from hayai_receptionist.when.masks import matching, resolve_days
from hayai_receptionist.when.relative import moved
from hayai_receptionist.when.wall import Interval, instant, past_window, window, without

if TYPE_CHECKING:
    from hayai_receptionist.when.amounts import Offset
    from hayai_receptionist.when.window import Window

EXCLUDED_BANDS = {"morning": (0, 720), "afternoon": (720, 1020), "evening": (1020, 1440), "night": (1020, 1440)}


@dataclass
class Outcome:
    """What the clauses come to: windows of the likeliest reading, and the first doubt with its choices."""

    windows: list[Window] = field(default_factory=list)
    question: str | None = None
    choices: tuple[Window, ...] = ()
    reason: str = ""

    def doubt(self, question: str, reason: str, choices: tuple[Window, ...] = ()) -> None:
        """Keep the first doubt: one question at a time."""
        if self.question is None:
            self.question, self.reason, self.choices = question, reason, choices


def resolve(wishes: list[Clause], exclusions: list[Clause], frame: Frame) -> Outcome:
    """Everything that was asked for, less everything that was excluded."""
    outcome = Outcome()
    holes = _holes(exclusions, frame, outcome)
    for clause in wishes or ([_everything(exclusions)] if exclusions else []):
        try:
            _resolve_clause(clause, holes, frame, outcome)
        except Doubt as doubt:
            outcome.doubt(doubt.question, doubt.reason, _choices(doubt, clause, frame))
    outcome.windows = list(dict.fromkeys(outcome.windows))
    return outcome


def _everything(exclusions: list[Clause]) -> Clause:
    """What is left to wish for when only exclusions were said: "anything but mornings next week" is next week."""
    return Clause(days=next((days for c in exclusions if (days := framing(c))), []))


def _resolve_clause(clause: Clause, holes: list[Interval], frame: Frame, outcome: Outcome) -> None:
    readings = _alternatives(clause, frame)
    built = [b for r in readings if (b := _built(without(r, holes), frame))]
    if not built:
        _nothing_left(readings, holes, frame, outcome)
        return
    outcome.windows.extend(built[0])
    firsts = tuple(dict.fromkeys(b[0] for b in built))
    if len(firsts) > 1:
        outcome.doubt(which(firsts), "two readings", firsts)


def _built(intervals: list[Interval], frame: Frame) -> list[Window]:
    return [w for each in intervals if (w := window(each, frame.now))]


def _nothing_left(readings: list[list[Interval]], holes: list[Interval], frame: Frame, outcome: Outcome) -> None:
    intervals = [i for r in readings for i in r]
    if not intervals:
        outcome.doubt("Those times do not agree. What time of day would you like?", "times contradict each other")
    elif holes and any(_built([i], frame) for i in intervals):
        outcome.doubt("That leaves no time at all. Which day would you like?", "everything was excluded")
    else:
        gone = past_window(intervals[0], frame.now)
        outcome.windows.append(gone)
        question = f"{_capital(window_words(gone))} is already in the past. Which day and time would you like instead?"
        outcome.doubt(question, "in the past")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _alternatives(clause: Clause, frame: Frame) -> list[list[Interval]]:
    if clause.offset:
        there = _offset(clause.offset, frame)
        if clause.offset.length.clock or clause.times is None or clause.times == Times():
            return [[there]]
        return _timed(((there.start.date(), there.start.date()),), with_context(clause.times, frame), frame, dated=True)
    if clause.instead:
        clause = replace(clause, days=in_context_week(clause.days, frame))
    if clause.times and clause.times.same:
        clause = replace(clause, days=same_weekday(clause.days, frame))
    times = with_context(clause.times, frame)
    _check(times)
    if deadline := _deadline(clause, times):
        return [[_up_to(deadline, day, minute, frame)] for day, minute in _moments(deadline, times, frame)]
    dated = bool(clause.days) or frame.context is not None
    result = []
    for days in clause_days(clause.days, frame):
        whole = times is None or times == Times()
        if whole:
            result.append([_whole(span) for span in days])
        else:
            result.extend(_timed(days, times, frame, dated=dated))
    return result


def _deadline(clause: Clause, times: Times | None) -> Anchor | None:
    """The open end that a clock time sharpens: "by Tuesday noon", "after Monday at 10"."""
    if not times or not (times.at or times.edge) or clause.times_first or len(clause.days) != 1:
        return None
    day = clause.days[0]
    return day if isinstance(day, Anchor) and day.bound and day.target else None


def _moments(deadline: Anchor, times: Times | None, frame: Frame) -> list[tuple[date, int]]:
    found = [days[0][0] for days in resolve_days(deadline.target, frame)] if deadline.target else []
    late = bool(times and times.edge) and (deadline.bound == "high") == deadline.closed
    reached = [(day, s) for day in found for s in stretches(times, frame.hours.span(day), dated=True)]
    return [(day, s.high if late else s.low) for day, s in reached]


def _up_to(deadline: Anchor, day: date, minute: int, frame: Frame) -> Interval:
    moment = _midnight(day) + timedelta(minutes=minute)
    if deadline.bound == "high":
        begin = min(_midnight(frame.today), _midnight(day))
        return Interval(begin, max(moment, begin + timedelta(minutes=1)))
    return Interval(moment, _midnight(day + timedelta(OPEN_END + 1)))


def _check(times: Times | None) -> None:
    clocks = (times.at, times.low, times.high) if times else ()
    for clock in clocks:
        if clock and not clock.valid:
            half = f" {clock.half}" if clock.half else ""
            said = f"{clock.hour}:{clock.minute:02d}{half}"
            raise Doubt(f"{said} is not a time of day. What time would you like?", "no such time of day")


def _timed(days: Days, times: Times | None, frame: Frame, *, dated: bool) -> list[list[Interval]]:
    """The times on each day, one list for every reading of the clock."""
    options = [(day, stretches(times, frame.hours.span(day), dated=dated)) for day in _each_day(days, frame)]
    count = max((len(found) for _, found in options), default=0)
    return [[_on(day, found[min(k, len(found) - 1)]) for day, found in options if found] for k in range(count)]


def _each_day(days: Days, frame: Frame) -> list[date]:
    """All days of the spans; of a longer stretch only those on which the business opens."""
    every = [a + timedelta(n) for a, b in days for n in range((b - a).days + 1)]
    if len(every) == 1:
        return every
    return [d for d in every if frame.hours.is_open(d)] or every


def _whole(span: tuple[date, date]) -> Interval:
    return Interval(_midnight(span[0]), _midnight(span[1] + timedelta(1)))


def _on(day: date, stretch: Stretch) -> Interval:
    start = _midnight(day)
    return Interval(start + timedelta(minutes=stretch.low), start + timedelta(minutes=stretch.high), stretch.precise)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _offset(offset: Offset, frame: Frame) -> Interval:
    base = frame.now
    if offset.later:
        if frame.context is None:
            raise Doubt("Which day and time would you like?", "reckoned from a time that was not named yet")
        base = frame.context.start
    length = offset.length
    if not length.clock:
        day = moved(base.date(), length, offset.sign)
        if frame.context and frame.context.precise:
            start = datetime.combine(day, base.time())
            return Interval(start, start + timedelta(minutes=1), precise=True)
        return _whole((day, day))
    if offset.later and frame.context and not frame.context.precise:
        raise Doubt("What time would you like?", "reckoned from a time that was not named yet")
    there = (instant(base) + timedelta(minutes=offset.sign * length.minutes)).astimezone(base.tzinfo)
    start = there.replace(tzinfo=None, second=0, microsecond=0)
    if there.second or there.microsecond:
        start += timedelta(minutes=1)
    return Interval(start, start + timedelta(minutes=1), precise=True)


def _holes(exclusions: list[Clause], frame: Frame, outcome: Outcome) -> list[Interval]:
    holes: list[Interval] = []
    for clause in exclusions:
        try:
            holes.extend(_hole(clause, frame))
        except Doubt as doubt:
            outcome.doubt(doubt.question, doubt.reason)
    return holes


def _hole(clause: Clause, frame: Frame) -> list[Interval]:
    """What one exclusion forbids: "not mornings" is everything before noon."""
    days = _excluded_days(clause, frame)
    if clause.times is None:
        return [_whole(span) for found in days for span in found]
    every = [d for found in days for a, b in found for n in range((b - a).days + 1) if (d := a + timedelta(n))]
    return [_on(day, s) for day in every for s in _forbidden(clause.times, frame, day)]


def _excluded_days(clause: Clause, frame: Frame) -> tuple[Days, ...]:
    """Thus "not Monday" rules out every Monday in reach; a date rules out itself."""
    if not clause.days:
        return (daily(frame),)
    spec = clause.days[0]
    if len(clause.days) == 1 and isinstance(spec, Mask) and spec.weekdays and not spec.dated and not spec.month:
        return (matching(spec, frame.today, frame.today + timedelta(OPEN_END)),)
    return clause_days(clause.days, frame)


def _forbidden(times: Times, frame: Frame, day: date) -> tuple[Stretch, ...]:
    hours = frame.hours.span(day)
    if times.bands and not (times.at or times.low or times.high):
        band = times.bands[-1]
        return (Stretch(*EXCLUDED_BANDS.get(band, edge(band, hours))),)
    return stretches(times, hours, dated=True)[:1]


def _choices(doubt: Doubt, clause: Clause, frame: Frame) -> tuple[Window, ...]:
    """The days that a doubt offers, at the time that was named with them."""
    offered: list[Window] = []
    for days in doubt.choices:
        fixed = Anchor(lambda _, days=days: (days,))  # type: ignore[misc]  # the default binds this turn's days
        try:
            readings = _alternatives(Clause(days=[fixed], times=clause.times), frame)
            offered.extend(w for r in readings[:1] for w in _built(r, frame)[:1])
        except Doubt:
            continue
    return tuple(offered)
