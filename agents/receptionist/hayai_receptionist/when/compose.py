"""From the pieces found in a text to clauses: which days go with which times, and which are excluded."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

from dataclasses import replace

from hayai_receptionist.when.clause import Clause, Piece, bounds_meet, complement, joins
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.frame import Anchor, DaySpec, Mask
from hayai_receptionist.when.marks import Mark
from hayai_receptionist.when.relative import Noise, Offset, beside, week_beside
from hayai_receptionist.when.spans import since
from hayai_receptionist.when.times import merge

_LISTING = frozenset(", ; / - ? also maybe perhaps possibly on then the at and".split())
"""Words between two days that merely list them."""

_NARROWING = _LISTING | frozenset(
    "( ) = in any some preferably ideally say a for of so its it's is that that's thats".split()
)
"""Words between two day words of which one narrows the other: "next week, preferably Tuesday"."""
_LIGHT = frozenset(
    "on the in at any either a an during for really also anything come coming before after is to do".split()
)
_ANY = frozenset("any every all each anything whichever whatever".split())
_ASKING = frozenset(". , ; ! ? - : ) can could may would how what i'd like want need please so then when".split())
"""Between a "not" and a day, these end what is ruled out."""


def _is_loose(value: DaySpec, days: list[DaySpec]) -> bool:
    """Thus "any time" and "the soonest" go with whatever day stands in the same breath."""
    return any(isinstance(d, Anchor) and (d.any or d.soon) for d in (value, *days))


def _is_period(day: Anchor) -> bool:
    return day.period and not day.bound and day.within is None


class Composer:
    """Reads pieces in order and grows the list of clauses."""

    def __init__(self) -> None:
        self.clauses: list[Clause] = [Clause()]
        self.doubts: list[str] = []
        self.unused: set[int] = set()
        self.unsure = False
        self._joint = ""
        self._between: list[str] = []
        self._told: Times | None = None
        self._any = False
        self._taken = False
        self._usual = False
        self._negative = False
        self._moving = False
        self._condition = False

    @property
    def last(self) -> Clause:
        """The clause that is being grown."""
        return self.clauses[-1]

    def read(self, piece: Piece, after: Piece | None = None) -> None:
        """Take one piece in; `after` is the next one, which some joints need to see."""
        value = piece.value
        self._between.extend(piece.gap)
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

    def _polarity(self, piece: Piece) -> None:
        """An exclusion reaches over "or" and "and", not over a comma or other words."""
        words = [w for w in piece.gap if w not in {"on", "the", "in", "at", "either", "any", "also"}]
        if self.last.excluded and not self.last.empty and words:
            self._negative = False
            self._new("")

    def _new(self, joint: str) -> None:
        if not self.last.empty:
            self.clauses.append(Clause())
        self.last.excluded = self._negative
        self.last.joint = joint

    def _turned(self, kind: str, after: Piece | None) -> str:
        """Thus "I can't do" looks ahead when a day follows ("Tuesday"), and back when it ends the wish."""
        ahead = after is not None and set(after.gap) <= _LIGHT and not isinstance(after.value, Mark)
        if kind == "no":
            comma = after is not None and after.gap == (",",) and not isinstance(after.value, Mark)
            if comma:
                return "fix"
            return self._no(after) if ahead or (after and not after.gap) else "skip"
        if kind == "cant" and not ahead and not self.last.empty:
            return "bad"
        if kind not in {"cant", "not", "except"}:
            return kind
        if not ahead and after is not None and not isinstance(after.value, Mark) and not _ASKING & set(after.gap):
            self.doubts.append("what is ruled out")
        return ("except" if kind == "except" else "not") if ahead else "skip"

    def _no(self, after: Piece | None) -> str:
        """Thus "Monday, no, Tuesday" corrects; "Monday, no mornings" and "no Mondays" exclude."""
        value = after.value if after and not after.gap else None
        wide = isinstance(value, Mask) and value.many
        if self.last.empty and len(self.clauses) == 1:
            if isinstance(value, Mask) and not wide:
                self.doubts.append("a no that may exclude or answer")
            return "not"
        if (isinstance(value, Times) and value.bands) or wide:
            return "not"
        if any(isinstance(d, Anchor) and d.period for d in self.last.days):
            self.doubts.append("a no that may exclude or correct")
        return "fix"

    def _mark(self, kind: str, piece: Piece) -> None:
        handler = getattr(self, f"_on_{kind}", None)
        if handler:
            handler(piece)

    def _on_or(self, _: Piece) -> None:
        self._joint = "or"

    def _on_and(self, _: Piece) -> None:
        self._joint = "and"

    def _on_but(self, _: Piece) -> None:
        """Thus "any day but Friday" excludes; "not Monday but Tuesday" turns back."""
        wide = any((isinstance(d, Anchor) and d.any) or (isinstance(d, Mask) and d.many) for d in self.last.days)
        wide = wide or (self._any and any(isinstance(d, Anchor) and d.period for d in self.last.days))
        self._negative = wide and not self.last.excluded
        self._joint = "but"
        if self._negative or self.last.excluded:
            self._new("but")

    def _on_not(self, _: Piece) -> None:
        self._negative = True
        self._new("not")

    def _on_except(self, piece: Piece) -> None:
        self._on_not(piece)

    def _on_fix(self, _: Piece) -> None:
        if any(not c.empty for c in self.clauses):
            self._negative = False
            self._new("fix")
            self.last.joint = "fix"

    def _on_back(self, piece: Piece) -> None:
        """Thus "no wait" before another time corrects; after the last it takes everything back."""
        self._taken = any(not c.empty for c in self.clauses)
        self._on_fix(piece)

    def _on_usual(self, _: Piece) -> None:
        self._usual = True

    def finish(self) -> None:
        """Close the message: what was taken back and not replaced, or left to habit, is a doubt."""
        if self._taken:
            self.doubts.append("what was said is taken back")
        if self._usual and not any(c.times and c.times.at and c.days for c in self.clauses):
            self.doubts.append("refers to what is usual")

    def _on_instead(self, _: Piece) -> None:
        if sum(not c.empty for c in self.clauses) > 1:
            self.last.joint = "fix"

    def _on_bad(self, _: Piece) -> None:
        for clause in reversed(self.clauses):
            clause.excluded = not self._condition
            if clause.joint not in {"or", "and"}:
                break
        self._negative = False
        self._joint = "or"
        self._new("")
        self._condition = False

    def _on_propose(self, _: Piece) -> None:
        """Thus "how about" begins a wish, whatever was ruled out before."""
        if self._negative:
            self._negative = False
            self._new("")

    def _on_if(self, _: Piece) -> None:
        self._condition = True

    def _on_move(self, _: Piece) -> None:
        self._moving = True

    def _on_mine(self, _: Piece) -> None:
        self._new("")
        self.last.source = True

    def _on_to(self, _: Piece) -> None:
        """Thus "move my Tuesday appointment to Friday": what stood before is what is moved away from."""
        if self._moving and not self.last.empty:
            for clause in self.clauses:
                clause.source = True
            self._new("")

    def _on_booked(self, _: Piece) -> None:
        """Thus "my Friday appointment" names the booking that exists."""
        if self._moving and not self.last.empty:
            self.last.source = True
            self._new("")

    def _on_unsure(self, _: Piece) -> None:
        self.unsure = True

    def _on_too(self, _: Piece) -> None:
        """Thus "Tuesday at 9 is too early" is no wish for Tuesday; "too early" alone answers what was offered."""
        if not self.last.empty:
            self.doubts.append("said to be too early or too late")

    def _on_vague(self, _: Piece) -> None:
        self.doubts.append("a season is no date")

    def _time(self, value: Times) -> None:  # noqa: C901 - one case a way in which two times meet
        if self._moving and value.turn:
            value = Times(at=value.high)
        if value.against and self._negative:
            self._negative = False
            wished = next((c for c in reversed(self.clauses) if not c.excluded and not c.empty), None)
            if wished and wished.times is None:
                wished.times = value
                return
            self._new("and")
        if value.same and self._told:
            value = replace(self._told, bare=False)
        target = self.last
        if value.that and value.shift == "later" and (base := self._day_alone()):
            self._negative = False
            self._new("")
            self.last.days = [since(base, included=False)]
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

    def _day_alone(self) -> DaySpec | None:
        """The day that was ruled out last, without a clock time: what "after that" leans on."""
        last = next((c for c in reversed(self.clauses) if not c.empty), None)
        return last.days[-1] if last and last.excluded and last.days and not last.times else None

    def _after_that(self, value: Times) -> Times:
        """Thus "I finish at 4, any time after that": the time named before is the bound."""
        clock = self.last.times.at if self.last.times else None
        if clock is None:
            return value
        if self._joint != "or":
            self.last.times = None
        return Times(low=clock) if value.shift == "later" else Times(high=clock)

    def _offset(self, value: Offset) -> None:
        if not self.last.empty:
            self._new(self._joint)
        self.last.offset = value

    def _day(self, value: DaySpec, piece: Piece) -> None:
        value = self._echo(value)
        value = self._confined(value)
        if self._negative and isinstance(value, Anchor) and value.bound:
            self.doubts.append("whether the last day is ruled out too")
        if self._moving and isinstance(value, Anchor) and value.target and not value.bound:
            value = value.target
        if self._joint in {"or", "and", "but"} and not self.last.empty:
            if self._joint != "or" and bounds_meet(self.last.days, value):
                self.last.days.append(value)
                return
            self._new(self._joint)
        elif self.last.days and not joins(self.last.days, value):
            if not set(piece.gap) <= _LISTING and not self.last.source:
                self.doubts.append("how the days named go together")
            self._new("or")
        elif self._begins_anew(piece):
            self._new("or")
        elif self.last.days and not _is_loose(value, self.last.days) and not set(self._between) <= _NARROWING:
            self.doubts.append("how the days named go together")
        self.last.days.append(value)

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
        before = next((c.days[-1] for c in reversed(self.clauses) if c.days), None)
        if isinstance(value, Anchor) and value.echo and before is not None:
            return value.echo(before)
        if isinstance(value, Anchor) and value.step is not None and before is not None:
            if value.bound:
                self.last.days = []
                return since(before, included=False)
            return week_beside(value.step, before) if value.period else beside(value.step, before)
        return value
