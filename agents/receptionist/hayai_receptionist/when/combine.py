"""One clause's days: a weekday, a date and a period said together must agree, else it is a question."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

from hayai_receptionist.when.ask import day_words
from hayai_receptionist.when.frame import REACH, Anchor, Days, DaySpec, Doubt, Frame, Mask
from hayai_receptionist.when.masks import matching, monday_of, one_day, resolve_mask


def clause_days(days: list[DaySpec], frame: Frame) -> tuple[Days, ...]:
    """The alternative readings of the days that one clause names, the likeliest first.

    Raises:
        Doubt: they contradict each other, or one of them is a doubt by itself.
    """
    anchors = _anchors(days)
    mask = _merged([d for d in days if isinstance(d, Mask)])
    if not anchors:
        return resolve_mask(mask, frame) if mask else (daily(frame),)
    readings = _meet([a.resolve(frame) for a in anchors])
    if mask is None:
        return readings
    return _narrowed(readings, mask, anchors, frame)


def daily(frame: Frame) -> Days:
    """The days in question when none was named: those under discussion, else the next two weeks."""
    if frame.context is not None:
        last = (frame.context.end - timedelta(microseconds=1)).date()
        return ((frame.context.start.date(), max(last, frame.context.start.date())),)
    return ((frame.today, frame.today + timedelta(REACH - 1)),)


def _anchors(days: list[DaySpec]) -> list[Anchor]:
    """Thus "any" and "soonest" say nothing beside a day that was named."""
    anchors = [d for d in days if isinstance(d, Anchor)]
    named = [d for d in days if isinstance(d, Mask) or not (d.any or d.soon)]
    return [a for a in anchors if not (a.any or a.soon)] if named else anchors[:1]


def _merged(masks: list[Mask]) -> Mask | None:
    if not masks:
        return None
    merged = masks[0]
    for mask in masks[1:]:
        merged = Mask(
            merged.weekdays or mask.weekdays,
            merged.day or mask.day,
            merged.month or mask.month,
            merged.year or mask.year,
            merged.many or mask.many,
            merged.typo or mask.typo,
        )
    return merged


def _meet(readings: list[tuple[Days, ...]]) -> tuple[Days, ...]:
    met = [days for combo in product(*readings) if (days := _intersection(combo))]
    if not met:
        raise Doubt("Those days do not go together. Which day would you like?", "the days named do not meet")
    return tuple(dict.fromkeys(met))


def _intersection(combo: tuple[Days, ...]) -> Days:
    result = combo[0]
    for days in combo[1:]:
        result = tuple((max(a, c), min(b, d)) for a, b in result for c, d in days if max(a, c) <= min(b, d))
    return result


def _narrowed(readings: tuple[Days, ...], mask: Mask, anchors: list[Anchor], frame: Frame) -> tuple[Days, ...]:
    if any(a.week for a in anchors) and mask.weekdays and not mask.dated:
        return _in_that_week(readings[0], mask)
    open_ended = any(a.bound == "low" for a in anchors) and not mask.many
    kept = [found for days in readings if (found := _filtered(days, mask, first_only=open_ended))]
    if not kept:
        raise _contradiction(readings[0], mask, frame)
    return tuple(dict.fromkeys(kept))


def _filtered(days: Days, mask: Mask, *, first_only: bool) -> Days:
    plain = replace(mask, many=False, typo=())
    found = tuple(span for a, b in days for span in matching(plain, a, b))
    return found[:1] if first_only else found


def _in_that_week(days: Days, mask: Mask) -> tuple[Days, ...]:
    """Thus "Tuesday in two weeks": that of the calendar week so far ahead, or the coming one that much later."""
    there = days[0][0]
    monday = monday_of(there)
    weekday = min(mask.weekdays or {0})
    this = monday + timedelta(weekday)
    later = there + timedelta((weekday - there.weekday()) % 7)
    return tuple(one_day(d) for d in dict.fromkeys((this, later)))


def _contradiction(days: Days, mask: Mask, frame: Frame) -> Doubt:
    named = days[0][0]
    options: list[date] = [named] if days[0][0] == days[-1][1] else []
    try:
        options.append(resolve_mask(mask, frame)[0][0][0])
    except Doubt as doubt:
        return doubt
    words = " or ".join(day_words(d) for d in options)
    question = f"Those do not agree: do you mean {words}?"
    return Doubt(question, "the days named do not agree", tuple(one_day(d) for d in options))
