"""Verdict: what was acknowledged beside what was handled, done outside and written, and in which order."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.chaos.handlers import HEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.chaos.oracle import Record
    from tests.chaos.plan import Report
    from tests.chaos.worker import Spec

Step = tuple[str, int]
"""Key and number."""


@dataclass(frozen=True)
class Evidence:
    """The records in the order in which they were written; how often each act was done, and each row written."""

    records: list[Record]
    acts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


@dataclass
class Tally:
    """What broke, each as handler.key.number; and what may happen, counted."""

    acked: int = 0
    refused: int = 0
    handled: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    """Acts and rows that are there more than once."""
    missing: list[str] = field(default_factory=list)
    """Acts and rows that are not there."""
    disordered: list[str] = field(default_factory=list)
    repeats: int = 0
    """Runs beyond the first of stateless handlers, which may repeat."""
    reruns: int = 0
    """Runs beyond the first of handlers with a ledger: each was cut off before its outcome was committed."""
    gap: float = 0.0
    """The longest time, in seconds, without a handled event while events were acknowledged."""

    def __iadd__(self, other: Tally) -> Self:
        """Both together."""
        for name in ("acked", "refused", "handled", "lost", "doubled", "missing", "disordered", "repeats", "reruns"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.gap = max(self.gap, other.gap)
        return self

    def judge(self, report: Report, *, gap: float | None = None) -> None:
        """Write it into `report`, with what it breaks; the gap may be `gap` seconds where that is promised."""
        report.show("acknowledged", self.acked)
        report.show("handled (all handlers)", self.handled)
        report.demand("acknowledged and lost", len(self.lost))
        report.demand("acts and rows missing", len(self.missing))
        report.demand("acts and rows more than once", len(self.doubled))
        report.demand("out of order", len(self.disordered))
        report.show("cut off before the commit and run again", self.reruns)
        report.show("stateless and run again (may repeat)", self.repeats)
        if gap is not None:
            report.demand("longest gap", round(self.gap, 2), most=gap, unit=" s")
        examples = [*self.lost[:3], *self.missing[:3], *self.doubled[:3], *self.disordered[:3]]
        if examples:
            report.notes.append(f"for example {', '.join(examples)}")


def tally(evidence: Evidence, spec: Spec, *, strays: Callable[[Record], bool] = lambda _: False) -> Tally:
    """What the handlers of `spec` came to; the order of those runs that are `strays` does not count."""
    found = Tally(refused=sum(each.what == "refused" for each in evidence.records), gap=_gap(evidence.records, spec))
    acked: dict[str, set[Step]] = defaultdict(set)
    told: dict[str, list[Record]] = defaultdict(list)
    for each in evidence.records:
        if each.what == "acked":
            acked[each.who].add((each.key, each.number))
        elif each.what in {"began", "handled"}:
            told[each.who].append(each)
    verbs = {HEARS[sort] for sort in spec.sorts}
    found.acked = sum(len(acked[f"{spec.noun}.{verb}"]) for verb in verbs)
    for sort in spec.sorts:
        _add(found, sort, f"{spec.group}_{sort}", acked[f"{spec.noun}.{HEARS[sort]}"], told, evidence, strays)
    return found


def _add(
    found: Tally,
    sort: str,
    handler: str,
    acked: set[Step],
    told: dict[str, list[Record]],
    evidence: Evidence,
    strays: Callable[[Record], bool],
) -> None:
    runs = [(each.key, each.number) for each in told[handler] if each.what == "handled"]
    handled = set(runs)
    found.handled += len(runs)
    found.lost += _names(handler, acked - handled)
    again = len(runs) - len(handled)
    if sort == "stateless":
        found.repeats += again
    else:
        found.reruns += again
    mine = [each for each in told[handler] if not strays(each)]
    found.disordered += _disordered(handler, mine, told[handler], acked, may_repeat=sort == "stateless")
    if sort in {"acting", "transactional"}:
        marks = evidence.acts if sort == "acting" else evidence.rows
        found.missing += [name for name in _names(handler, acked) if name not in marks]
        found.doubled += [name for name, times in marks.items() if times > 1 and name.startswith(f"{handler}.")]


def _disordered(
    handler: str, mine: list[Record], told: list[Record], acked: set[Step], *, may_repeat: bool
) -> list[str]:
    """Those that began before the one ahead of them was handled, or again after a later one had begun."""
    before = _predecessors(acked)
    first_end: dict[Step, float] = {}
    for each in told:
        if each.what == "handled":
            first_end.setdefault((each.key, each.number), each.at)
    newest: dict[str, int] = defaultdict(lambda: -1)
    wrong = []
    for each in mine:
        if each.what != "began":
            continue
        ahead = before.get((each.key, each.number))
        early = ahead is not None and first_end.get((each.key, ahead), each.at + 1) > each.at
        late = not may_repeat and each.number < newest[each.key]
        newest[each.key] = max(newest[each.key], each.number)
        if early or late:
            wrong.append(f"{handler}.{each.key}.{each.number}")
    return wrong


def _predecessors(steps: Iterable[Step]) -> dict[Step, int]:
    found: dict[Step, int] = {}
    last: Step | None = None
    for step in sorted(steps):
        if last is not None and last[0] == step[0]:
            found[step] = last[1]
        last = step
    return found


def _names(handler: str, steps: Iterable[Step]) -> list[str]:
    return [f"{handler}.{key}.{number}" for key, number in sorted(steps)]


def _gap(records: list[Record], spec: Spec) -> float:
    acked = [each.at for each in records if each.what == "acked"]
    handled = [each.at for each in records if each.what == "handled" and each.who.startswith(f"{spec.group}_")]
    if not acked or not handled:
        return 0.0
    times = [at for at in handled if acked[0] <= at <= acked[-1]]
    return max((later - sooner for sooner, later in itertools.pairwise(times)), default=0.0)
