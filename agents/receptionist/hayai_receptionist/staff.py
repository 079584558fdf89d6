"""Staff: when somebody who works at the business is named, to say honestly that the choice is not here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hayai_receptionist.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

_BEFORE = (
    r"(?:with|by|see|seeing|want|prefer|like|ask for|asking for|request|not|instead of|get|have|is|isn't|are|when is"
    r"|when's|when are|does|do|can|will)"
)
_AFTER = r"(?:working|work|in|free|available|there|on duty|off|as|do|see)"
_WHO = re.compile(r"\bwho(?:'s|'ll)?\b(?!\s+(?:are|am)\b)", re.IGNORECASE)
_LEFT_OUT = frozenset({"dr", "mr", "mrs", "ms"})


def named(text: str, names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where `text` wants one of `names`: "with Jonas", "is Mia in?"; a month of that name is none."""
    return tuple(each.span() for name in names for each in _spoken(name).finditer(text) if _named_so(each))


def _spoken(name: str) -> re.Pattern[str]:
    parts = [re.escape(each) for each in words(name) if each not in _LEFT_OUT] or [re.escape(name)]
    title = r"(?:(?:dr|mr|mrs|ms)\.?\s+)?"
    own = rf"(?P<title>{title})(?P<name>{' '.join(parts)})\b(?!\s+(?:the\s+)?\d)"
    return re.compile(rf"\b(?P<before>{_BEFORE})\s+{own}(?P<after>\s+{_AFTER}\b)?", re.IGNORECASE)


def _named_so(found: re.Match[str]) -> bool:
    """In small letters "may" and "april" are other words."""
    return bool(found["title"]) or found["name"][:1].isupper() or bool(found["after"])


def asked(clause: str, names: Sequence[str]) -> bool:
    """Whether a clause is a question about who works, or who it will be."""
    opens = clause.casefold().startswith(("is ", "are ", "when ", "does ", "do you have ", "will "))
    return bool(_WHO.search(clause)) or (opens and bool(named(clause, names)))
