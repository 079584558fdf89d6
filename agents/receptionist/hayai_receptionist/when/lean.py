"""Hours and days that lean on the window under discussion: "the same time", "later", "Thursday instead"."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.when.clock import Clock, Times
from hayai_receptionist.when.frame import Anchor, DaySpec, Doubt, Frame, Mask
from hayai_receptionist.when.masks import matching, monday_of

if TYPE_CHECKING:
    from hayai_receptionist.when.window import Window


def with_context(times: Times | None, frame: Frame) -> Times | None:
    """Thus "the same time", "later" and "earlier" take their hour from the window under discussion."""
    if times is not None and times.same and times.at:
        times = replace(times, same=False)
    if times is None or not (times.same or times.shift or times.past is not None):
        return times
    context = frame.context
    if times.past is not None:
        return replace(times, at=_past_hour(times.past, context), past=None)
    if context is None:
        if times.same:
            raise Doubt("What time would you like?", "refers to a time that was not named yet")
        raise Doubt("What time of day would suit you?", "later or earlier than a time that was not named")
    if times.same:
        clock = Clock(context.start.hour, context.start.minute, fixed=True)
        if context.precise:
            return replace(times, at=clock, same=False)
        return replace(times, low=clock, high=_end_clock(context), same=False)
    if times.shift in {"later", "from"}:
        after = context.start + timedelta(minutes=1) if context.precise else context.end
        after = context.start if times.shift == "from" else after
        return replace(times, low=Clock(after.hour, after.minute, fixed=True), shift="")
    return replace(times, high=Clock(context.start.hour, context.start.minute, fixed=True), shift="")


def _past_hour(minutes: int, context: Window | None) -> Clock:
    """Thus "make it quarter past" while two o'clock is under discussion."""
    if context is None or not context.precise or context.start.minute:
        raise Doubt("What time would you like?", "minutes past an hour that was not named")
    return Clock(context.start.hour, minutes, fixed=True)


def same_weekday(days: list[DaySpec], frame: Frame) -> list[DaySpec]:
    """Thus "the same time next week": on the weekday under discussion, a week on from it or from today."""
    weeks = [d for d in days if isinstance(d, Anchor) and d.period and not d.bound]
    if not weeks or len(weeks) < len(days) or frame.context is None or frame.context_days:
        return days
    return [*days, Mask(weekdays=frozenset({frame.context_day.weekday()}))]


def in_context_week(days: list[DaySpec], frame: Frame) -> list[DaySpec]:
    """Thus "Thursday instead": of the week under discussion, if that Thursday is yet to come."""
    day = days[0] if len(days) == 1 else None
    if frame.context is None or not isinstance(day, Mask) or not day.weekdays or day.dated or day.typo:
        return days
    monday = monday_of(frame.context_day)
    there = matching(day, max(monday, frame.today), monday + timedelta(6))
    return [Anchor(lambda _: (there,))] if there else days


def _end_clock(context: Window) -> Clock:
    end = context.end
    return (
        Clock(end.hour or 24, end.minute, fixed=True)
        if end.hour or not end.minute
        else Clock(0, end.minute, fixed=True)
    )
