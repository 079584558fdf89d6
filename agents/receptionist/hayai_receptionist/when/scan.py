"""Walks over the text and picks out every piece of time talk; lone numbers only where neighbours vouch for them."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hayai_receptionist.when.amounts import Noise, Offset
from hayai_receptionist.when.both import BOTH_RULES
from hayai_receptionist.when.clause import Piece
from hayai_receptionist.when.clock import CLOCK_RULES, Times
from hayai_receptionist.when.context import CONTEXT_RULES
from hayai_receptionist.when.days import DAY_RULES
from hayai_receptionist.when.frame import Anchor, Mask
from hayai_receptionist.when.grammar import Grammar, Memo, rule
from hayai_receptionist.when.holidays import HOLIDAY_RULES
from hayai_receptionist.when.marks import MARK_RULES, Mark
from hayai_receptionist.when.noise import LUNCH_RULES, NOISE_RULES, UNIT_RULES
from hayai_receptionist.when.periods import PERIOD_RULES
from hayai_receptionist.when.relative import RELATIVE_RULES
from hayai_receptionist.when.spans import SPAN_RULES
from hayai_receptionist.when.telling import told
from hayai_receptionist.when.times import TIME_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hayai_receptionist.when.tokens import Token

_KINDS = ("NOISE", "OFFSET", "SPAN", "BOTH", "DAY", "TIME", "MARK")
_TOP = tuple(rule("ITEM", kind, lambda value: value) for kind in _KINDS)
GRAMMAR = Grammar(
    (
        *_TOP, *PERIOD_RULES, *SPAN_RULES, *BOTH_RULES, *RELATIVE_RULES, *CONTEXT_RULES, *HOLIDAY_RULES, *DAY_RULES,
        *TIME_RULES, *CLOCK_RULES, *NOISE_RULES, *LUNCH_RULES, *UNIT_RULES, *MARK_RULES,
    ),
)  # fmt: skip

_LIGHT = frozenset(
    ", . ! ? - ; : at the is on so ok okay please pls thanks thank you yes yeah yep sure how about what make it maybe "
    "say let let's do i'd i like prefer i'll take would work works good fine great best then um er well perhaps could "
    "can we around for me hi hello possibly is possible and or be open free available still".split(),
)


_STOPS = frozenset(", . ? ! ; :".split())


def scan(tokens: Sequence[Token], *, anchored: bool = False) -> list[Piece]:
    """Every piece in order of the text; `anchored` when a time is under discussion, to which "well then, 4" replies."""
    return _vouched(_hung(list(_pieces(tokens)), tokens), tokens, anchored=anchored)


def _hung(pieces: list[Piece], tokens: Sequence[Token]) -> list[Piece]:
    """Mark the part of the day right after the day on which an open end hangs: "not until Friday afternoon"."""
    found = list(pieces)
    for i in range(1, len(pieces)):
        end, part = pieces[i - 1], pieces[i]
        bound = isinstance(end.value, Anchor) and end.value.target and end.value.bound and end.last == part.first
        plural = tokens[part.last - 1].text.endswith("s")
        if bound and isinstance(part.value, Times) and part.value == Times(bands=part.value.bands) and not plural:
            found[i] = replace(part, value=replace(part.value, edge=True))
    return found


def _pieces(tokens: Sequence[Token]) -> Iterator[Piece]:
    memo: Memo = {}
    i, gap = 0, []
    while i < len(tokens):
        readings = GRAMMAR.readings("ITEM", tokens, i, memo)
        if not readings:
            gap.append(tokens[i].word)
            i += 1
            continue
        end, value = readings[0]
        for one in value if isinstance(value, tuple) else (value,):
            yield Piece(one, i, end, tuple(gap), told=told(tokens, i))
            gap = []
        i = end


def is_time(value: Any) -> bool:
    """Whether a piece says when, rather than joining or being skipped."""
    return isinstance(value, (Times, Anchor, Mask, Offset))


def _vouched(pieces: list[Piece], tokens: Sequence[Token], *, anchored: bool) -> list[Piece]:
    """Drop lone numbers that nothing near makes a time, and the "for 2" of "for 2 at 3"."""
    changed = True
    if any(isinstance(p.value, Times) and p.value.at and not p.value.bare for p in pieces):
        pieces = [replace(p, value=Noise()) if isinstance(p.value, Times) and p.value.party else p for p in pieces]
    good = {i for i, p in enumerate(pieces) if is_time(p.value) and not _is_bare(p)}
    alone = all(is_time(p.value) or isinstance(p.value, Mark) for p in pieces) and _only_light(pieces, tokens)
    if alone:
        return pieces
    if anchored or good:
        stops = _STOPS if anchored else _STOPS - {","}
        good |= {i for i, p in enumerate(pieces) if _is_bare(p) and _is_reply(p, pieces, tokens, stops)}
    good |= {i for i, p in enumerate(pieces) if _is_bare(p) and _corrects(pieces, i) and good & set(range(i))}
    while changed:
        near = {i for i in range(len(pieces)) if i not in good and _is_bare(pieces[i]) and _near(pieces, i, good)}
        changed = bool(near)
        good |= near
    return [p for i, p in enumerate(pieces) if i in good or not _is_bare(p)]


def _is_bare(piece: Piece) -> bool:
    return isinstance(piece.value, Times) and piece.value.bare


def _only_light(pieces: list[Piece], tokens: Sequence[Token]) -> bool:
    covered = {i for p in pieces for i in range(p.first, p.last)}
    return all(t.word in _LIGHT for i, t in enumerate(tokens) if i not in covered)


def _is_reply(piece: Piece, pieces: list[Piece], tokens: Sequence[Token], stops: frozenset[str]) -> bool:
    """Whether nothing but light words and other numbers stands with it between two stops."""
    known = {i for p in pieces if is_time(p.value) or isinstance(p.value, Mark) for i in range(p.first, p.last)}
    for step, start in ((-1, piece.first - 1), (1, piece.last)):
        i = start
        while 0 <= i < len(tokens) and tokens[i].text not in stops:
            if i not in known and tokens[i].word not in _LIGHT:
                return False
            i += step
    return True


def _corrects(pieces: list[Piece], i: int) -> bool:
    """Whether it stands right after "actually" or "make it", a stop before them or not."""
    before = pieces[i - 1].value if i else None
    return isinstance(before, Mark) and before.kind in {"fix", "back"} and set(pieces[i].gap) <= {",", "at", "to"}


def _near(pieces: list[Piece], i: int, good: set[int]) -> bool:
    return _beside(pieces, i, -1, good) or _beside(pieces, i, 1, good)


def _beside(pieces: list[Piece], i: int, step: int, good: set[int]) -> bool:
    """Whether an accepted piece is next in that direction, with nothing but joints and light words between."""
    gap = pieces[i].gap if step < 0 else ()
    j = i + step
    while 0 <= j < len(pieces):
        if step > 0:
            gap = pieces[j].gap
        if not set(gap) <= _LIGHT - {".", "?", "!", "i"}:
            return False
        if j in good:
            return True
        if not isinstance(pieces[j].value, Mark) and not _is_bare(pieces[j]):
            return False
        gap = pieces[j].gap
        j += step
    return False
