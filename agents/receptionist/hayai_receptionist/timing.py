"""Timing: what a text says about time, in instants, in the light of the day that is talked about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import references, special
from hayai_receptionist.talk import Wish
from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Talk
    from hayai_receptionist.when.window import Understanding

_SAID_NO = re.compile(
    r"^\W*(?:no|nope|nah|naw|sorry|no thanks|no thank you|not that one|not really)"
    r"(?:\s*[,.!;:-]+\s*|\s+(?=\d|at\b|on\b|but\b|can\b|could\b|how\b|make\b|i\b|i'd\b|let\b|what\b|the\b|maybe\b|rather\b|please\b))",
    re.IGNORECASE,
)
# "the blue one" names no hour; "the afternoon around one" does, and "the first one" is the grammar's to read.
_THAT_ONE = re.compile(
    r"(\b(?:the|this|that)(?:(?:\s+[a-z'-]+){0,2}?\s+(?!(?:at|around|about|by|till|until|to|after|before|past|for|from|"
    r"first|next|earliest|soonest)\b)[a-z'-]+)?)\s+ones?\b(?!\s*(?:o'?clock|[ap]\.?m))",
    re.IGNORECASE,
)
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_NUMBERED = r"(?:the\s+)?(\d{1,2}(?:st|nd|rd|th)?)"
# "dec 16 or 17" is two dates; "dec 16 or 17:00" and "dec 16 or 5 pm" are not.
_OR_DAY = re.compile(rf"\b{_MONTH}\s+{_NUMBERED}\s+or\s+{_NUMBERED}\b(?!\s*(?::|[ap]\.?m|o'?clock))", re.IGNORECASE)
_DAY_OR = re.compile(rf"\b{_NUMBERED}\s+or\s+{_NUMBERED}\s+(?:of\s+)?{_MONTH}", re.IGNORECASE)


@dataclass(frozen=True)
class When:
    """What a message says about time, in instants."""

    wishes: tuple[Wish, ...] = ()
    readings: tuple[Wish, ...] = ()
    question: str = ""
    """What to ask where there is doubt; empty where there is none."""
    has_date: bool = False
    has_time: bool = False

    def __bool__(self) -> bool:
        return bool(self.wishes or self.question)


def when(text: str, talk: Talk | None, desk: Desk) -> When:
    """What `text` says about time; a lone "at 4" belongs to the day under discussion."""
    context = _context(talk, desk) if talk else None
    text = _THAT_ONE.sub(r"\1", text)
    text = _OR_DAY.sub(r"\1 \2 or \1 \3", _DAY_OR.sub(r"\3 \1 or \3 \2", text))
    text = references.bare(special.dated(text, desk))
    text = _SAID_NO.sub("", text)  # "no, 4 pm" wants 4 pm; "no mornings" goes to the grammar as it is
    understood = understand(text, now=desk.local(desk.now), hours=_hours(desk), context=context)
    dated = understood.has_date or context is not None
    wishes = tuple(_wish(each, desk, dated=dated) for each in understood.windows)
    if understood.confidence >= SURE or (wishes and not understood.choices and all(w.end <= desk.now for w in wishes)):
        return When(wishes, has_date=understood.has_date, has_time=understood.has_time)
    return _doubt(understood, desk)


def _doubt(understood: Understanding, desk: Desk) -> When:
    readings = tuple(_wish(each, desk) for each in understood.choices)
    question = understood.question or "Which day and time would suit you?"
    return When((), readings, question, understood.has_date, understood.has_time)


def _wish(window: Window, desk: Desk, *, dated: bool = True) -> Wish:
    start, end = (_instant(each, desk) for each in (window.start, window.end))
    return Wish(start=start, end=end, precise=window.precise, dated=dated)


def _instant(moment: datetime, desk: Desk) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=desk.zone)).astimezone(UTC)


def _context(talk: Talk, desk: Desk) -> Window | None:
    """The time under discussion: the start that was chosen, or the one day that all offers or wishes lie on."""
    if talk.start:
        start = desk.local(talk.start)
        return Window(start, start + timedelta(minutes=1), precise=True)
    if talk.stage == "time" and talk.seen:
        return _day_of(desk.local(talk.seen[-1]).date(), desk)
    spans = [(each, each) for each in talk.offers] or [(each.start, each.end) for each in talk.wishes]
    days = {desk.local(start).date() for start, _ in spans}
    days |= {desk.local(end - timedelta(microseconds=1)).date() for start, end in spans if end > start}
    if len(days) != 1:
        return None
    return _day_of(days.pop(), desk)


def _day_of(day: date, desk: Desk) -> Window:
    return Window(desk.midnight(day), desk.midnight(day + timedelta(days=1)), precise=False)


def _hours(desk: Desk) -> Hours:
    schedule = desk.business.schedule
    weekly = {day: tuple((o.opens, o.closes) for o in spans) for day, spans in schedule.hours.items() if spans}
    return Hours(weekly, frozenset(each.day for each in schedule.exceptions if not each.openings))


def dates(text: str, desk: Desk, most: int = 3) -> list[date]:
    """The days that `text` names, at most `most`."""
    found = when(text, None, desk)
    if not found.has_date:
        return []
    return list(_days(found.wishes or found.readings, desk))[:most]


def _days(wishes: Iterable[Wish], desk: Desk) -> dict[date, None]:
    days: dict[date, None] = {}
    for wish in wishes:
        day = desk.local(wish.start).date()
        while desk.midnight(day) < wish.end and len(days) < 8:  # noqa: PLR2004 - a week says it all
            days[day] = None
            day += timedelta(days=1)
    return days
