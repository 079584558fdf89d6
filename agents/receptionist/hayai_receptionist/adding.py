"""Adding: a second booking that is asked for while one is under way; it waits until that one is made."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import references, wishing
from hayai_receptionist.talk import Following, Talk, Wish, spanned

if TYPE_CHECKING:
    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard

_DAY = timedelta(days=1)
_MOST = 3
"""How many bookings may wait."""
_PAIR = 2
_ALSO = re.compile(
    r"\b(?:also|as well|too|plus|additionally|in addition|another|afterwards?|one more)\b"
    r"|\b(?:right|directly|just|straight) after\b|^\W*(?:(?:yes|ok|okay|sure)\W+)?and\b",
    re.IGNORECASE,
)
_ONE_MORE = re.compile(r"\b(?:another|one more|a second|also an?|and an?|as well)\b", re.IGNORECASE)
_LESS = re.compile(r"\b(?:skip|drop|forget|without|leave out|not the|no need|don't need|just|only)\b", re.IGNORECASE)
_ONLY = re.compile(r"\b(?:just|only)\b", re.IGNORECASE)
_LATTER = re.compile(r"\b(?:second|other|rest|last|latter)\b", re.IGNORECASE)
_AFTER = re.compile(r"\b(?:right|directly|just|straight) after\b|\bafterwards?\b", re.IGNORECASE)
_SAME_DAY = re.compile(r"\bsame day\b", re.IGNORECASE)


def added(talk: Talk, heard: Heard) -> Talk | None:
    """`talk` with the further booking that the message asks for; None where it asks for none."""
    if not talk.service or talk.stage == "service" or len(heard.services) != 1 or len(talk.then) >= _MOST:
        return None
    (service,) = heard.services
    added = _ONE_MORE if service == talk.service else _ALSO
    if heard.refused or heard.of("instead") or not added.search(heard.text):
        return None
    place = "after" if _AFTER.search(heard.text) else "day" if _SAME_DAY.search(heard.text) else ""
    more = Following(service=service, wishes=heard.when.wishes, place=place)
    return talk.but(then=(*talk.then, more, *heard.further)[:_MOST])


def more(heard: Heard) -> bool:
    """Whether a message asks for something besides: "and a cleaning, too"."""
    return bool(_ALSO.search(heard.text))


def rearranged(talk: Talk, heard: Heard) -> Talk | None:
    """`talk` with one booking less or more, as the message asks for; None where it asks for neither."""
    return lessened(talk, heard) or added(talk, heard) or both(talk, heard)


def lessened(talk: Talk, heard: Heard) -> Talk | None:
    """`talk` without a booking that waited and is taken back: "skip the whitening", "just the cleaning"; else None."""
    named = {*heard.services, *heard.refused}
    first = talk.then[0] if talk.then else None
    if first is None or not (_LESS.search(heard.text) or heard.refused):
        return None
    if _ONLY.search(heard.text):
        return talk.but(then=()) if named <= {talk.service} else None
    if talk.service in named:
        wishes = first.wishes or ((wishing.exactly(talk.start),) if talk.start else talk.wishes)
        return talk.forgetting_time().but(service=first.service, wishes=wishes, then=talk.then[1:])
    rest = tuple(each for each in talk.then if named and each.service not in named)
    return talk.but(then=rest) if rest != talk.then and (named or _LATTER.search(heard.text)) else None


def both(talk: Talk, heard: Heard) -> Talk | None:
    """`talk` where both of the services that were asked between are wanted; None where that is not said."""
    if talk.stage != "service" or len(talk.options) != _PAIR or not heard.of("everything"):
        return None
    first, second = talk.options
    return talk.but(service=first, options=(), then=(Following(service=second, wishes=_days_only(talk)),))


def _days_only(talk: Talk) -> tuple[Wish, ...]:
    """What both are wished for: the same days, and never the very same minute."""
    return tuple(each for each in talk.wishes if not each.precise)


def following(talk: Talk, booked: Appointment, desk: Desk) -> Talk:
    """The talk about the booking that waited first, now that `booked` is made."""
    first, *rest = talk.then
    day = desk.midnight(desk.local(booked.starts_at).date())
    wishes = wishing.on_same_day(first.wishes, booked.starts_at, desk)
    if not wishes and first.place == "after":
        wishes = (Wish(start=booked.ends_at, end=max(day + _DAY, booked.ends_at + _DAY), soonest=True),)
    service = desk.service(first.service)
    if not wishes and first.place == "day" and service:
        wishes = references.on_day_of(spanned(booked).wishes[0], service.duration, desk)
    resting = talk.at_rest().but(last=booked.id, waived=talk.waived, nameless=talk.nameless)
    if first.other:
        resting = resting.but(name="", other=True)
    return resting.but(task="book", service=first.service, wishes=wishes, then=tuple(rest))


def order(talk: Talk, desk: Desk) -> str:
    """In which order it goes."""
    if not talk.then:
        return f"Only {desk.title(talk.service)}, then."
    if {each.service for each in talk.then} == {talk.service}:
        return f"One {desk.title(talk.service)} after the other."
    waiting = ", then ".join(desk.title(each.service) for each in talk.then)
    return f"One after the other: first {desk.title(talk.service)}, then {waiting}."
