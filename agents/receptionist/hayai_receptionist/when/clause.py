"""What was found in a text, the clauses it grows into, and which time words go together in one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hayai_receptionist.when.frame import Anchor, DaySpec, Mask
from hayai_receptionist.when.times import merge

if TYPE_CHECKING:
    from hayai_receptionist.when.amounts import Offset
    from hayai_receptionist.when.clock import Times


@dataclass(frozen=True)
class Piece:
    """One thing found: its value, the tokens it covers, the words skipped before it.

    `told` is true when it stands in a telling of what has happened.
    """

    value: Any
    first: int
    last: int
    gap: tuple[str, ...] = ()
    told: bool = False


@dataclass
class Clause:
    """Days and times that belong together; `joint` is how it hangs on the clause before it.

    `apart` is true when it begins another sentence, `instead` when it is
    said to replace what is under discussion.
    """

    days: list[DaySpec] = field(default_factory=list)
    times: Times | None = None
    offset: Offset | None = None
    excluded: bool = False
    joint: str = ""
    times_first: bool = False
    source: bool = False
    apart: bool = False
    instead: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was put into it yet."""
        return not self.days and self.times is None and self.offset is None


def complement(clause: Clause, two: Times) -> Times | None:
    """Thus "after 2 and before 5" is one stretch and "Friday, but after 3" one wish; "at 2 and at 5" are two."""
    one = clause.times
    if one is None and clause.days and not clause.excluded:
        return two
    if one and bool(one.low) != bool(two.low) and bool(one.high) != bool(two.high) and not one.at and not two.at:
        return merge(one, two)
    return None


def bounds_meet(days: list[DaySpec], value: DaySpec) -> bool:
    """Whether "before the 10th" closes what "after the 5th" left open."""
    bounds = {d.bound for d in days if isinstance(d, Anchor)}
    return isinstance(value, Anchor) and bool(value.bound) and bool(bounds - {"", value.bound})


def joins(days: list[DaySpec], value: DaySpec) -> bool:
    """Whether a further day narrows what was said ("Tuesday the 5th") or is another one ("Monday, Tuesday")."""
    masks = [d for d in days if isinstance(d, Mask)]
    anchors = [d for d in days if isinstance(d, Anchor)]
    if any(a.past for a in anchors) or (isinstance(value, Anchor) and value.past):
        return False
    if isinstance(value, Mask):
        clash = any(_same_kind(m, value) for m in masks)
        return not clash and (not anchors or not value.many or any(a.period or a.any for a in anchors))
    if value.period or value.any or value.soon:
        return not any(a.period and not a.bound for a in anchors) or bool(value.bound) or value.any or value.soon
    return not any(not a.period and not a.any and not a.soon for a in anchors)


def _same_kind(one: Mask, two: Mask) -> bool:
    return bool(
        (one.weekdays and two.weekdays) or (one.dated and two.dated) or (one.month and two.month and not two.dated),
    )
