"""One written word to its canonical word: aliases, plurals, and typing slips one edit away."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hayai_receptionist.when.lexicon import (
    ALIASES,
    FUZZY,
    FUZZY_WORDS,
    MONTHS,
    NAME_MONTHS,
    NOT_TYPOS,
    SHORT_MONTHS,
    WEAK_DAYS,
    WEEKDAYS,
)

KNOWN = frozenset(
    [
        "morning",
        "afternoon",
        "evening",
        "night",
        "noon",
        "lunch",
        "midnight",
        "o'clock",
        "today",
        "tomorrow",
        "tonight",
        "am",
        "pm",
        "weekend",
        "weekends",
        "weekday",
        "weekdays",
        "next",
        "this",
    ],
)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A canonical word, its kinds (WD, WDS, MONTH, PART), its number, and whether neighbours must vouch for it."""

    word: str
    kinds: tuple[str, ...]
    value: int = 0
    weak: bool = False
    other: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def spell(written: str) -> Spelling:
    """The canonical reading of one lower-case word; itself when it is no word of time."""
    text = written.removesuffix("'s").removesuffix("'")
    bare = text.removesuffix("'d").removesuffix("'ll")
    text = bare if bare != text and _exact(bare) else text
    found = _exact(text)
    if found is not None:
        return found
    close = _close(text)
    if not close and len(text) in {4, 5, 6} and text not in NOT_TYPOS:
        months = [m for m in SHORT_MONTHS if one_edit(text, m)]
        if months:
            return Spelling(months[0], ("MONTH", "GUESS"), MONTHS[months[0]], weak=True)
    if not close:
        return Spelling(ALIASES.get(text, text), ())
    first = _exact(close[0]) or Spelling(close[0], ())
    month = "MONTH" in first.kinds
    return Spelling(first.word, (*first.kinds, "TYPO"), first.value, weak=month, other=close[1:])


def _exact(text: str) -> Spelling | None:
    if text in ALIASES and ALIASES[text] in KNOWN:
        return Spelling(ALIASES[text], ("TIMEWORD",))
    if text in KNOWN:
        return Spelling(text, ("TIMEWORD",))
    word = ALIASES.get(text, text)
    weak = text in WEAK_DAYS or text in NAME_MONTHS
    if word in WEEKDAYS:
        return Spelling(word, ("WD",), WEEKDAYS[word], weak)
    if word in MONTHS:
        return Spelling(word, ("MONTH",), MONTHS[word], weak)
    singular = text.removesuffix("s")
    if singular in WEEKDAYS or (ALIASES.get(singular) in WEEKDAYS and singular not in WEAK_DAYS | {"thur"}):
        name = ALIASES.get(singular, singular)
        return Spelling(name, ("WD", "WDS"), WEEKDAYS[name])
    return Spelling(word, ()) if word != text else None


def _close(text: str) -> tuple[str, ...]:
    if len(text) < 5 or text in NOT_TYPOS or not text.isalpha():
        return ()
    return tuple(w for w in (*FUZZY, *FUZZY_WORDS) if abs(len(w) - len(text)) <= 1 and one_edit(text, w))
    # Six letters and more bear one slip; the words that people mistype most also bear a dropped first letter.


def one_edit(a: str, b: str) -> bool:
    """Whether one letter dropped, added, changed or swapped with its neighbour turns `a` into `b`."""
    if a == b:
        return False
    short, long = sorted((a, b), key=len)
    i = 0
    while i < len(short) and short[i] == long[i]:
        i += 1
    if len(short) != len(long):
        return short[i:] == long[i + 1 :]
    swapped = short[i : i + 2] == long[i : i + 2][::-1] and short[i + 2 :] == long[i + 2 :]
    return swapped or short[i + 1 :] == long[i + 1 :]
