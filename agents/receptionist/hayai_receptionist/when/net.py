"""The safety net: every word near a time is either explained by the grammar, known to be idle, or a doubt."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai_receptionist.when.amounts import Noise
from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.lexicon import NAME_MONTHS, NEAR_TIME, STREETS, TIMELIKE, WEAK_DAYS
from hayai_receptionist.when.marks import Mark
from hayai_receptionist.when.telling import segments

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hayai_receptionist.when.clause import Piece
    from hayai_receptionist.when.tokens import Token

_NEGATIONS = frozenset(
    "not n't no never without nothing none neither nor cannot can't cant won't wont don't dont doesn't doesnt isn't "
    "isnt aren't couldn't wouldn't didn't hasn't haven't hadn't wasn't shouldn't ain't barely hardly rarely seldom "
    "unable impossible unavailable hate hates avoid avoiding skip except unless excluding barring excl".split(),
)
"""Words that turn a wish round; one that no rule has used is a doubt in the statement where a time stands."""
_TURNS = frozenset(
    "bar saving save minus sans pre post beside besides apart aside instead between alternately alternating otherwise "
    "hopeless useless awkward tricky ruled clash clashes conflict conflicts busy away overseas "
    "abroad full packed gone doubt doubtful unsure undecided torn neither unlikely".split(),
)
"""Words that may rule a time out or open a choice; left over in the statement of a time they are a doubt."""
_HARMLESS = frozenset(
    "no|problem no|worries no|rush no|hurry no|thanks no|need not|urgent no|pain no|longer not|only not|just don't|mind "
    "dont|mind doesn't|matter dont|worry don't|worry wouldn't|mind not|bad no|matter no|doubt if|not why|not "
    "dont|ask don't|ask not|too|fussed not|fussed not|bothered can't|wait cant|wait haven't|been not|been no|idea "
    "don't|have dont|have haven't|got isn't|there not|really|fussed no|preference dont|care don't|care without|fail".split(),
)
"""Negations that say nothing about a time, by the words that follow."""


_NUMBERED = STREETS | {"floor", "time", "visit", "appointment", "one", "session", "birthday", "grade"}
"""After "the 5th" these make it no date."""


def unexplained(tokens: Sequence[Token], pieces: Sequence[Piece], unused: Collection[int]) -> list[str]:
    """What may have changed the meaning of a time and was not read; `unused` are marks that had no effect.

    The reasons repeat only words of the lexicon, never names.
    """
    covered = {i for p in pieces if p.first not in unused for i in range(p.first, p.last)}
    covered -= {p.first for p in pieces if isinstance(p.value, Noise) and _before_day(tokens, p.first)}
    timed = {i for p in pieces if _says_when(p) for i in range(p.first, p.last)}
    parts = segments(tokens)
    here = {parts[i] for i in timed}
    left = {
        t.word
        for i, t in enumerate(tokens)
        if i not in covered
        and not _tells_why(tokens, i, pieces)
        and (
            t.keys & TIMELIKE
            or ({i - 1, i + 1} & timed and _may_turn(t))
            or (parts[i] in here and _turns(tokens, i))
            or (timed and _before_day(tokens, i))
            or (timed and (_is_nth(tokens, i) or _is_weak_listed(tokens, i)))
        )
    }
    guessed = [t.word for t in tokens if "GUESS" in t.keys and "MONTH" in t.keys]
    if guessed:
        return [f"a misspelled month: {guessed[0]}"]
    return [f"time words not understood: {', '.join(sorted(left))}"] if left else []


def _tells_why(tokens: Sequence[Token], i: int, pieces: Sequence[Piece]) -> bool:
    """Thus "at 6 after I get off" and "at 7 before I start work": the hour is said, what follows only tells why."""
    clocks = {p.last for p in pieces if isinstance(p.value, Times) and p.value.at and not p.value.bare}
    following = tokens[i + 1].text if i + 1 < len(tokens) else ""
    return i in clocks and tokens[i].text in {"before", "after"} and following in {"i", "we", "my", "our", "he", "she"}


def _before_day(tokens: Sequence[Token], i: int) -> bool:
    """Thus "one day" leaves the day open."""
    return tokens[i].text in {"one", "some"} and i + 1 < len(tokens) and tokens[i + 1].text == "day"


def _says_when(piece: Piece) -> bool:
    return not isinstance(piece.value, (Mark, Noise))


def _may_turn(token: Token) -> bool:
    """Whether a word left over beside a time may have changed its meaning: "too", "half", a number."""
    number = "INT" in token.keys and "COUNT" not in token.keys and "SPELLED" not in token.keys
    return bool(token.keys & NEAR_TIME) or number


def _is_nth(tokens: Sequence[Token], i: int) -> bool:
    """A "tenth" or "3rd" that was not read as a date, nor as the place of something in a row."""
    token, before = tokens[i], tokens[i - 1].text if i else ""
    after = tokens[i + 1].text if i + 1 < len(tokens) else ""
    digits = "ORD" in token.keys and "SPELLED" not in token.keys
    dated = digits and before in {"the", "on", "or", "and", "from", "until", "by"} and after not in _NUMBERED
    return dated or ("NTH" in token.keys and not token.value <= 3)  # noqa: PLR2004 - "third opinion"


def _is_weak_listed(tokens: Sequence[Token], i: int) -> bool:
    """A "may" or "sun" that was taken for no month or day, although it stands in a list."""
    word, before = tokens[i].text, tokens[i - 1].text if i else ""
    return word in NAME_MONTHS | WEAK_DAYS and before in {"or", "and", "to", "-", "/", "&"}


def _turns(tokens: Sequence[Token], i: int) -> bool:
    if tokens[i].text == "full" and (i == 0 or tokens[i - 1].text in {"a", "the", "my", "our", "doing"}):
        return False
    if tokens[i].text in _TURNS:
        return True
    if tokens[i].text not in _NEGATIONS:
        return False
    if {"if", "should", "why"} & {t.text for t in tokens[max(0, i - 4) : i]}:
        return False
    words = [t.text for t in tokens[i : i + 3]]
    return "|".join(words[:2]) not in _HARMLESS and "|".join(words) not in _HARMLESS
