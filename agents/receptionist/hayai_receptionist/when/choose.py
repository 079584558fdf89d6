"""Which half of the day a clock time means, by what was said beside it and by when the business is open."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from dataclasses import dataclass

from hayai_receptionist.when.clock import BANDS, HALVES, MIDNIGHT, Clock, Times

Span = tuple[int, int]
SMALL_HOURS = 5 * 60
"""A bare hour read as earlier than this is asked about, whatever part of the day was named."""


@dataclass(frozen=True)
class Stretch:
    """From `low` up to before `high`, in minutes after midnight; `precise` when a clock time was named."""

    low: int
    high: int
    precise: bool = False


def stretches(times: Times | None, hours: Span, *, dated: bool) -> tuple[Stretch, ...]:
    """The alternative stretches of one day; empty when what was said cannot hold together.

    `hours` are the opening and closing that decide a bare hour.
    """
    if times is None:
        return (Stretch(0, 1440),)
    band = _band(times.bands, hours)
    if band is None:
        return ()
    if times.at:
        return _at(times.at, times.bands, hours, dated=dated)
    if times.low and times.high:
        return _clipped(_between(times.low, times.high, times.bands, hours), band)
    return _bounded(times, band, hours)


def _bounded(times: Times, band: Span, hours: Span) -> tuple[Stretch, ...]:
    """From a time on, up to a time, or just the part of the day."""
    if times.low:
        return _clipped(tuple((m, 1440) for m in readings(times.low, times.bands, hours)), band)
    if times.high:
        return _clipped(tuple((0, m) for m in readings(times.high, times.bands, hours)), band)
    return (Stretch(*band),)


def _clipped(pairs: tuple[Span, ...], band: Span) -> tuple[Stretch, ...]:
    kept = ((max(a, band[0]), min(b, band[1])) for a, b in pairs)
    return tuple(Stretch(a, b) for a, b in kept if a < b)


def _at(clock: Clock, bands: tuple[str, ...], hours: Span, *, dated: bool) -> tuple[Stretch, ...]:
    if clock == MIDNIGHT:
        minutes: tuple[int, ...] = (0, 1440) if dated and "night" not in bands else (1440,)
    else:
        minutes = readings(clock, bands, hours)
    if len(minutes) == 1 and minutes[0] < SMALL_HOURS and not (clock.half or clock.fixed):
        minutes = (*minutes, *(m for m in clock.minutes if m not in minutes))
    return tuple(Stretch(m, m + (30 if clock.about else 1), precise=True) for m in minutes)


def readings(clock: Clock, bands: tuple[str, ...], hours: Span) -> tuple[int, ...]:
    """Minutes after midnight that the clock time may mean; more than one is a doubt, none a contradiction."""
    found = clock.minutes
    halves = [
        HALVES[word] for band in bands if ((word := band.split()[-1]) in HALVES and " " not in band) or _how(band)
    ]
    if halves:
        return tuple(m for m in found if all(a <= m < b for a, b in halves))
    if len(found) == 1:
        return found
    first, last = hours
    strict = tuple(m for m in found if first <= m < last)
    if len(strict) == 1:
        return strict
    return tuple(m for m in found if first <= m <= last) or _nearest(found, hours)


def _nearest(found: tuple[int, ...], hours: Span) -> tuple[int, ...]:
    """Of readings when nobody is there, the one much nearer to the opening hours: the calendar will say "closed"."""
    first, last = hours
    away = [max(first - m, m - last) for m in found]
    return tuple(m for m, far in zip(found, away, strict=True) if far < 2 * min(away))


def _how(band: str) -> bool:
    return band.split(maxsplit=1)[0] in {"early", "mid", "late"}


def _between(low: Clock, high: Clock, bands: tuple[str, ...], hours: Span) -> tuple[Span, ...]:
    """Pairs in order and not longer than half a day; those within opening hours win, then those touching them."""
    lows = readings(low, bands, hours) if bands else low.minutes
    highs = readings(high, bands, hours) if bands else high.minutes
    pairs = tuple((a, b) for a in lows for b in highs if a < b and (b - a < 720 or len(lows) + len(highs) == 2))
    first, last = hours
    within = tuple(p for p in pairs if first <= p[0] and p[1] <= last)
    if not within and first <= low.minutes[-1] < last and first <= high.minutes[-1] < last and len(lows) > 1:
        return ()  # Thus "from 4 to 2": each hour has a reading within opening hours, but not in this order.
    touching = tuple(p for p in pairs if p[0] <= last and p[1] > first)
    return within or touching or pairs


def _band(bands: tuple[str, ...], hours: Span) -> Span | None:
    low, high = 0, 1440
    for band in bands:
        a, b = edge(band, hours)
        low, high = max(low, a), min(high, b)
    return (low, high) if low < high else None


def edge(band: str, hours: Span) -> Span:
    """A part of the day in minutes; "opening" is the first hour, "closing" the last two."""
    first, last = hours
    if band == "opening":
        return first, min(first + 60, last)
    if band == "closing":
        return max(first, last - 120), last
    return BANDS[band]
