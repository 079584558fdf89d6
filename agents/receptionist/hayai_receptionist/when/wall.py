"""Wall times to windows: zones, the hour that a spring night skips, and the one that an autumn night repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hayai_receptionist.when.ask import clock_words, day_words
from hayai_receptionist.when.frame import Doubt
from hayai_receptionist.when.window import Window


@dataclass(frozen=True)
class Interval:
    """A stretch of wall time without a zone, half-open."""

    start: datetime
    end: datetime
    precise: bool = False


def instant(moment: datetime) -> datetime:
    """An aware moment in UTC, where moments compare rightly."""
    return moment.astimezone(UTC)


def window(interval: Interval, now: datetime) -> Window | None:
    """The interval in the business's zone, from `now` on; None when it is over, or begins before when precise.

    Raises:
        Doubt: a named clock time that does not exist on that day.
    """
    start, end = _zoned(interval.start, now), _zoned(interval.end, now)
    if not interval.precise:
        start = max(start, now, key=instant)
        return Window(start, end, precise=False) if instant(start) < instant(end) else None
    if _skipped(start):
        day = day_words(start.date())
        raise Doubt(
            f"The clocks go forward on {day}, so {clock_words(start)} does not exist that day. "
            "Which other time would suit you?",
            "wall time skipped by the change of clocks",
        )
    if instant(start) < instant(now):
        start = start.replace(fold=1)
    length = interval.end - interval.start
    end = (instant(start) + length).astimezone(now.tzinfo)
    return Window(start, end, precise=True) if instant(start) >= instant(now) else None


def past_window(interval: Interval, now: datetime) -> Window:
    """The interval as said, although it is over."""
    start = _zoned(interval.start, now)
    return Window(start, (instant(start) + (interval.end - interval.start)).astimezone(now.tzinfo), interval.precise)


def _zoned(naive: datetime, now: datetime) -> datetime:
    return naive.replace(tzinfo=now.tzinfo)


def _skipped(moment: datetime) -> bool:
    return instant(moment).astimezone(moment.tzinfo).replace(tzinfo=None, fold=0) != moment.replace(tzinfo=None, fold=0)


def without(intervals: list[Interval], holes: list[Interval]) -> list[Interval]:
    """The intervals with every hole cut out; a precise one inside a hole falls away."""
    for hole in holes:
        intervals = [part for each in intervals for part in _cut(each, hole)]
    return intervals


def _cut(each: Interval, hole: Interval) -> list[Interval]:
    if hole.end <= each.start or each.end <= hole.start:
        return [each]
    if each.precise:
        return [] if hole.start <= each.start else [each]
    left = [Interval(each.start, hole.start)] if each.start < hole.start else []
    right = [Interval(hole.end, each.end)] if hole.end < each.end else []
    return left + right
