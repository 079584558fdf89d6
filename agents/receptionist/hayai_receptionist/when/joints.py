"""The joints between days and times: or, and, but, not, "instead", "move ... to ...", and what each does to the clauses."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

from hayai_receptionist.when.clause import Clause, Piece
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.frame import Anchor, DaySpec, Mask
from hayai_receptionist.when.marks import Mark

_LIGHT = frozenset(
    "on the my our in at any either a an during for really also anything come coming before after is to do".split()
)
_ASKING = frozenset(". , ; ! ? - : ) can could may would how what i'd like want need please so then when".split())
"""Between a "not" and a day, these end what is ruled out."""


class Joints:
    """The clauses that are being grown, and what a joint between two pieces does to them."""

    def __init__(self) -> None:
        self.clauses: list[Clause] = [Clause()]
        self.doubts: list[str] = []
        self.unused: set[int] = set()
        self.edges: list[DaySpec] = []
        self.unsure = False
        self._joint = ""
        self._between: list[str] = []
        self._after_joint: list[str] = []
        self._told: Times | None = None
        self._any = False
        self._each = False
        self._taken = False
        self._usual = False
        self._negative = False
        self._moving = False
        self._condition = False

    @property
    def last(self) -> Clause:
        """The clause that is being grown."""
        return self.clauses[-1]

    def _new(self, joint: str) -> None:
        if not self.last.empty:
            self.clauses.append(Clause())
        self.last.excluded = self._negative
        self.last.joint = joint
        self.last.apart = bool({".", "?", "!"} & set(self._between))

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
            if isinstance(value, Times) and value.at:
                return "skip"
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
        self._after_joint = []

    def _on_but(self, _: Piece) -> None:
        """Thus "any day but Friday" excludes; "not Monday but Tuesday" turns back."""
        wide = any((isinstance(d, Anchor) and d.any) or (isinstance(d, Mask) and d.many) for d in self.last.days)
        wide = wide or (self._any and any(isinstance(d, Anchor) and d.period for d in self.last.days))
        wide = wide or bool(self._any and not self.last.days and self.last.times and self.last.times.bands)
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
        self.last.instead = True
        if sum(not c.empty for c in self.clauses) > 1:
            self.last.joint = "fix"
            self.doubts = [d for d in self.doubts if not d.endswith("go together")]

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

    def _on_each(self, _: Piece) -> None:
        """Thus "Monday or Tuesday, either one at 3": the next time is that of all days before."""
        self._each = not self.last.empty

    def _on_unsure(self, _: Piece) -> None:
        self.unsure = True

    def _on_too(self, _: Piece) -> None:
        """Thus "Tuesday at 9 is too early" is no wish for Tuesday; "too early" alone answers what was offered."""
        if not self.last.empty:
            self.doubts.append("said to be too early or too late")

    def _on_vague(self, _: Piece) -> None:
        self.doubts.append("a season is no date")
