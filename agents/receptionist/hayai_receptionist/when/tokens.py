"""Text into tokens: numbers, clock times, dates and words, each with its place in the text and its kinds."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from hayai_receptionist.when.greeting import greets, shorthand
from hayai_receptionist.when.kinds import int_kinds, ord_kinds, word_at
from hayai_receptionist.when.lexicon import (
    COUNTED,
    PHRASAL,
    PRONOUNS,
    SHORTENED,
    STREETS,
    STRONG_SHORT,
    TITLES,
    WEDDING,
)
from hayai_receptionist.when.numbers import CARDINALS, ORDINALS, joined
from hayai_receptionist.when.spelling import Spelling, spell
from hayai_receptionist.when.support import is_time_word

_PATTERN = re.compile(
    r"""
      (?P<junk> https?://\S+ | \S+@\S+\.\w+ | [$€£]\s?[0-9][0-9.,]* | [0-9][0-9.,]*\s?(?:%|[$€£])
              | \#\s?[0-9]+ | 24/7 | 9-1-1 | [0-9]{5,} )
    | (?P<iso> [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?! [0-9] ) )
    | (?P<num> [0-9]{1,2}/[0-9]{1,2}(?:/(?:[0-9]{4}|[0-9]{2}))? (?![0-9/])
             | [0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{4}|[0-9]{2}) (?![0-9])
             | [0-9]{1,2}\.(?:0?[1-9]|1[0-2])\. (?=\s+[a-z0-9]) (?![0-9])
             | [0-9]{1,2}-[0-9]{1,2}-[0-9]{4} )
    | (?P<clk> T?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})? (?![0-9:]) | [0-9]{1,2}\.[0-9]{2} (?![0-9.]*[0-9])
             | [0-9]{1,2}h(?:[0-9]{2})? (?![a-z0-9]) )
    | (?P<dec> [0-9]+[.,][0-9]+ )
    | (?P<ord> [0-9]{1,2}\s?(?:st|nd|rd|th)\b )
    | (?P<slang> 2moro | 2morrow | 2mrw | 2day | 2nite | 2night | b4 )\b
    | (?P<int> [0-9]+ )
    | (?P<half> [ap]\.?m\.?(?![a-z']) | (?<=[0-9])[ap](?![a-z'.]) )
    | (?P<word> [^\W\d_]+(?:['.](?=[^\W\d_])[^\W\d_]+)* )
    | (?P<mark> [^\s] )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![0-9:/.-])(?![0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![0-9]))(?:\+|\()?[0-9]+(?:[ ().-]{1,3}[0-9]+)+")
_NEGATED = frozenset({"not", "no", "can't", "cant", "cannot", "don't", "dont", "won't", "isn't", "never"})
"""After one of these a dash with spaces is a pause: "not the 18th - the 19th"."""
_CENTURIES = (["two", "thousand", "and"], ["two", "thousand"], ["twenty"])
"""What is said before the last two digits of a year."""
_DASHES = str.maketrans({"–": "-", "—": "-", "‑": "-", "−": "-", "’": "'", "‘": "'", "`": "'", "´": "'", "\n": ";"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or mark: `word` is canonical, `keys` are all names a rule may know it by."""

    word: str
    text: str
    start: int
    end: int
    keys: frozenset[str]
    value: int = 0
    other: tuple[str, ...] = field(default=())
    """Further weekdays or months that a misspelled word may have meant."""


def tokenize(text: str) -> list[Token]:
    """Cut the text into tokens and give each number and each weak word the kinds its neighbours allow."""
    plain = text.translate(_DASHES)
    phones = [m.span() for m in _PHONE.finditer(plain) if _is_phone(m.group())]
    raw = [t for m in _PATTERN.finditer(plain) for t in (_token(m, phones),) if t is not None]
    return _classify(_join_years(_join_numbers(_written_out(_without_marks(raw)))))


def _is_phone(text: str) -> bool:
    groups = re.findall(r"[0-9]+", text)
    digits = "".join(groups)
    if len(digits) < 7:
        return False
    if len(groups) == 2 and all(len(g) == 4 and int(g[:2]) < 24 and int(g[2:]) < 60 for g in groups):
        return False
    return text[0] in "+(" or len(groups[0]) >= 3 or (groups[0][0] == "0" and len(digits) >= 9)


def _token(match: re.Match[str], phones: list[tuple[int, int]]) -> Token | None:
    kind, text = match.lastgroup or "mark", match.group().lower()
    start, end = match.span()
    if any(a <= start and end <= b for a, b in phones):
        return Token(text, text, start, end, frozenset({"JUNK"}))
    value = 0
    if kind in {"ord", "int"}:
        value = int(re.match(r"[0-9]+", text).group()[:9])  # type: ignore[union-attr]  # the pattern begins so
    if kind == "half":
        return Token(text[0] + "m", text, start, end, frozenset({text[0] + "m", "AMPM"}))
    return Token(text, text, start, end, frozenset({kind.upper()}), value)


def _without_marks(tokens: list[Token]) -> list[Token]:
    """Without the stop of "Jan.", which ends no sentence, and the hyphen inside "mid-morning" or "30-minute".

    Between days or numbers a hyphen is a range and stays.
    """
    kept: list[Token] = []
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        glued = before and after and before.end == token.start and after.start == token.end
        if token.text == "." and before and before.end == token.start and before.text in SHORTENED:
            continue
        if token.text == "-" and not glued and any(t.text in _NEGATED for t in kept[-5:]):
            kept.append(replace(token, word=",", text=",", keys=token.keys))
            continue
        if token.text == "-" and glued and before and after and _is_compound(before, after):
            continue
        kept.append(token)
    return kept


def _written_out(tokens: list[Token]) -> list[Token]:
    """With "to" and "for" where "2" and "4" stand for them, and "tenish" as two words."""
    tokens = [part for t in tokens for part in _halves(t)]
    texts = [t.text for t in tokens]
    short = [shorthand(texts, i) if t.text in {"2", "4"} else "" for i, t in enumerate(tokens)]
    words = zip(tokens, short, strict=True)
    return [replace(t, word=w, text=w, keys=frozenset({"WORD"})) if w else t for t, w in words]


def _halves(token: Token) -> list[Token]:
    number = token.text.removesuffix("ish")
    if number == token.text or number not in CARDINALS:
        return [token]
    middle = token.start + len(number)
    ish = Token("ish", "ish", middle, token.end, token.keys)
    return [Token(number, number, token.start, middle, token.keys), ish]


def _is_compound(left: Token, right: Token) -> bool:
    if "WORD" not in right.keys:
        return False
    if "INT" in left.keys:
        return spell(right.text).word in COUNTED or right.text == "ish"
    if "AMPM" in left.keys and right.text == "ish":
        return True
    return "WORD" in left.keys and not {"WD", "MONTH"} <= set(
        spell(left.text).kinds + spell(right.text).kinds + ("MONTH",)
    )


def _join_numbers(tokens: list[Token]) -> list[Token]:
    out: list[Token] = []
    for token in tokens:
        pair = joined(out[-1].text, token.text) if out else None
        if pair:
            value, ordinal = pair
            text = f"{out[-1].text} {token.text}"
            kind = "ORD" if ordinal else "INT"
            out[-1] = Token(text, text, out[-1].start, token.end, frozenset({kind, "SPELLED"}), value)
        else:
            out.append(_number_word(token))
    return out


def _join_years(tokens: list[Token]) -> list[Token]:
    """With "twenty twenty seven" and "two thousand and twenty seven" as years."""
    out: list[Token] = []
    for token in tokens:
        rest = token.value if {"SPELLED", "INT"} <= token.keys and 20 <= token.value < 60 else 0
        count = next((len(c) for c in _CENTURIES if [t.text for t in out[-len(c) :]] == c), 0)
        if rest and count:
            year, first = str(2000 + rest), out[-count]
            out[-count:] = [Token(year, year, first.start, token.end, frozenset({"INT"}), 2000 + rest)]
        else:
            out.append(token)
    return out


def _number_word(token: Token) -> Token:
    if token.text in CARDINALS:
        return replace(token, keys=frozenset({"INT", "SPELLED", token.text}), value=CARDINALS[token.text])
    if token.text in ORDINALS or token.text == "forth":
        value = ORDINALS.get(token.text, 4)
        return replace(token, keys=frozenset({"ORD", "SPELLED", token.text}), value=value)
    return token


def _classify(tokens: list[Token]) -> list[Token]:
    words = [t.text if {"WORD", "MARK", "SLANG"} & t.keys else "" for t in tokens]
    spelled = [spell(w) if w else Spelling("", ()) for w in words]
    return [_kinds(tokens, spelled, i) for i in range(len(tokens))]


def _kinds(tokens: list[Token], spelled: list[Spelling], i: int) -> Token:  # noqa: C901, PLR0911, PLR0912 - a case a kind
    token = tokens[i]
    if "INT" in token.keys:
        return replace(token, keys=token.keys | int_kinds(tokens, spelled, i))
    if token.text == "am" and i and tokens[i - 1].text in {"i", "who"}:
        return replace(token, keys=frozenset({"WORD", "verb am"}))
    if "AMPM" in token.keys and i and _is_day(tokens[i - 1], spelled[i - 1]):
        part = "morning" if token.word == "am" else "afternoon"
        return replace(token, word=part, keys=token.keys - {"AMPM", token.word} | {part, "TIMEWORD"})
    if "NUM" in token.keys and token.text.endswith("/10") and {"pain", "scale"} & {t.text for t in tokens}:
        return replace(token, keys=frozenset({"JUNK"}))
    if "NUM" in token.keys and any(
        "NUM" in t.keys and word_at(spelled, j + 1) in COUNTED for j, t in enumerate(tokens)
    ):
        return replace(token, keys=frozenset({"JUNK"}))
    if "ORD" in token.keys and not 1 <= token.value <= 31:
        return replace(token, keys=token.keys | {"BADNTH"})
    if "ORD" in token.keys:
        return replace(token, keys=token.keys | ord_kinds(tokens, spelled, i))
    if not {"WORD", "MARK", "SLANG"} & token.keys:
        return token
    if token.text in {"eve", "evng"} and i and "WD" in spelled[i - 1].kinds:
        return replace(token, word="evening", keys=frozenset({"WORD", "evening", "TIMEWORD"}))
    if token.text == "aft" and i + 1 < len(tokens) and tokens[i + 1].keys & {"INT", "CLK"}:
        return replace(token, word="after", keys=frozenset({"WORD", "after"}))
    if i == 0 and greets([each.text for each in tokens]):
        return replace(token, keys=frozenset({"WORD"}))
    word = spelled[i]
    keys = token.keys | {word.word, token.text, *word.kinds}
    if token.text in {"next", "nxt"} and i and "WD" in spelled[i - 1].kinds and not _is_next_of(tokens, spelled, i):
        keys |= {"NEXTED"}
    if (
        token.text == "on"
        and not word_at(spelled, i + 1).isalnum()
        and (i + 1 >= len(tokens) or "MARK" in tokens[i + 1].keys)
    ):
        keys |= {"onward"}
    street = i + 1 < len(tokens) and tokens[i + 1].text in STREETS - {"st", "ct"}
    named = bool({"WD", "MONTH"} & set(word.kinds)) and (street or _follows_title(tokens, i))
    phrasal = word.word == "by" and i > 0 and tokens[i - 1].text in PHRASAL
    if named or phrasal or (word.weak and not _supported(tokens, spelled, i)):
        return replace(token, keys=frozenset({"WORD", "" if phrasal else token.text}))
    return replace(token, word=word.word, keys=keys, value=word.value, other=word.other)


def _is_next_of(tokens: list[Token], spelled: list[Spelling], i: int) -> bool:
    """Whether "next" belongs to what follows ("Thursday next week"), and not to the day before ("Thursday next")."""
    return word_at(spelled, i + 1) in {"week", "month", "year", "weekend", "available", "fortnight"} or (
        i + 1 < len(tokens) and bool({"WD", "MONTH"} & set(spelled[i + 1].kinds) or "INT" in tokens[i + 1].keys)
    )


def _is_day(token: Token, spelling: Spelling) -> bool:
    """Before "am" a day, "the", "early" and "late" make it a part of the day: "tues am", "in the pm"."""
    return (
        bool({"WD", "MONTH"} & set(spelling.kinds))
        or spelling.word in {"today", "tomorrow", "the", "early", "late", "yesterday"}
        or "ORD" in token.keys
    )


def _follows_title(tokens: list[Token], i: int) -> bool:
    """Thus "Dr. Friday" and "my name is Wednesday" are people."""
    before = [t.text for t in tokens[max(0, i - 2) : i]]
    return bool(before) and (before[-1] in TITLES or before == ["name", "is"])


def _supported(tokens: list[Token], spelled: list[Spelling], i: int) -> bool:
    if tokens[i].text in STRONG_SHORT and not (i and tokens[i - 1].text in WEDDING | PRONOUNS):
        return not _follows_title(tokens, i)
    before = [tokens[i - 2].text if i > 1 else "", tokens[i - 1].text if i else ""]
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    return is_time_word(spelled[i], before, after.keys if after else frozenset(), word_at(spelled, i + 1))
