"""Quiet hours: when nobody is reached who did not just write to us, by the clock of where they are.

By default from 21:00 to 8:00, as 47 CFR 64.1200(c)(1) has it for calls and texts that sell; a business may keep others.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from zoneinfo import ZoneInfo

    from hayai.schedule import Opening

_ROUNDS = 48
"""Two days of openings one after the other: zones that share no hour by then never do."""
_DAY = timedelta(days=1)


def next_waking(now: datetime, zones: Collection[ZoneInfo], hours: Opening) -> datetime | None:
    """`now`, an aware instant, where it is within `hours` in each of the zones; else the first instant that is, in UTC.

    None where the zones have no such hour in common.
    """
    at = now.astimezone(UTC)
    for _ in range(_ROUNDS):
        later = max(_waking(at, zone, hours) for zone in zones)
        if later == at:
            return at
        at = later
    return None


def _waking(at: datetime, zone: ZoneInfo, hours: Opening) -> datetime:
    """`at`, or the next time that these hours begin in one zone."""
    there = at.astimezone(zone)
    if hours.opens <= there.time() and (hours.closes == time.min or there.time() < hours.closes):
        return at
    day = there.date() if there.time() < hours.opens else there.date() + _DAY
    return datetime.combine(day, hours.opens, zone).astimezone(UTC)
