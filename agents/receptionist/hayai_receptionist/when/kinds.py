"""What kinds a number may be, by the words around it: an hour, minutes, a day of the month, or a count of something."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai_receptionist.when.lexicon import COUNTED, FOLLOWERS, LABELS, STREETS, UNITS
from hayai_receptionist.when.numbers import CARDINALS

if TYPE_CHECKING:
    from hayai_receptionist.when.spelling import Spelling
    from hayai_receptionist.when.tokens import Token

_WHICH = frozenset(
    {
        "the",
        "that",
        "this",
        "which",
        "first",
        "last",
        "next",
        "another",
        "no",
        "any",
        "other",
        "new",
        "either",
        "each",
        "only",
        "same",
    }
)
"""After one of these "one" is no hour."""
_AGED = frozenset({"he's", "she's", "hes", "shes", "i'm", "im"})
"""A number that ends the statement after one of these is an age."""
_HOUSE_LETTERS = frozenset("bcdefgijklmnoqrstuvwxyz")
"""Glued to a number these make it a house number or a size, not an hour: "22b"."""


def int_kinds(tokens: list[Token], spelled: list[Spelling], i: int) -> set[str]:  # noqa: C901 - a case a kind
    """The kinds of a number: HOUR, MIN, HHMM, DOM, YEAR, OVER, COUNT, DOUBTFUL."""
    token = tokens[i]
    digits = token.text.isdigit()
    kinds: set[str] = set()
    after = spelled[i + 1].word if i + 1 < len(tokens) else ""
    before = spelled[i - 1].word if i else ""
    if digits and len(token.text) == 4 and 2000 <= token.value < 2100:
        kinds.add("YEAR")
    if len(token.text) == 4 and digits and after == "hour" and token.value // 100 < 24 and token.value % 100 < 60:
        return {"HHMM"}
    address = any(word_at(spelled, j) in STREETS for j in range(i + 1, i + 4))
    glued = i + 1 < len(tokens) and tokens[i + 1].start == token.end and tokens[i + 1].text in _HOUSE_LETTERS
    if token.text == "one" and i and (tokens[i - 1].text in _WHICH or _names_day(tokens, spelled, i - 1)):
        return kinds
    listed = tokens[0].text == "1" and len(tokens) > 1 and tokens[1].text in {".", ")"} and token.value <= 5
    if listed and i + 1 < len(tokens) and tokens[i + 1].text in {".", ")"}:
        return kinds | {"COUNT"}
    aged = i > 0 and tokens[i - 1].text in _AGED and after in {"", ",", ".", "so", "and", "but", "years"}
    counted = (
        aged
        or address
        or glued
        or after in COUNTED
        or before in LABELS
        or (after == "-" and word_at(spelled, i + 2) in UNITS)
    )
    if counted:
        return kinds | {"COUNT"}
    if digits and len(token.text) in {3, 4} and token.value // 100 < 24 and token.value % 100 < 60:
        kinds.add("HHMM")
    if len(token.text) > 2 and digits:
        return kinds
    if token.value <= 23:
        kinds.add("HOUR")
    if 10 <= token.value < 60:
        kinds.add("MIN")
    if 1 <= token.value <= 31 and not (i + 1 < len(tokens) and tokens[i + 1].keys & {"AMPM"}) and after != "o'clock":
        kinds.add("DOM")
    if token.value > 23:
        kinds.add("OVER")
    return kinds | _follower_kinds(spelled, i)


def _names_day(tokens: list[Token], spelled: list[Spelling], i: int) -> bool:
    """Thus "the Thursday one" is an offer, not an hour."""
    return i > 0 and "WD" in spelled[i].kinds and tokens[i - 1].text in {"the", "that", "your", "my"}


def _follower_kinds(spelled: list[Spelling], i: int) -> set[str]:
    """A bare hour before an unknown word is doubtful: it may count something."""
    after = word_at(spelled, i + 1)
    known = (
        not after.isalpha()
        or after in {"ish", "sharp", "am", "pm"}
        or after in FOLLOWERS
        or after in CARDINALS
        or bool(spelled[i + 1].kinds)
    )
    return set() if known else {"DOUBTFUL"}


def ord_kinds(tokens: list[Token], spelled: list[Spelling], i: int) -> set[str]:
    """Thus "the 5th" is a date, "my 5th visit" and "second opinion" are not."""
    after = word_at(spelled, i + 1)
    before = word_at(spelled, i - 1)
    if i + 1 < len(tokens) and tokens[i + 1].text in {"one", "ones"}:
        return set()
    if not 1 <= tokens[i].value <= 31 or before in {"my", "your", "his", "her", "our", "their", "a"}:
        return set()
    if i + 1 < len(tokens) and after.isalpha() and not _may_follow_date(after, spelled[i + 1]):
        return set()
    return {"NTH"}


def _may_follow_date(word: str, spelling: Spelling) -> bool:
    parts = {
        "of",
        "morning",
        "afternoon",
        "evening",
        "around",
        "about",
        "before",
        "after",
        "between",
        "through",
        "same",
    }
    parts |= {
        "when",
        "where",
        "whenever",
        "we",
        "they",
        "you",
        "early",
        "late",
        "mid",
        "noon",
        "lunch",
        "any",
        "anything",
    }
    parts |= {"taken", "booked", "gone", "full", "still", "already", "open", "off"}
    parts |= {"some", "something", "sometime", "anytime", "again", "all", "will", "need", "looks", "sharp", "then"}
    return word in FOLLOWERS | parts or bool({"MONTH", "WD"} & set(spelling.kinds))


def word_at(spelled: list[Spelling], i: int) -> str:
    """The canonical word there, or nothing beyond the ends."""
    return spelled[i].word if 0 <= i < len(spelled) else ""
