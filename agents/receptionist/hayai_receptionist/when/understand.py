"""The grammar's face: one message in, an Understanding out."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from hayai_receptionist.when.amounts import Noise
from hayai_receptionist.when.ask import confirm
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.compose import Composer
from hayai_receptionist.when.fill import framing, settle
from hayai_receptionist.when.frame import Anchor, DaySpec, Doubt, Frame
from hayai_receptionist.when.marks import Mark
from hayai_receptionist.when.masks import resolve_days
from hayai_receptionist.when.net import unexplained
from hayai_receptionist.when.resolve import Outcome, resolve
from hayai_receptionist.when.scan import is_time, scan
from hayai_receptionist.when.telling import wished
from hayai_receptionist.when.tokens import Token, tokenize
from hayai_receptionist.when.window import Understanding, Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hayai_receptionist.when.clause import Clause, Piece
    from hayai_receptionist.when.hours import Hours

JOINTS = frozenset(
    [
        "or",
        "and",
        "of",
        "on",
        "in",
        "at",
        "for",
        "by",
        "sometime",
        "either",
        "but",
        "not",
        "except",
        "to",
        "the",
        "-",
        ",",
        "/",
        "around",
        "about",
    ]
)
LIMIT = 2000
"""Characters of a message that are read; nobody names a time after more than that."""


def understand(text: str, *, now: datetime, hours: Hours, context: Window | None = None) -> Understanding:
    """Read what a message says about when.

    `now` is aware, in the business's zone; `context` is the window under discussion, from which "the day after",
    "an hour later" and a lone "at 4" are reckoned. Never raises on any text.
    """
    tokens = tokenize(text[:LIMIT])
    pieces = scan(tokens, anchored=context is not None)
    if context is None:
        pieces = [p for i, p in enumerate(pieces) if not _is_idle_shift(pieces, i)]
    pieces, history = wished(pieces, tokens)
    composer = Composer()
    for i, piece in enumerate(pieces):
        after = next((p for p in pieces[i + 1 :] if not isinstance(p.value, Noise)), None)
        composer.read(piece, after)
    composer.finish()
    wishes, exclusions, doubts = settle(composer.clauses)
    leftover = _leftover(text, tokens, pieces)
    doubts += history + composer.doubts + unexplained(tokens, pieces, composer.unused)
    if not wishes and not exclusions:
        return _nothing(leftover, doubts)
    if context is None:
        doubts += _unframed(wishes, exclusions, tokens)
    frame = Frame(now, hours, context, now.date())
    outcome = resolve(wishes, exclusions, frame)
    if context is None and len(pieces) > 1 and all(_is_number(p) for p in pieces):
        doubts += ["a number that may not be a time"]
    doubts += _on_the_edge(composer.edges, outcome, frame)
    doubts += _doubtful(wishes) + (["said not to be certain"] if composer.unsure else [])
    return _answer(outcome, doubts, leftover, wishes + exclusions, tokens)


def _is_number(piece: Piece) -> bool:
    """Whether it is a bare number, or joins such: "2 or 3 would be good" may count anything."""
    value = piece.value
    return value.kind in {"or", "and"} if isinstance(value, Mark) else isinstance(value, Times) and value.bare


def _on_the_edge(edges: list[DaySpec], outcome: Outcome, frame: Frame) -> list[str]:
    """Thus after "not until the 9th" it is open whether the 9th itself will do, unless another day is wished for."""
    wished_days = {(w.start.date(), (w.end - timedelta(microseconds=1)).date()) for w in outcome.windows}
    for edge in edges:
        try:
            days = [day for found in resolve_days(edge, frame) for span in found for day in span]
        except Doubt:
            days = []
        if not days or not wished_days or any(a <= day <= b for day in days for a, b in wished_days):
            return ["whether the last day is ruled out too"]
    return []


def _is_idle_shift(pieces: list[Piece], i: int) -> bool:
    """Thus "later" with nothing under discussion is only a way to say goodbye, unless it stands beside a day."""
    value = pieces[i].value
    if not isinstance(value, Times) or not value.shift or value.that:
        return False
    light = {"in", "the", "day", "on", ","}
    before = i > 0 and is_time(pieces[i - 1].value) and set(pieces[i].gap) <= light
    after = i + 1 < len(pieces) and is_time(pieces[i + 1].value) and set(pieces[i + 1].gap) <= light
    return not before and not after and not any(is_time(p.value) and isinstance(p.value, Times) for p in pieces[:i])


def _nothing(leftover: str, doubts: list[str]) -> Understanding:
    question = "Which day and time would suit you?" if doubts else None
    reason = "; ".join(doubts) or "nothing about time"
    return Understanding((), 0.5 if doubts else 1.0, reason, question, (), leftover, has_date=False, has_time=False)


def _answer(
    outcome: Outcome,
    doubts: list[str],
    leftover: str,
    clauses: list[Clause],
    tokens: Sequence[Token],
) -> Understanding:
    if doubts and outcome.question is None:
        question = confirm(outcome.windows[0]) if outcome.windows else "Which day and time would suit you?"
        outcome.doubt(question, "; ".join(doubts), tuple(outcome.windows[:1]))
    typo = any("TYPO" in t.keys for t in tokens)
    sure = 0.9 if typo else 1.0
    return Understanding(
        windows=tuple(outcome.windows),
        confidence=0.5 if outcome.question else sure,
        reason=outcome.reason or ("read with a corrected spelling" if typo else "read as said"),
        question=outcome.question,
        choices=outcome.choices,
        leftover=leftover,
        has_date=any(c.days or c.offset for c in clauses),
        has_time=any(
            (c.times is not None and c.times != Times()) or (c.offset and c.offset.length.clock) for c in clauses
        ),
    )


_LIKING = frozenset({"better", "best", "good", "easier", "ideal", "prefer", "preferable", "preferred", "suit", "great"})


def _unframed(wishes: list[Clause], exclusions: list[Clause], tokens: Sequence[Token]) -> list[str]:
    """Thus "anything but Mondays" and "mornings are better for me" leave the day quite open."""
    framed = any(framing(c) for c in exclusions)
    if not wishes and exclusions and not framed:
        return ["only what is ruled out was said"]
    if wishes and exclusions and all(not c.days and c.times and c.times.against for c in wishes):
        return ["only what is ruled out was said"]
    if not exclusions and any(one.text == "other" and two.word in {"day", "time"} for one, two in pairwise(tokens)):
        return ["other days than which"]
    vague = all(not c.days and not c.offset and c.times and c.times.bands and not c.times.at for c in wishes)
    if vague and _LIKING & {t.text for t in tokens}:
        return ["a part of the day without a day"]
    return []


def _doubtful(wishes: list[Clause]) -> list[str]:
    said = [c.times for c in wishes if c.times]
    shaky = any(t.doubtful or any(c and c.doubtful for c in (t.at, t.low, t.high)) for t in said)
    loose = [c for c in wishes if c.times and c.times.bare and c.times.low and c.times.high and c.days]
    shaky = shaky or any(
        c.times.high.hour - c.times.low.hour == 1 and all(isinstance(d, Anchor) and d.period for d in c.days)
        for c in loose
        if c.times and c.times.high and c.times.low
    )
    return ["a number that may not be a time"] if shaky else []


def _leftover(text: str, tokens: Sequence[Token], pieces: Sequence[Piece]) -> str:
    """The text without its time words and the joints that hang on them."""
    gone = {i for p in pieces if is_time(p.value) for i in range(p.first, p.last)}
    for order in (range(len(tokens)), reversed(range(len(tokens)))):
        for i in order:
            if tokens[i].word in JOINTS and (i - 1 in gone or i + 1 in gone):
                gone.add(i)
    kept, at = [], 0
    for i in sorted(gone):
        kept.append(text[at : tokens[i].start])
        at = tokens[i].end
    return re.sub(r"\s+", " ", " ".join([*kept, text[at:]])).strip(" ,;")
