"""Whether "sat", "may" or "march" is a day or month here, or a verb or a name: its neighbours decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai_receptionist.when.lexicon import MONTHS, PRONOUNS, TITLES, WEEKDAYS
from hayai_receptionist.when.numbers import ORDINALS

if TYPE_CHECKING:
    from hayai_receptionist.when.spelling import Spelling

_DAY_LEAD = frozenset(
    [
        "on",
        "this",
        "next",
        "coming",
        "by",
        "before",
        "after",
        "until",
        "till",
        "from",
        "or",
        "and",
        "to",
        "between",
        "not",
        "either",
        "any",
        "every",
        "either-or",
        "late",
        "last",
        "first",
        "except",
        "but",
        ",",
        "-",
        "/",
        "&",
        "than",
        "thru",
        "through",
        "for",
    ],
)
_MONTH_LEAD = frozenset(
    [
        "in",
        "of",
        "by",
        "until",
        "before",
        "after",
        "next",
        "this",
        "coming",
        "early",
        "late",
        "mid",
        "middle",
        "since",
        "during",
        "through",
        "end",
        "from",
        "between",
    ],
)
_DAY_FOLLOW = frozenset(
    [
        "morning",
        "mornings",
        "afternoon",
        "afternoons",
        "evening",
        "evenings",
        "night",
        "at",
        "noon",
        "or",
        "and",
        "the",
        "-",
        "/",
        "&",
        ",",
        "?",
        ".",
        "!",
        "around",
        "after",
        "before",
        "between",
        "next",
        "works",
        "please",
        "through",
        "thru",
        "to",
        "am",
        "pm",
        "would",
        "is",
    ],
)
_NOT_AFTER_DAY = frozenset(
    [
        "nav",
        "burn",
        "screen",
        "cream",
        "light",
        "damage",
        "spots",
        "lotion",
        "exposure",
        "tan",
        "glasses",
        "shine",
        "up",
        "down",
        "in",
    ]
)


def is_time_word(word: Spelling, before: list[str], after: frozenset[str], next_word: str) -> bool:
    """Judge a weak word by the two words before it, the kinds of the token after it, and the word after it."""
    previous = before[-1]
    if previous in TITLES or (before[0] in TITLES and previous == "."):
        return False
    if "MONTH" in word.kinds:
        return _is_month(word, before, after, next_word)
    if previous in PRONOUNS or previous in {"the", "a", "my", "of", "in"} or next_word in _NOT_AFTER_DAY:
        return False
    lead = previous in _DAY_LEAD or _is_day_name(previous) or previous == ""
    number = bool(after & {"INT", "ORD", "CLK", "MONTH", "HOUR"})
    follow = next_word in _DAY_FOLLOW or number or next_word == "" or "WD" in after
    if previous in {"or", "and", ",", "for", "but", "not", "to", "-"}:
        return follow
    return lead if previous else follow


def _is_month(word: Spelling, before: list[str], after: frozenset[str], next_word: str) -> bool:
    previous = before[-1]
    day_before = previous[:1].isdigit() or previous == "of" or previous in ORDINALS
    day_after = bool(after & {"INT", "ORD", "DOM"}) or (next_word == "the" and word.word != "may")
    if previous in PRONOUNS or (before[0] in {"name", "is"} and previous == "is"):
        return False
    if previous in {"with", "see", "i'm", "am"}:
        return bool(after & {"ORD"})
    if previous in {"or", "and", "to", "-", "/", "&", ","} and before[0] in MONTHS:
        return True
    if "GUESS" in word.kinds:
        return bool(after & {"INT", "ORD"}) or (previous.isdigit() and next_word in {"", ",", ".", "at"})
    if previous == next_word == "":
        return True
    modal = word.word == "may" and next_word in {"i", "we", "he", "she", "they", "you", "be", "have", "my", "not"}
    return not modal and (day_before or day_after or previous in _MONTH_LEAD)


def _is_day_name(text: str) -> bool:
    return text in WEEKDAYS or text in {"tomorrow", "today"}
