"""Settles clauses: corrections override, and a clause takes a missing day or time from its neighbour."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from hayai_receptionist.when.frame import Anchor, Mask

if TYPE_CHECKING:
    from hayai_receptionist.when.clause import Clause
    from hayai_receptionist.when.clock import Times
    from hayai_receptionist.when.frame import DaySpec


def settle(clauses: list[Clause]) -> tuple[list[Clause], list[Clause], list[str]]:
    """The wishes, the exclusions, and what remains in doubt."""
    clauses = _corrected([c for c in clauses if not c.empty])
    wishes = [c for c in clauses if not c.excluded]
    doubts = _source_doubt(wishes)
    _stays(wishes)
    wishes = [c for c in wishes if not c.source] or ([] if doubts else wishes)
    _time_after_exclusion(clauses)
    wishes = _refined(_without_history(wishes))
    doubts += _uneven(wishes) + _overreaching(wishes, clauses) + _fill_times(wishes)
    wishes = _refined(_fill_days(wishes))
    _share_periods(wishes)
    _not_today(wishes)
    doubts += _twice(wishes)
    exclusions = [c for c in clauses if c.excluded]
    _contrasted(wishes, exclusions)
    _framed(wishes, exclusions)
    return wishes, exclusions, doubts


def _contrasted(wishes: list[Clause], exclusions: list[Clause]) -> None:
    """Thus "not 9 on the 24th, 9:30": only the hour is exchanged, the day stays."""
    timed = [c for c in exclusions if c.days and c.times and c.times.at]
    if timed and all(not c.days and not c.offset and c.times and c.times.at for c in wishes):
        for clause in wishes:
            clause.days = list(timed[-1].days)


def _time_after_exclusion(clauses: list[Clause]) -> None:
    """Thus in "Friday, not Thursday at 2" the hour is the wish's."""
    for wish, hole in itertools.pairwise(clauses):
        dated = hole.excluded and hole.days and hole.times and hole.times.at and not hole.times_first
        alike = all(len(c.days) == 1 and isinstance(d := c.days[0], Mask) and not d.many for c in (wish, hole))
        if dated and alike and hole.joint == "not" and not wish.excluded and not wish.times:
            wish.times, hole.times = hole.times, None


def _twice(wishes: list[Clause]) -> list[str]:
    """A day named again without a time, beside the same with one."""
    again = any(a is not b and a.days and a.days == b.days and not a.times and b.times for a in wishes for b in wishes)
    return ["a day named twice"] if again else []


def _framed(wishes: list[Clause], exclusions: list[Clause]) -> None:
    """Thus "any day but Wednesday next week" wishes for next week, "any time but lunch on Friday" for Friday."""
    frames = [days for c in exclusions if (days := framing(c) or _holding(c))]
    for clause in wishes:
        if frames and all(_is_any(d) for d in clause.days) and not clause.offset:
            clause.days = list(frames[0])


def framing(exclusion: Clause) -> list[DaySpec]:
    """The period out of which only a part is ruled out: mornings, or a weekday."""
    periods = [d for d in exclusion.days if isinstance(d, Anchor) and d.period and not d.bound]
    return list(periods) if exclusion.times or len(exclusion.days) > len(periods) else []


def _holding(exclusion: Clause) -> list[DaySpec]:
    """The day of a part of the day that was named before it: "lunch on Friday"."""
    banded = exclusion.times and exclusion.times.bands and exclusion.times_first
    return exclusion.days if banded and not any(isinstance(d, Mask) and d.many for d in exclusion.days) else []


def _stays(wishes: list[Clause]) -> None:
    """Thus in "swap my 9:30 on Thursday for 10:30" the day stays."""
    sources = [c for c in wishes if c.source and c.days]
    aims = [c for c in wishes if not c.source]
    if sources and all(not c.days and not c.offset and c.times and c.times.at for c in aims):
        for clause in aims:
            clause.days = list(sources[-1].days)


def _source_doubt(wishes: list[Clause]) -> list[str]:
    """Only the booking to be moved was named, not where to."""
    if wishes and all(c.source for c in wishes):
        return ["names the appointment to move, not where to"]
    return []


def _corrected(clauses: list[Clause]) -> list[Clause]:
    """Thus "Tuesday at 3, no wait, Wednesday": what comes after replaces, and keeps what it does not mention."""
    cut = max((i for i, c in enumerate(clauses) if c.joint == "fix" and i), default=0)
    before, after = clauses[:cut], clauses[cut:]
    if not before or not after:
        return clauses
    old = [c for c in before if not c.excluded and not c.source]
    for clause in after:
        if old and not clause.excluded and clause.offset is None:
            clause.days = clause.days or next((list(c.days) for c in reversed(old) if c.days), [])
            clause.times = clause.times or old[-1].times
    return [c for c in before if c.excluded or c.source] + after


def _without_history(wishes: list[Clause]) -> list[Clause]:
    """Thus "yesterday" counts only when it is all that was said."""
    present = [c for c in wishes if not _is_past(c)]
    return present if any(c.days or c.times or c.offset for c in present) else wishes


def _refined(wishes: list[Clause]) -> list[Clause]:
    """Thus "Thursday or Friday, but Friday only after three": what is said of a day again replaces the bare day."""
    return [
        c
        for i, c in enumerate(wishes)
        if c.times or not c.days or not any(later.times and later.days == c.days for later in wishes[i + 1 :])
    ]


def _is_past(clause: Clause) -> bool:
    return any(isinstance(d, Anchor) and d.past for d in clause.days)


def _fill_times(wishes: list[Clause]) -> list[str]:
    doubts = []
    for i, clause in enumerate(wishes):
        if clause.times is not None or clause.offset is not None or not clause.days:
            continue
        clause.times = _times_ahead(wishes[i + 1 :])
        before = wishes[i - 1] if i else None
        if clause.times is None and before and before.times and before.days and clause.joint in {"or", "and"}:
            if before.times_first:
                clause.times = before.times
            elif before.times.at and not _is_any(clause.days[-1]):
                doubts.append("whether the time holds for both days")
    return doubts


def _is_any(day: DaySpec) -> bool:
    return isinstance(day, Anchor) and day.any


def _times_ahead(later: list[Clause]) -> Times | None:
    """The time of the first later clause with one, as long as only days stand between: "Monday or Friday at 3"."""
    for clause in later:
        if clause.joint not in {"or", "and"} or clause.apart or not clause.days:
            return None
        if clause.times:
            return None if clause.times_first else clause.times
    return None


def _overreaching(wishes: list[Clause], clauses: list[Clause]) -> list[str]:
    """Thus in "any weekday but Tuesday at 10" the hour may belong to the wish, or to what is ruled out."""
    bare = any(
        not c.times and any((isinstance(d, Mask) and d.many) or (isinstance(d, Anchor) and d.any) for d in c.days)
        for c in wishes
    )
    holes = any(c.excluded and c.days and c.times and c.times.at for c in clauses)
    return ["an hour of the wish or of what is ruled out"] if bare and holes else []


def _uneven(wishes: list[Clause]) -> list[str]:
    """Thus "December 5 or 6pm" sets a bare day beside a bare time."""
    pairs = itertools.pairwise(wishes)
    odd = any(b.joint == "or" and b.times and not b.days and a.days and not a.times and not b.offset for a, b in pairs)
    return ["a day or a time"] if odd else []


def _fill_days(wishes: list[Clause]) -> list[Clause]:
    """Thus "Tuesday at 3 or 4" is twice Tuesday, and "Monday or Tuesday at 3 or 4" four wishes."""
    filled: list[Clause] = []
    for i, clause in enumerate(wishes):
        if clause.days or clause.offset:
            filled.append(clause)
            continue
        before = _sharing(wishes[:i])
        after = [c for c in wishes[i + 1 :] if c.days][:1]
        sources = before or after
        filled.extend(replace(clause, days=list(c.days)) for c in sources)
        if not sources:
            filled.append(clause)
    return filled


def _sharing(earlier: list[Clause]) -> list[Clause]:
    """The last clause with days, and those before it that took its time."""
    dated = [c for c in earlier if c.days]
    last = dated[-1] if dated else None
    return [c for c in dated if last and (c is last or (c.times is not None and c.times is last.times))]


def _share_periods(wishes: list[Clause]) -> None:
    """Thus "Tuesday or Wednesday next week" and "the 5th or 6th of January": the period holds for both."""
    for i, clause in enumerate(wishes):
        if not clause.days or not all(isinstance(d, Mask) and d.month is None for d in clause.days):
            continue
        for near in (*wishes[i + 1 : i + 2], *wishes[max(0, i - 1) : i]):
            shared = [d for d in near.days if isinstance(d, Anchor) and d.period and not d.bound]
            if shared and any(isinstance(d, Mask) for d in near.days):
                clause.days.extend(shared)
                break
        _share_month(clause, wishes[i + 1 : i + 2])


def _not_today(wishes: list[Clause]) -> None:
    """Thus "Tuesday or Thursday", said on a Thursday, looks past today: today would be called so."""
    masks = [d for c in wishes for d in c.days if isinstance(d, Mask) and d.weekdays and not d.dated]
    if len({m.weekdays for m in masks}) < 2:
        return
    for clause in wishes:
        clause.days = [replace(d, listed=True) if isinstance(d, Mask) and d.weekdays else d for d in clause.days]


def _share_month(clause: Clause, after: list[Clause]) -> None:
    masks = [d for c in after for d in c.days if isinstance(d, Mask) and d.dated and d.month]
    if masks:
        clause.days = [
            Mask(d.weekdays, d.day, masks[0].month, masks[0].year) if isinstance(d, Mask) and d.dated else d
            for d in clause.days
        ]
