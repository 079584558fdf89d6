"""Words: a customer's text cut into comparable words, with typing slips forgiven."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 1200
"""Characters of one message that are read; what follows is left alone."""

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[👍👌✅🆗👎❌]")
_CONTRACTED = re.compile(r"(n't|'s|'m|'d|'ll|'re|'ve)\Z")


def clean(text: str) -> str:
    """`text` with plain quotes and dashes, no control characters, and no longer than LONGEST."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).translate(_QUOTES)
    shown = (" " if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"} else each for each in plain)
    return " ".join("".join(shown).split())


def wordset(told: str) -> frozenset[str]:
    """The words of `told`, for a list that reads better as prose."""
    return frozenset(told.split())


def words(text: str) -> tuple[str, ...]:
    """The lower-case words of a clean text; "x-ray" is two, "don't" and a thumb are one."""
    return tuple(_WORD.findall(text.casefold()))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """`word` without the ending of a plural or a possessive."""
    word = word.removesuffix("'s").removesuffix("'")
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004 - "dies" and "ties" stay
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):  # noqa: PLR2004
        return word[:-2] if word.endswith(("ches", "shes", "xes", "sses")) else word[:-1]
    return word


def close(written: str, meant: str) -> bool:
    """Whether `written` is `meant`, another number of it, or one slip of the hand away (two in a long word)."""
    left, right = stem(written), stem(meant)
    if left == right:
        return True
    allowed = 0 if len(right) < 5 or not right.isalpha() else 1 if len(right) < 9 else 2  # noqa: PLR2004
    # The first letter is rarely the one that slips: "cake" is not "lake".
    return allowed > 0 and left[:1] == right[:1] and distance(left, right, allowed) <= allowed


@lru_cache(maxsize=8192)
def distance(left: str, right: str, most: int) -> int:
    """Edits (a letter dropped, added, changed, or swapped with the next) between the two, at most `most` + 1."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        before, row, last = row, [i], before
        for j, b in enumerate(right, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], most + 1)


def spans(phrase: tuple[str, ...], said: tuple[str, ...], *, slips: bool = True) -> Iterable[tuple[int, int]]:
    """Where `phrase` stands in `said`, as (first word, word behind the last)."""
    same = close if slips else str.__eq__
    for start in range(len(said) - len(phrase) + 1):
        if phrase and all(same(said[start + i], each) for i, each in enumerate(phrase)):
            yield start, start + len(phrase)


def places(text: str) -> tuple[tuple[int, int], ...]:
    """Where each of `words(text)` stands in a clean text, as character positions."""
    return tuple(found.span() for found in _WORD.finditer(text))


def bare(word: str) -> str:
    """`word` without a contracted verb: "i'd" is "i"."""
    return _CONTRACTED.sub("", word)
