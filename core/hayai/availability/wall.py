"""Between the clock on the wall and instants, through every change of the clocks.

A wall time in the gap of a spring change belongs to no instant; one in the overlap of an autumn change to two.
An instant is open when its wall time lies within the opening, so both passes of a repeated hour count alike.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hayai.availability.spans import Span
    from hayai.schedule import Opening

_DAY = timedelta(days=1)
_LOOK = timedelta(hours=6)
"""No zone changes its offset twice within this."""
_RESOLUTION = timedelta(seconds=1)


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """The UTC instants at which clocks in `zone` show `wall` (naive), in order: none, one or two."""
    shown = ((low, high, (wall - offset).replace(tzinfo=UTC)) for low, high, offset in _stretches(zone, wall.date()))
    return [instant for low, high, instant in shown if low <= instant < high]


@lru_cache(maxsize=4096)
def opened(opens: datetime, closes: datetime, zone: ZoneInfo) -> tuple[Span, ...]:
    """The instants at which the clock shows `opens` or later but not yet `closes`; both naive, see walls()."""
    spans = (
        (max(low, (opens - offset).replace(tzinfo=UTC)), min(high, (closes - offset).replace(tzinfo=UTC)))
        for low, high, offset in _stretches(zone, opens.date())
    )
    return tuple((start, end) for start, end in spans if start < end)


@lru_cache(maxsize=4096)
def grid(opens: datetime, closes: datetime, step: timedelta, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The UTC instants at which the clock shows a whole number of steps after `opens`, up to `closes` (both naive)."""
    wall = opens
    found: list[datetime] = []
    while wall < closes:
        found += instants(wall, zone)
        wall += step
    return tuple(found)


def walls(opening: Opening, day: date) -> tuple[datetime, datetime]:
    """When it opens and closes on `day`, as naive wall times; 00:00 closes at the end of the day."""
    closes = datetime.combine(day, opening.closes)
    return datetime.combine(day, opening.opens), closes if opening.closes != time(0) else closes + _DAY


@lru_cache(maxsize=8192)
def _stretches(zone: ZoneInfo, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Stretches of one UTC offset each, that together hold every instant of the wall day and more."""
    start = datetime.combine(day, time(0), UTC) - _DAY
    end = start + 3 * _DAY
    marks = [start]
    looked = start
    while looked < end:
        following = looked + _LOOK
        if _offset(looked, zone) != _offset(following, zone):
            marks.append(_change(looked, following, zone))
        looked = following
    return tuple((low, high, _offset(low, zone)) for low, high in zip(marks, [*marks[1:], end], strict=True))


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with the offset that `after` has."""
    while after - before > _RESOLUTION:
        middle = before + (after - before) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if _offset(middle, zone) == _offset(after, zone):
            after = middle
        else:
            before = middle
    return after


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()
