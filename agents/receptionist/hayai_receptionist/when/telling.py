"""Tells what somebody wishes from what they tell: "it broke on Tuesday", "I start work at 10", "the lease ends on the 5th"."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hayai_receptionist.when.amounts import Noise, Offset
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.frame import Anchor, Mask
from hayai_receptionist.when.lexicon import HAPPENED

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
    "can could may would i'd want need like book wondering hoping how what thinking please prefer let's".split()
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

_EVENTS = (
    "shift|exam|exams|wedding|birthday|flight|train|interview|funeral|party|meeting|lecture|surgery|operation|"
    "trip|ferry|ceremony|graduation|anniversary|concert|match|rehearsal|conference|deadline|course|lesson|"
    "lessons|lectures|match|game|prom|event|holiday|holidays|vacation"
)
_VERBS = (
    "work|works|start|starts|finish|finishes|leave|leaves|fly|flies|land|lands|arrive|arrives|get back|get off|"
    "get out|gets back|gets off|gets out|get in|get home|gets home|knock off|clock off|am at|are at|is at|gets in|teach|"
    "teaches|drop|drops|pick|picks|collect|collects|wake|wakes|nap|naps|study|studies|travel|travels|sleep|sleeps|return|returns|am home|is home"
)
_FACT = re.compile(
    r"\b(?:my|our|his|her|their|school)(?: (?!appointment|booking|slot|preference|choice|visit|appt)\w+){1,3}"
    r" (?:is|are)(?: (?:in|on|at|from|until))?$|"
    rf"\b(?:i|we|he|she|they|who|wife|husband|son|daughter|mum|mom|dad|boss|tenant|partner|baby|kids|flight|train)"
    rf"(?: (?:only|usually|normally|always|generally|don't|often|also|just|have to))? (?:{_VERBS})\b"
    rf"|\b(?:my|our|his|her|their|the|a|an) (?:\w+ ){{0,2}}(?:{_EVENTS})\b"
    r"|\b(?:runs? out|expires?|(?:is|are|be) due|ends|closes|starts|begins|finishes|land back|lands back|only works|only runs)\b"
    r"|\b(?:flying|landing|leaving|arriving|getting married|moving (?:house|out|in)|due (?:back|home|on|in|by))\b"
    r"|\b(?:coming|come|comes|get|gets|getting) off\b|\bback (?:from|home)\b|\bused to\b"
    r"|\b\w+ (?:flies|leaves|lands|arrives|returns|finishes|gets (?:in|back|home))\b"
    r"|\bschool (?:starts|finishes|ends|gets out)\b"
    r"|\b(?:usually|normally|generally|typically) (?!free|available|can|around|able)"
    r"|\bon (?:nights|days|earlies|lates|call|shift|duty)\b|\b(?:done|finished|through|free) by\b"
    r"|\b(?:lunch|break|lunch break|lunch hour) is\b"
)
"""Statements of what is or will be anyway; beside a wish they are no wish themselves."""


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
    for token_at in range(first - 1, max(-1, first - 9), -1):
        token = tokens[token_at]
        following = tokens[token_at + 1].text
        if token.text in _DONE and token_at and tokens[token_at - 1].text in _DOERS:
            return True
        if token.text in HAPPENED or (token.text == "had" and following in _HAD):
            return True
        if token.text in _WISH:
            return False
    return False


def wished(pieces: list[Piece], tokens: Sequence[Token]) -> tuple[list[Piece], list[str]]:  # noqa: PLR0911 - a case a telling
    """The pieces without those that only tell something, and what is in doubt about them.

    Thus "It broke on Tuesday. Can I come today?" wishes for today; alone, such a day is in doubt.
    """
    timed = [p for p in pieces if _is_time(p)]
    facts = [p for p in timed if p.told or _is_fact(p, tokens)]
    rest = [p for p in timed if p not in facts]
    leaning = [p.value for p in rest if _leans(p)]
    if any(isinstance(p.value, Times) for p in rest) and leaning and not any(isinstance(v, Times) for v in leaning):
        facts = [p for p in facts if isinstance(p.value, Times)]
    elif leaning:
        return pieces, []
    if not facts:
        return pieces, []
    if not rest and all(_is_over(p) for p in facts) and not _ASKING & {t.text for t in tokens}:
        return [replace(p, value=Noise()) if p in facts else p for p in pieces], []
    if not rest:
        return pieces, ["a time that may be about something else"]
    kept = [replace(p, value=Noise(_clock(p))) if p in facts else p for p in pieces]
    present = [p for p in facts if not p.told]
    if any(not isinstance(p.value, Times) for p in present) and all(isinstance(p.value, Times) for p in rest):
        return pieces, ["a day that may be about something else"]
    if present and not leaning and not any(_is_plain(p, present) for p in rest):
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


def _is_plain(piece: Piece, facts: list[Piece]) -> bool:
    """Whether a wish stands by itself, so that what was told cannot change it: a clock time, or a day beside no day."""
    value = piece.value
    if isinstance(value, Times):
        told_times = [p.value for p in facts if isinstance(p.value, Times)]
        same_kind = any((t.low and value.low) or (t.high and value.high) for t in told_times)
        return value.at is not None or same_kind
    clocks = all(isinstance(p.value, Times) for p in facts)
    wide = isinstance(value, Anchor) and (value.period or value.any or value.soon)
    return not clocks and not wide and not (isinstance(value, Mask) and value.many)


def _is_fact(piece: Piece, tokens: Sequence[Token]) -> bool:
    """Whether the statement up to the piece tells a fact, and no wish follows it within the statement."""
    parts = segments(tokens)
    here = parts[piece.first]
    words = [t.text for i, t in enumerate(tokens[: piece.first + 1]) if parts[i] == here][-12:]
    found = list(_FACT.finditer(" ".join(words)))
    if not found:
        return False
    after = " ".join(words)[found[-1].end() :].split()
    before = set(" ".join(words)[: found[-1].start()].split())
    return not (_WISH - {","}) & set(after) and not _ASKING & before
