"""References: times told by another time: "same day", "same time next week", "right after", "the week after"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.services import masked, named
from hayai_receptionist.talk import Wish, spanned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hayai.schedule import Service
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SAME_TIME = re.compile(r"\bsame (?:time|hour)\b", re.IGNORECASE)
_SAME_DAY = re.compile(r"\b(?:on )?(?:the )?(?:same|that) day\b", re.IGNORECASE)
_AFTER = re.compile(
    r"\b(?:right|directly|just|straight|immediately) after(?:wards?)?\b|\bback to back\b", re.IGNORECASE
)
_WEEK_LATER = re.compile(
    r"\b(?:(?:the )?week after(?: (?:that|next))?|(?:the )?following week|(?:a|one) week later)\b", re.IGNORECASE
)
_DAY_LATER = re.compile(
    r"\b(?:(?:the )?(?:day after|following day)|the next day)\b"
    r"(?=\W*\Z|[,.!?;]|\s+(?:that|my|our|at|please|the (?!\d))\b)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\b(?:after|before|following|(?:same (?:day|time)) as)\s+(?:the|my|our|his|her|that|your)?\s*\Z", re.IGNORECASE
)
"""What stands before the name of an appointment that tells the time of another."""
_BEFORE = re.compile(r"\bbefore\b", re.IGNORECASE)
_LOOSELY_AFTER = re.compile(r"\b(?:after|following)\b", re.IGNORECASE)
_NEXT_WEEK = re.compile(r"\bnext week\b", re.IGNORECASE)
_OTHER_DAY = re.compile(r"\b(?:(?:any|an|some) ?other day|(?:a )?different day|not that day)\b", re.IGNORECASE)


def anchoring(text: str, services: Sequence[Service], chosen: str) -> tuple[str, str]:
    """`text` without the name of an appointment that only tells a time, and its service: "right after my checkup".

    As much is said only beside another service that is meant: one of the text, or the one that is `chosen` already.
    """
    found = named(text, services)
    for start, end in found.marks:
        (only, *doubt) = named(text[start:end], services).ids
        others = (set(found.ids) | ({chosen} if chosen else set())) - {only}
        if others and not doubt and _BESIDE.search(text[:start]):
            return masked(text, [(start, end)]), only
    return text, ""


async def anchored(talk: Talk, heard: Heard, desk: Desk) -> Talk:
    """`talk` about the customer's appointment that the message tells a time by; unchanged where it tells by none."""
    if not heard.beside:
        return talk
    found = [each for each in await desk.own() if each.service == heard.beside]
    return talk.but(about=spanned(found[0]) if found else None)


def bare(text: str) -> str:
    """`text` without what is told by another time, so that "same day at noon" is noon."""
    return _SAME_DAY.sub(" ", text)


def referred(talk: Talk, heard: Heard, desk: Desk) -> tuple[Wish, ...]:
    """The wishes that the message tells by the time that is, or was last, talked about; empty where it does not."""
    anchor = talk.about.wishes[0] if heard.beside and talk.about else _anchor(talk)
    return _told(anchor, talk, heard, desk) if anchor else ()


def _lasts(talk: Talk, desk: Desk) -> timedelta:
    service = desk.service(talk.service)
    return service.duration if service else _MINUTE


def _told(anchor: Wish, talk: Talk, heard: Heard, desk: Desk) -> tuple[Wish, ...]:
    start, text = desk.local(anchor.start), heard.text
    if _SAME_TIME.search(text):
        return _same_time(start, heard, desk)
    if _WEEK_LATER.search(text):
        return (_week(start + 7 * _DAY, desk),)
    if _DAY_LATER.search(text):
        return (_day(start + _DAY, desk),)
    if around := _around(anchor, talk, heard, desk):
        return around
    if _SAME_DAY.search(text):
        return _same_day(start, heard, desk) or on_day_of(anchor, _lasts(talk, desk), desk)
    other = _OTHER_DAY.search(text) and not heard.when.wishes
    behind = Wish(start=_day(start, desk).end, end=desk.now + desk.business.schedule.horizon + _DAY)
    return (behind,) if other else ()


def _around(anchor: Wish, talk: Talk, heard: Heard, desk: Desk) -> tuple[Wish, ...]:
    """Right after the anchor, or before it on its day."""
    day = _day(desk.local(anchor.start), desk)
    if _AFTER.search(heard.text) or (heard.beside and _LOOSELY_AFTER.search(heard.text)):
        return (Wish(start=anchor.end, end=day.end + _DAY, soonest=True),)
    if heard.beside and _BEFORE.search(heard.text):
        return (Wish(start=day.start, end=anchor.start - _lasts(talk, desk) + _MINUTE),)
    return ()


def _anchor(talk: Talk) -> Wish | None:
    """The time under discussion: what is chosen, what is offered or wished, or what was booked last."""
    if talk.start is None and talk.stage == "offer" and talk.offers:
        return Wish(start=max(talk.offers), end=max(talk.offers) + _MINUTE)
    if talk.start is None and talk.task != "none" and talk.seen:
        return Wish(start=talk.seen[-1], end=talk.seen[-1] + _MINUTE)
    return talk.about.wishes[0] if talk.about else None


def _same_time(start: datetime, heard: Heard, desk: Desk) -> tuple[Wish, ...]:
    if _WEEK_LATER.search(heard.text) or _NEXT_WEEK.search(heard.text):
        there = start + 7 * _DAY
        return _at(there, desk), _day(there, desk)
    if _DAY_LATER.search(heard.text):
        return _at(start + _DAY, desk), _day(start + _DAY, desk)
    days = [desk.local(each.start) for each in heard.when.wishes] if heard.when.has_date else []
    return (_at(days[0].replace(hour=start.hour, minute=start.minute), desk), _day(days[0], desk)) if days else ()


def on_day_of(anchor: Wish, lasts: timedelta, desk: Desk) -> tuple[Wish, ...]:
    """The day of an appointment but for its own time: nobody comes for two things at once."""
    day = _day(desk.local(anchor.start), desk)
    before = Wish(start=day.start, end=max(day.start, anchor.start - lasts + _MINUTE))
    after = Wish(start=anchor.end, end=max(day.end, anchor.end))
    return tuple(each for each in (before, after) if each.start < each.end)


def _same_day(start: datetime, heard: Heard, desk: Desk) -> tuple[Wish, ...]:
    if not (heard.when.has_time and heard.when.wishes):
        return ()
    clock = desk.local(heard.when.wishes[0].start)
    span = heard.when.wishes[0].end - heard.when.wishes[0].start
    first = desk.midnight(start.date()).replace(hour=clock.hour, minute=clock.minute)
    return (Wish(start=first, end=first + span, precise=span <= _MINUTE),)


def _at(moment: datetime, desk: Desk) -> Wish:
    start = desk.midnight(moment.date()).replace(hour=moment.hour, minute=moment.minute)
    return Wish(start=start, end=start + _MINUTE, precise=True)


def _day(moment: datetime, desk: Desk) -> Wish:
    return Wish(start=desk.midnight(moment.date()), end=desk.midnight(moment.date() + _DAY))


def _week(moment: datetime, desk: Desk) -> Wish:
    monday = moment.date() - moment.weekday() * _DAY
    return Wish(start=desk.midnight(monday), end=desk.midnight(monday + 7 * _DAY))


def beside(start: datetime, end: datetime, desk: Desk, *, later: bool) -> tuple[Wish, ...]:
    """A bit later or earlier than an appointment, on its day."""
    day = _day(desk.local(start), desk)
    return (Wish(start=start + _MINUTE, end=max(day.end, end)),) if later else (Wish(start=day.start, end=start),)
