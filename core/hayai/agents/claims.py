"""Claims: the times, days, prices and confirmations that a sentence states, in five languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from hayai.agents.words import (
    AMOUNT_WORDS,
    DAYS_AHEAD,
    DONE,
    FREE,
    HOURS,
    MINUTES_OF_DAY,
    MONTHS,
    NOT_DONE,
    WEEKDAYS,
    Deed,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Minutes = frozenset[int]
"""The minutes of the day that one mention may mean: `at 3` is 3:00 and 15:00."""

_HALF_DAY = 12 * 60
_DAY = 24 * 60
_EVENING = 12


def _any(words: Collection[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_HOUR_WORD = _any(HOURS)
_HALF = r"(?P<half>[ap]\.?\s?m\b\.?)"
_ISO = re.compile(
    r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[t ](?P<hour>\d\d):(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?(?:z\b|[+-]\d\d:?\d\d)?)?"
)
_CLOCK = re.compile(
    rf"\b(?P<hour>[01]?\d|2[0-4])(?:(?::|\s?h\s?)(?P<minute>[0-5]\d)|\.(?P<dotted>[0-5]\d)(?=\s*(?:uhr|[ap]\.?m)))"
    rf"\s*{_HALF}?"
)
_HALVED = re.compile(rf"\b(?P<hour>1[0-2]|0?\d|{_HOUR_WORD})\s*{_HALF}")
_NAMED = re.compile(
    rf"\b(?P<hour>[01]?\d|2[0-4]|{_HOUR_WORD})\s*(?:uhr\b|o['’]?\s?clock|heures?\b|h\b|ore\b|en punto|horas\b)"
    rf"(?:\s*(?P<minute>[0-5]\d)\b)?"
)
_AT = re.compile(
    rf"\b(?:(?:um|gegen|a las?|las|desde las|hasta las|alle|dalle)\s+(?P<hour>[01]?\d|2[0-4]|{_HOUR_WORD})\b"
    rf"(?!\s*(?:[:%€$]|[.,]\d|tag|min|stund|prozent|euro)))"
)
_NEAR = re.compile(
    rf"\b(?:at|@|around|about|say|by|before|after|until|till|from|to|between|and|or|ab|bis|von|vor|nach|zwischen|oder"
    rf"|und|à|vers|dès|ore|y|o)\s+(?P<hour>[01]?\d|2[0-4]|{_HOUR_WORD})"
    rf"(?=\s*(?:[,;!?)]|\.(?!\d)|$|\b(?:on|or|and|to|till|until|oder|und|bis|am|y|o|et|ou|e|el|le|this|in the|is"
    rf"|works|sharp|for you|{_any(DAYS_AHEAD)}|{_any(WEEKDAYS)})\b))"
)
_RANGE = re.compile(r"\b(?P<hour>1[0-2]|0?[1-9])(?=\s*(?:-|–|to)\s*\d\d?(?::\d\d)?\s*[ap]\.?m)")
_PAST = re.compile(
    rf"\b(?P<how>half past|quarter past|quarter to|halb|viertel nach|viertel vor)\s+(?P<hour>\d\d?|{_HOUR_WORD})\b"
)
_WHOLE = re.compile(rf"\b(?P<named>{_any(MINUTES_OF_DAY)})\b")
_SPOKEN = (_RANGE, _CLOCK, _HALVED, _NAMED, _PAST, _AT, _NEAR)
"""In this order, each reading what those before it left."""
_PAST_MINUTES = {
    "half past": 30,
    "quarter past": 15,
    "viertel nach": 15,
    "quarter to": -15,
    "viertel vor": -15,
    "halb": -30,
}

_WEEKDAY = re.compile(rf"\b({_any(WEEKDAYS)})\b")
_AHEAD = re.compile(rf"(?<!\w)({_any(DAYS_AHEAD)})\b")
_MONTH_DAY = re.compile(
    rf"\b(?:(?P<month>{_any(MONTHS)})\.?\s+(?P<day>\d\d?)(?:st|nd|rd|th)?"
    rf"|(?P<day2>\d\d?)(?:st|nd|rd|th|\.|er|º)?\s+(?:of\s+|de\s+)?(?P<month2>{_any(MONTHS)}))\b"
)

_NUMBER = r"(?<!\d)\d{1,12}(?:[.,'’]\d{3}){0,4}(?:[.,]\d{1,2})?"
_PRICE = re.compile(
    rf"(?:[$€£¥]|\b(?:usd|eur|gbp|chf)\b)\s?(?P<before>{_NUMBER})"
    rf"|(?P<after>{_NUMBER})\s?(?:[$€£¥%]|(?:percent|prozent|por ciento|pour cent|per cento|{AMOUNT_WORDS})\b)"
)
_SPELLED = re.compile(rf"\b([^\W\d]+)\s+(?:{AMOUNT_WORDS})\b")
_FREE = re.compile(rf"\b(?:{FREE})\b")
_DONE: tuple[tuple[Deed, re.Pattern[str]], ...] = tuple(
    (deed, re.compile(rf"(?P<undone>{NOT_DONE})?\b(?:{words})\b")) for deed, words in DONE
)


@dataclass(frozen=True)
class Day:
    """A day that is mentioned: by its date, or by its weekday alone."""

    weekday: int | None = None
    month_day: tuple[int, int] | None = None

    def is_on(self, day: date) -> bool:
        """Whether `day` may be meant."""
        return (self.weekday is None or day.weekday() == self.weekday) and (
            self.month_day is None or (day.month, day.day) == self.month_day
        )


@dataclass(frozen=True)
class Claims:
    """What a sentence states."""

    times: frozenset[Minutes] = frozenset()
    days: frozenset[Day] = frozenset()
    prices: frozenset[str] = frozenset()
    """Amounts as plain numbers, `free`, and what is spelled out in words as it stands."""
    deeds: frozenset[Deed] = frozenset()

    @property
    def any(self) -> bool:
        """Whether there is anything to prove; a day by itself is none, as in "Which time on Tuesday?"."""
        return bool(self.times or self.prices or self.deeds)


def claims(sentence: str, today: date) -> Claims:
    """What `sentence` states; `today` is the date where the business is, for "tomorrow"."""
    text = sentence.casefold()
    return Claims(
        frozenset(_times(text)), frozenset(_days(text, today)), frozenset(_prices(text)), frozenset(_deeds(text))
    )


def _times(text: str) -> Iterator[Minutes]:
    for found in _ISO.finditer(text):
        if found["hour"]:
            yield frozenset({int(found["hour"]) * 60 + int(found["minute"])})
    text = _ISO.sub(" ", text)
    for pattern in _SPOKEN:
        for found in pattern.finditer(text):
            yield _meant(found.groupdict())
        text = pattern.sub(lambda found: "," + " " * (len(found[0]) - 1), text)
    yield from (frozenset({MINUTES_OF_DAY[found["named"]]}) for found in _WHOLE.finditer(text))


def _meant(found: dict[str, str | None]) -> Minutes:
    """The minutes of the day: both halves of it where neither is named and the hour allows both."""
    hour_text = found["hour"] or "0"
    hour = HOURS.get(hour_text) or int(hour_text)
    minute = int(found.get("minute") or found.get("dotted") or 0) + _PAST_MINUTES.get(found.get("how") or "", 0)
    half = found.get("half")
    if half:
        base = (hour % _EVENING) * 60 + minute
        return frozenset({(base + (_HALF_DAY if half.startswith("p") else 0)) % _DAY})
    exact = (hour * 60 + minute) % _DAY
    return frozenset({exact, (exact + _HALF_DAY) % _DAY} if 0 < hour <= _EVENING else {exact})


def _days(text: str, today: date) -> Iterator[Day]:
    for found in _ISO.finditer(text):
        yield Day(month_day=(int(found["month"]), int(found["day"])))
    for found in _MONTH_DAY.finditer(text):
        month, day = found["month"] or found["month2"], found["day"] or found["day2"]
        yield Day(month_day=(MONTHS[month], int(day)))
    for found in _AHEAD.finditer(text):
        ahead = today + timedelta(days=DAYS_AHEAD[found[1]])
        yield Day(month_day=(ahead.month, ahead.day))
    yield from (Day(weekday=WEEKDAYS[found[1]]) for found in _WEEKDAY.finditer(text))


def _prices(text: str) -> Iterator[str]:
    yield from (_plain(found["before"] or found["after"]) for found in _PRICE.finditer(text))
    yield from (found[0] for found in _SPELLED.finditer(text) if found[1] not in {"in", "the", "us", "of", "und"})
    if _FREE.search(text):
        yield "free"


def _plain(number: str) -> str:
    """`1,200.00` and `1.200` as `1200`: three digits after the last mark are thousands."""
    whole, _, cents = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", number).groups()  # type: ignore[union-attr]
    digits = re.sub(r"\D", "", whole) + (f".{cents}" if cents else "")
    try:
        return f"{Decimal(digits).normalize():f}"
    except InvalidOperation:
        return number


def _deeds(text: str) -> Iterator[Deed]:
    """A question confirms nothing, nor does what says that it was not done."""
    if text.rstrip().endswith("?"):
        return
    for deed, pattern in _DONE:
        if any(not found["undone"] for found in pattern.finditer(text)):
            yield deed
