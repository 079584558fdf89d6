"""Tells what somebody wishes from what they tell: "it broke on Tuesday", "I start work at 10", "the lease ends on the 5th"."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from hayai_receptionist.when.amounts import Noise, Offset
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.facts import CONTACT, FACT
from hayai_receptionist.when.frame import Anchor, Mask
from hayai_receptionist.when.lexicon import HAPPENED
from hayai_receptionist.when.marks import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai_receptionist.when.clause import Piece
    from hayai_receptionist.when.tokens import Token

_STOPS = frozenset(". ? ! ;".split())
_BREAKS = frozenset("so but because cos coz cause".split())
_SUBJECTS = frozenset(
    "i i'm i'd i've i'll we we're we'd he he's she she's they it it's my our his her their there can could would "
    "may might is are do does how what please thanks any if ideally preferably the otherwise".split(),
)
"""After a comma or "and" these begin another statement."""
_WISH = frozenset(
    ". ? ! , ; can could may would i'd want need like book is are do does how what wondering thinking hoping "
    "looking so rebook prefer please let's try".split(),
)
"""Words that end a telling and begin a wish."""

_ASKING = frozenset(
    "can could may would cld cud wld wud i'd want need like book wondering hoping how what thinking please prefer let's".split()
)
"""Before a statement's verb these make it a wish: "could I drop it off"."""
_HAD = frozenset("a an my the it this that one him her them those some".split())
"""Thus "had a" happened, while "had hoped" is a wish."""

_DONE = frozenset(
    "fixed cleaned did done packed checked filled pulled treated installed replaced repaired painted met sorted "
    "booked removed fitted serviced looked saw used".split()
)
_DOERS = frozenset("you i we he she they guys it who dentist doctor team guy man lady".split())
"""Before one of the others these did it; "get it fixed on Friday" is a wish."""
_TELLERS = frozenset("i i'm we we're he she they my our his her their the it it's i've we've".split())
_OFFERS = frozenset(
    "free available off around home open works work suit suits good best fine ok okay flexible possible will "
    "thought think hope said meant sounds better we'll i'll happy in there".split()
)
"""Where one of these stands, a day may be offered rather than told."""
_HOPED = frozenset(
    "need closed offered mentioned suggested booked interested supposed allowed wanted needed hoped wondered preferred liked tried planned wished scheduled".split()
)
_NAMED = "then"
"""Stands for the words of a time when a statement is judged."""
_CAUSES = frozenset("need needs want wants get getting have having like needing wanting".split())


def segments(tokens: Sequence[Token]) -> list[int]:
    """The number of the statement that each token stands in; a stop, "so", or a new subject begins another."""
    found, number = [], 0
    for i, token in enumerate(tokens):
        before = tokens[i - 1].text if i else ""
        starts = token.text in _BREAKS or (before in {",", "and", "-"} and token.text in _SUBJECTS)
        if i and (before in _STOPS or starts) and token.text not in _STOPS:
            number += 1
        found.append(number)
    return found


def told(tokens: Sequence[Token], first: int) -> bool:
    """Whether the same sentence has said, not long before, that something happened."""
    for token_at in range(first - 1, max(-1, first - 14), -1):
        token = tokens[token_at]
        following = tokens[token_at + 1].text
        if token.text in _DONE and _did(tokens, token_at):
            return True
        if token.text in HAPPENED or _past(tokens, token_at) or (token.text == "had" and following in _HAD):
            return True
        if token.text in _WISH:
            return False
    return False


def _without_base(facts: list[Piece], timed: list[Piece], parts: list[int]) -> list[Piece]:
    """The facts on which no wish leans: those of other statements than the one before "after that"."""
    based: set[int] = set()
    for i, piece in enumerate(timed):
        if _leans(piece):
            here = parts[piece.first]
            earlier = [parts[p.first] for p in timed[:i]]
            based.update(earlier[-1:], [p for p in earlier if p < here][-1:])
    return [p for p in facts if parts[p.first] not in based]


def _listed(pieces: list[Piece], facts: list[Piece], parts: list[int]) -> list[Piece]:
    """Thus in "I have class on Mondays and Wednesdays" both are told."""
    found: list[Piece] = []
    for i in range(2, len(pieces)):
        one, joint, two = pieces[i - 2 : i + 1]
        listed = isinstance(joint.value, Mark) and joint.value.kind in {"and", "or"} and not joint.gap
        same = type(one.value) is type(two.value) and set(two.gap) <= {"on", "at"} and two not in facts
        if listed and same and one in [*facts, *found] and parts[one.first] == parts[two.first]:
            found.append(two)
    return found


def _reasons(rest: list[Piece], pieces: list[Piece], tokens: Sequence[Token], parts: list[int]) -> list[Piece]:
    """The days of a statement from which "so" draws a wish for another: "I get paid on the 1st so the 2nd"."""
    days = [p for p in rest if isinstance(p.value, (Anchor, Mask))]
    marked = {
        parts[p.first] for p in pieces if isinstance(p.value, Mark) and p.value.kind not in {"and", "booked", "to"}
    }
    found: list[Piece] = []
    for one, two in itertools.pairwise(days):
        here, there = parts[one.first], parts[two.first]
        words = [t.text for i, t in enumerate(tokens) if parts[i] == here]
        drawn = there == here + 1 and tokens[parts.index(there)].text == "so" and not _leans(two)
        told = words[0] in _TELLERS and here not in marked and not (_WISH - {","} | _OFFERS) & set(words)
        if drawn and told:
            found.extend(p for p in rest if parts[p.first] == here)
    return found


def _past(tokens: Sequence[Token], i: int) -> bool:
    """Whether a regular past tense stands after who did it: "it leaked", "you noticed"."""
    word = tokens[i].text
    regular = word.endswith("ed") and word not in _HOPED and "WD" not in tokens[i].keys
    if i == 0 or tokens[i - 1].text in _STOPS | {",", "and", "then"}:
        return regular or (word == "got" and bool({"INT", "my", "it", "the"} & tokens[i + 1].keys))
    return (regular or word in {"left", "cut", "put", "hit"}) and tokens[i - 1].text in _DOERS - {"it"}


def _did(tokens: Sequence[Token], i: int) -> bool:
    """Whether somebody did it; "need it done" and "get it fixed" are wishes."""
    before, cause = (tokens[i - n].text if i >= n else "" for n in (1, 2))
    return before in _DOERS and cause not in _CAUSES


def wished(pieces: list[Piece], tokens: Sequence[Token]) -> tuple[list[Piece], list[str]]:  # noqa: PLR0911 - a case a telling
    """The pieces without those that only tell something, and what is in doubt about them.

    Thus "It broke on Tuesday. Can I come today?" wishes for today; alone, such a day is in doubt.
    """
    timed = [p for p in pieces if _is_time(p)]
    named = [_NAMED if any(p.first <= i < p.last for p in timed) else t.text for i, t in enumerate(tokens)]
    parts = segments(tokens)
    facts = [p for p in timed if p.told or _is_fact(p, tokens, named, parts)]
    facts += _listed(pieces, facts, parts)
    facts += _reasons([p for p in timed if p not in facts], pieces, tokens, parts)
    rest = [p for p in timed if p not in facts]
    leaning = [p.value for p in rest if _leans(p)]
    if leaning:
        hours = any(isinstance(p.value, Times) for p in rest) and not any(isinstance(v, Times) for v in leaning)
        apart = _without_base(facts, timed, parts)
        facts = [p for p in facts if p in apart or (hours and isinstance(p.value, Times))]
    if not facts:
        return pieces, []
    if leaning:
        return [replace(p, value=Noise(_clock(p))) if p in facts else p for p in pieces], []
    if not rest and all(_is_over(p) for p in facts) and not _ASKING & {t.text for t in tokens}:
        return [replace(p, value=Noise()) if p in facts else p for p in pieces], []
    if not rest:
        return pieces, ["a time that may be about something else"]
    kept = [replace(p, value=Noise(_clock(p))) if p in facts else p for p in pieces]
    present = [p for p in facts if not p.told]
    if any(not isinstance(p.value, Times) for p in present) and all(isinstance(p.value, Times) for p in rest):
        return pieces, ["a day that may be about something else"]
    if present and not leaning and not _is_whole(rest) and not any(_is_plain(p, present) for p in rest):
        return kept, ["a time that may be about something else"]
    return kept, []


def _is_over(piece: Piece) -> bool:
    """Whether it is told of what has been: "I was in last Tuesday and it still hurts" asks for no time at all."""
    return piece.told or (isinstance(piece.value, Anchor) and piece.value.past)


def _is_time(piece: Piece) -> bool:
    return isinstance(piece.value, (Times, Anchor, Mask, Offset))


def _leans(piece: Piece) -> bool:
    """Whether a wish is reckoned from what was told: "I finish at 4, any time after that"."""
    value = piece.value
    return (isinstance(value, Times) and bool(value.shift)) or (isinstance(value, Anchor) and value.step is not None)


def _clock(piece: Piece) -> Times | None:
    """The clock time that was told, for "the same time"."""
    return piece.value if isinstance(piece.value, Times) and piece.value.at else None


def _is_whole(rest: list[Piece]) -> bool:
    """Whether a day and an hour are wished for, so that nothing told is needed."""
    hours = any(isinstance(p.value, Times) and (p.value.at or p.value.low or p.value.high) for p in rest)
    return hours and any(isinstance(p.value, (Anchor, Mask)) for p in rest)


def _is_plain(piece: Piece, facts: list[Piece]) -> bool:
    """Whether a wish stands by itself, so that what was told cannot change it: a clock time, or a day beside no day."""
    value = piece.value
    if isinstance(value, Times):
        told_times = [p.value for p in facts if isinstance(p.value, Times)]
        same_kind = any((t.low and value.low) or (t.high and value.high) for t in told_times)
        return value.at is not None or same_kind
    clocks = all(isinstance(p.value, Times) for p in facts)
    wide = isinstance(value, Anchor) and ((value.period and value.bound != "high") or value.any or value.soon)
    return not clocks and not wide and not (isinstance(value, Mask) and value.many)


def _is_fact(piece: Piece, tokens: Sequence[Token], named: list[str], parts: list[int]) -> bool:
    """Whether the statement up to the piece tells a fact, and no wish follows it within the statement.

    `named` are the words without those that say when: "the May bank holiday" is no holiday of somebody's.
    """
    here = parts[piece.first]
    words = [word for i, word in enumerate(named[: piece.first]) if parts[i] == here][-11:]
    text = " ".join([*words, tokens[piece.first].text])
    if CONTACT.search(text):
        return True
    found = list(FACT.finditer(text))
    if not found:
        return False
    after = text[found[-1].end() :].split()
    before = set(text[: found[-1].start()].rpartition(",")[2].split())
    return not (_WISH - {","}) & set(after) and not _ASKING & before
