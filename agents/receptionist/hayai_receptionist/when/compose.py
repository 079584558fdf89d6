"""From the pieces found in a text to clauses: which days go with which times, and which are excluded."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

from dataclasses import replace

from hayai_receptionist.when.amounts import Noise, Offset
from hayai_receptionist.when.clause import Piece, bounds_meet, complement, joins
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.context import week_beside
from hayai_receptionist.when.frame import Anchor, DaySpec, Mask
from hayai_receptionist.when.joints import Joints
from hayai_receptionist.when.marks import Mark
from hayai_receptionist.when.relative import beside
from hayai_receptionist.when.spans import since, until
from hayai_receptionist.when.times import merge

_LISTING = frozenset(", ; / - ? also maybe perhaps possibly on then the at and".split())
"""Words between two days that merely list them."""

_NARROWING = _LISTING | frozenset(
    "( ) = in any some sometime time hopefully preferably ideally say a for of so its it's is that that's thats".split()
)
"""Words between two day words of which one narrows the other: "next week, preferably Tuesday"."""
_JOINING = _NARROWING | frozenset(
    "i i'm i'd i'll we we're we'd you me us him her my it can could would will may might do does come be get have got "
    "like want need book please if works work good fine ok too free available around here there them another one "
    "wife husband son daughter kids both looking how what about one's see fit really just only not".split()
)
"""Words over which "and" may still join two days."""
_STOPS = frozenset(". ? !".split())
"""An "and" before another sentence joins no two days over it."""
_ANY = frozenset("any every all each anything whichever whatever".split())


def _is_loose(value: DaySpec, days: list[DaySpec]) -> bool:
    """Thus "any time" and "the soonest" go with whatever day stands in the same breath."""
    return any(isinstance(d, Anchor) and (d.any or d.soon) for d in (value, *days))


def _needs_joint(value: DaySpec, days: list[DaySpec]) -> bool:
    """Whether it is open how a further day goes with those named: a date within "before the 30th" needs no telling."""
    bounded = all(isinstance(d, Anchor) and d.bound for d in days)
    dated = isinstance(value, Mask) and value.dated
    return bool(days) and not _is_loose(value, days) and not (bounded and dated) and not _agrees(value, days)


def _agrees(value: DaySpec, days: list[DaySpec]) -> bool:
    """Whether a weekday and a date stand together, which confirm each other or are a conflict."""
    masks = [d for d in (value, *days) if isinstance(d, Mask) and not d.many]
    if len(days) != 1 or len(masks) == 1:
        return False
    return any(d.dated and d.month and not d.weekdays for d in masks) and any(d.weekdays and not d.dated for d in masks)


def _reckoned(base: DaySpec, shift: str) -> DaySpec:
    """Thus "after that" and "before then", from the day named before; an open end stays what it is."""
    if shift in {"later", "from"}:
        return since(base, included=shift == "from")
    return base if isinstance(base, Anchor) and base.bound == "high" else until(base, included=False)


def _is_period(day: Anchor) -> bool:
    return day.period and not day.bound and day.within is None


class Composer(Joints):
    """Reads pieces in order and grows the list of clauses."""

    def read(self, piece: Piece, after: Piece | None = None) -> None:
        """Take one piece in; `after` is the next one, which some joints need to see."""
        value = piece.value
        self._between.extend(piece.gap)
        self._after_joint.extend(piece.gap)
        self._forget_joint(piece)
        self._any = self._any or bool(_ANY & set(piece.gap))
        if isinstance(value, Mark):
            kind = self._turned(value.kind, after)
            if kind == "skip":
                self.unused.add(piece.first)
            self._mark(kind, piece)
        elif isinstance(value, Noise):
            self._told = value.told or self._told
        else:
            self._polarity(piece)
            if isinstance(value, Times):
                self._time(value)
            elif isinstance(value, Offset):
                self._offset(value)
            else:
                self._day(value, piece)
            self._joint = ""
            self._between = []
            self._taken = False

    def _forget_joint(self, piece: Piece) -> None:
        """An "and" joins no two days over the end of a sentence, nor over another statement."""
        ended = len(piece.gap) > 1 and _STOPS & set(piece.gap) and self._joint in {"or", "and"}
        strange = self._joint == "and" and set(self._after_joint) - _JOINING
        if ended or strange:
            self._joint = ""

    def _polarity(self, piece: Piece) -> None:
        """An exclusion reaches over "or" and "and", not over a comma or other words."""
        words = [w for w in piece.gap if w not in {"on", "the", "in", "at", "either", "any", "also"}]
        if self.last.excluded and not self.last.empty and words:
            self._negative = False
            self._new("")

    def _time(self, value: Times) -> None:  # noqa: C901, PLR0912 - one case a way in which two times meet
        if self._moving and value.turn:
            value = Times(at=value.high)
        if value.against and self._negative:
            self._negative = False
            wished = next((c for c in reversed(self.clauses) if not c.excluded and not c.empty), None)
            if wished and wished.times is None:
                wished.times = value
                return
            self._new("and")
        if value.same and (told := self._told or self._last_clock()):
            value = replace(told, bare=False)
        if value.bands == ("lunch",) and self._told and self._told.low:
            value = replace(self._told, bare=False)
        if self._each and self._of_all(value):
            return
        target = self.last
        if value.that and self.last.days and all(_is_loose(d, []) for d in self.last.days):
            self.doubts.append("after what is not clear")
        if value.that and value.shift and (base := self._day_alone()):
            self._negative = False
            if self.last.excluded or self._joint == "or":
                self._new("or")
            self.last.days = [_reckoned(base, value.shift)]
            return
        if value.shift:
            value = self._after_that(value)
        if self._joint in {"or", "and", "but"} and not target.empty:
            merged = complement(target, value) if self._joint != "or" else None
            if merged:
                target.times = merged
                return
            self._new(self._joint)
            target = self.last
        if target.times is not None:
            merged = merge(target.times, value)
            if merged is None:
                if not set(self._between) <= _LISTING:
                    self.doubts.append("how the times named go together")
                self._new("or")
                target, merged = self.last, value
            target.times = merged
        else:
            target.times_first = not target.days
            target.times = value

    def _of_all(self, value: Times) -> bool:
        """Give the time to every day before it that has none; False when there is none."""
        bare = [c for c in self.clauses if c.days and not c.times and not c.excluded]
        for clause in bare:
            clause.times = value
        self._each = False
        return bool(bare)

    def _last_clock(self) -> Times | None:
        """The clock time that this message named last, for "tomorrow at 9 is bad; the same time on Friday"."""
        return next((Times(at=c.times.at) for c in reversed(self.clauses) if c.times and c.times.at), None)

    def _day_alone(self) -> DaySpec | None:
        """The day that was named last, without a clock time: what "after that" leans on."""
        last = next((c for c in reversed(self.clauses) if not c.empty), None)
        named = bool(last and last.days and not last.times and not _is_loose(last.days[-1], []))
        return last.days[-1] if last and named else None

    def _after_that(self, value: Times) -> Times:
        """Thus "I finish at 4, any time after that": the time named before is the bound."""
        said = self.last.times
        clock = (said.at or said.high if value.shift == "later" else said.at or said.low) if said else None
        if clock is None:
            return value
        if self._joint != "or":
            self.last.times = None
        return Times(high=clock) if value.shift == "earlier" else Times(low=clock)

    def _offset(self, value: Offset) -> None:
        if not self.last.empty:
            self._new(self._joint)
        self.last.offset = value

    def _day(self, value: DaySpec, piece: Piece) -> None:
        value = self._echo(value)
        value = self._confined(value)
        if self._negative and isinstance(value, Anchor) and value.bound:
            self.edges.append(value.target or value)
        if self._moving and isinstance(value, Anchor) and value.target and not value.bound:
            value = value.target
        if self._joint in {"or", "and", "but"} and not self.last.empty:
            if self._adds_nothing(value):
                return
            if not self._completes(value):
                self._new(self._joint)
        elif self.last.days and not joins(self.last.days, value):
            if not set(piece.gap) <= _LISTING and not self.last.source:
                self.doubts.append("how the days named go together")
            self._new("or")
        elif self._begins_anew(piece):
            self._new("or")
        elif _needs_joint(value, self.last.days) and not set(self._between) <= _NARROWING:
            self.doubts.append("how the days named go together")
        self.last.days.append(value)

    def _adds_nothing(self, value: DaySpec) -> bool:
        """Thus "Thursday, but the sooner the better"."""
        return self._joint != "or" and _is_loose(value, []) and bool(self.last.days) and not self.last.excluded

    def _completes(self, value: DaySpec) -> bool:
        """Whether the day is the one of the time before, or closes what "after the 5th" left open."""
        dayless = bool(self.last.times) and not self.last.days and not self.last.excluded
        return self._joint != "or" and (dayless or bounds_meet(self.last.days, value))

    def _confined(self, value: DaySpec) -> DaySpec:
        """Thus "Monday to Wednesday next week": the weekdays of the range, within the period beside it."""
        if not isinstance(value, Anchor) or not value.period or value.bound or self._joint == "or":
            return value
        if value.within:
            return value.within if any(isinstance(d, Anchor) and _is_period(d) for d in self.last.days) else value
        self.last.days = [d.within if isinstance(d, Anchor) and d.within else d for d in self.last.days]
        return value

    def _begins_anew(self, piece: Piece) -> bool:
        """Thus "Monday at 9 or 11, Tuesday at 10": after the comma 11 stays with Monday."""
        earlier = len(self.clauses) > 1 and bool(self.clauses[-2].days)
        hanging = self.last.times is not None and not self.last.days and self.last.joint in {"or", "and"}
        return earlier and hanging and bool({",", ";", "."} & set(piece.gap))

    def _echo(self, value: DaySpec) -> DaySpec:
        """Thus "tomorrow or the day after": the day named before in the same breath is meant."""
        before = next((d for c in reversed(self.clauses) for d in reversed(c.days) if not _is_loose(d, [])), None)
        if isinstance(value, Anchor) and value.echo and before is not None:
            return value.echo(before)
        if isinstance(value, Anchor) and value.step is not None and before is not None:
            if value.bound:
                self.last.days = []
                return since(before, included=False)
            return week_beside(value.step, before) if value.period else beside(value.step, before)
        return value
