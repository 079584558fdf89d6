"""Wishing: what a message says about the time, in the light of what is offered and talked about already."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import picking, references, say, weekdays
from hayai_receptionist.talk import Talk, Wish

if TYPE_CHECKING:
    from datetime import datetime

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.timing import When

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
"""What a day gains where the clocks go back."""
_ALL = 30
"""How many offered starts are remembered."""


def exactly(start: datetime) -> Wish:
    """The wish for this very start."""
    return Wish(start=start, end=start + _MINUTE, precise=True)


def heard_time(talk: Talk, heard: Heard, desk: Desk) -> Talk | None:
    """`talk` with the wishes of this message in place of the old; None where it says nothing about time."""
    if (chosen := _picked(talk, heard, desk) or _read(talk, heard, desk)) is not None:
        return _wishing(talk, (chosen,))
    if referred := references.referred(talk, heard, desk):
        return _wishing(talk, referred)
    if _wants_other(talk, heard):
        return _other(talk, heard, desk)
    if (wishes := _said(talk, heard, desk)) is not None:
        return _wishing(talk, wishes) if wishes else None
    if heard.when.question and heard.polarity == "":
        return talk.forgetting_time().but(question=heard.when.question, readings=heard.when.readings)
    return _wishing(talk, (from_now(desk),)) if heard.of("anytime") and not talk.held else None


def _said(talk: Talk, heard: Heard, desk: Desk) -> tuple[Wish, ...] | None:
    """The wishes of this message: none where it repeats what is chosen already; None where it says no time."""
    if heard.of("soonest") and len(heard.when.wishes) <= 1:
        wish = heard.when.wishes[0] if heard.when.wishes else from_now(desk)
        return (wish.model_copy(update={"soonest": not wish.precise}),)
    if not heard.when.wishes:
        return None
    meant = _kept_wishes(talk, heard, _near_talk(talk, heard, desk))
    return () if _agrees(talk, meant) else _dated(talk, meant, desk)


_ONLY_NOT = re.compile(r"^\W*(?:but |just |please )*(?:not|except|anything but|any time but)\b", re.IGNORECASE)


def _kept_wishes(talk: Talk, heard: Heard, when: When) -> When:
    """What is said; a message that only takes something out, as "not 3", leaves the rest of what was wished."""
    if talk.start or not _ONLY_NOT.search(heard.text):
        return when
    met = [
        one.model_copy(update={"start": max(one.start, other.start), "end": min(one.end, other.end)})
        for one in talk.wishes
        for other in when.wishes
        if max(one.start, other.start) < min(one.end, other.end)
    ]
    return replace(when, wishes=tuple(met)) if met else when


def _wishing(talk: Talk, wishes: tuple[Wish, ...]) -> Talk:
    return talk.forgetting_time().but(wishes=wishes)


def from_now(desk: Desk) -> Wish:
    """As soon as may be: everything that the business gives out."""
    return Wish(start=desk.now, end=desk.now + desk.business.schedule.horizon + _DAY)


def _from(first: datetime, desk: Desk) -> tuple[Wish, ...]:
    """What is left of a day, and the days behind it where nothing is."""
    end = day_of(first, desk).end
    return (Wish(start=first, end=end), Wish(start=end, end=max(end, from_now(desk).end), spare=True))


def day_of(instant: datetime, desk: Desk) -> Wish:
    """The whole day of an instant."""
    day = desk.local(instant).date()
    return Wish(start=desk.midnight(day), end=desk.midnight(day + _DAY))


def on_same_day(wishes: tuple[Wish, ...], start: datetime, desk: Desk) -> tuple[Wish, ...]:
    """For hours that were wished without a date ("move it to 4"), the same hours on the day of `start`."""
    undated = wishes and not any(each.dated for each in wishes)
    return (_on_day_of(Wish(start=start, end=start), wishes[0], desk),) if undated else wishes


def _near_talk(talk: Talk, heard: Heard, desk: Desk) -> When:
    """What is said, with a bare weekday read as the day of that name that is being talked about, or next to it."""
    if len(heard.when.wishes) != 1 or not heard.when.has_date:
        return heard.when
    wish = heard.when.wishes[0]
    day = desk.local(wish.start).date()
    if wish.end - wish.start > _DAY + _HOUR or not weekdays.alone(heard, say.weekday(day)):
        return heard.when
    shift = weekdays.near(day, talk, desk) - day
    moved = {"start": desk.local(wish.start) + shift, "end": desk.local(wish.end) + shift}
    return replace(heard.when, wishes=(wish.model_copy(update=moved),))


def _agrees(talk: Talk, when: When) -> bool:
    """Whether the time that is said is the one that is chosen already: "yes, Tuesday is good"."""
    return talk.start is not None and any(each.start <= talk.start < each.end for each in when.wishes)


def _dated(talk: Talk, when: When, desk: Desk) -> tuple[Wish, ...]:
    """The wishes; "make it Thursday" keeps the hour that was chosen, and a lone hour is looked for on several days."""
    if when.has_date and not when.has_time and talk.start and len(when.wishes) == 1:
        day, clock = desk.local(when.wishes[0].start).date(), desk.local(talk.start)
        if when.wishes[0].end - when.wishes[0].start <= _DAY + _HOUR:
            same = desk.midnight(day).replace(hour=clock.hour, minute=clock.minute)
            return (exactly(same), *when.wishes)
    if talk.stage == "doubt" and when.has_time and not when.has_date:
        return tuple(_on_day_of(each, when.wishes[0], desk) for each in talk.readings) or when.wishes
    if len(when.wishes) > 1 and not when.has_date:
        return tuple(each.model_copy(update={"precise": False}) for each in when.wishes)
    return when.wishes


def _on_day_of(reading: Wish, wish: Wish, desk: Desk) -> Wish:
    """The hours of `wish` on the day of `reading`."""
    day, clock = desk.local(reading.start).date(), desk.local(wish.start)
    start = desk.midnight(day).replace(hour=clock.hour, minute=clock.minute)
    span = wish.end - wish.start
    return Wish(start=start, end=start + span, precise=span <= _MINUTE)


def _picked(talk: Talk, heard: Heard, desk: Desk) -> Wish | None:
    """The one of the offers that is meant."""
    if talk.stage not in {"offer", "time"}:
        return None
    labels = [say.button(each, desk) for each in talk.offers]
    fitting = _on_offer(talk, heard.when) if heard.when.has_date else []
    place = picking.labelled(heard, labels)
    if place is None and not heard.when.has_date:
        place = _by_clock(talk, heard, desk)
    if place is None and len(fitting) == 1:
        place = talk.offers.index(fitting[0])
    if place is None:
        place = picking.ordinal(heard, len(talk.offers))
    if place is None:
        place = picking.excepted(heard, len(talk.offers))
    if place is None and not heard.when and picking.indifferent(heard):
        place = 0
    if place is None and not heard.when and heard.polarity == "yes" and len(talk.offers) == 1:
        place = 0
    return exactly(talk.offers[place]) if place is not None else None


def _on_offer(talk: Talk, when: When) -> list[datetime]:
    return [each for each in talk.offers if any(wish.start <= each < wish.end for wish in when.wishes)]


def _by_clock(talk: Talk, heard: Heard, desk: Desk) -> int | None:
    """The only offer at the clock time that is said: "10:30 is fine"; the only one of "the morning"."""
    if not heard.when.has_time:
        return None
    said = [(desk.local(wish.start), desk.local(wish.end), wish.precise) for wish in heard.when.wishes]
    fitting = [
        place
        for place, each in enumerate(talk.offers)
        if any(_same_clock(desk.local(each), start, end, precise=precise) for start, end, precise in said)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _same_clock(offer: datetime, start: datetime, end: datetime, *, precise: bool) -> bool:
    if precise:
        return (offer.hour, offer.minute) == (start.hour, start.minute)
    return end - start < _DAY and start.time() <= offer.time() and (offer.time() < end.time() or not end.hour)


def _read(talk: Talk, heard: Heard, desk: Desk) -> Wish | None:
    """The one of the readings that is meant."""
    if talk.stage != "doubt":
        return None
    place = picking.labelled(heard, [say.span(each, desk) for each in talk.readings])
    if place is None:
        place = picking.ordinal(heard, len(talk.readings))
    if place is None and heard.polarity == "yes" and len(talk.readings) == 1:
        place = 0
    if place is not None:
        return talk.readings[place]
    if not heard.when.has_time and len(named := weekdays.reading(heard, talk.readings, desk)) == 1:
        return named[0]
    fitting = [each for each in talk.readings if _fits(each, heard, desk)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(reading: Wish, heard: Heard, desk: Desk) -> bool:
    """Whether what is said now tells this reading from the others: a date, a part of the day, "am"."""
    start = desk.local(reading.start)
    clocks = [wish for wish in heard.when.wishes if wish.precise and heard.when.has_time]
    if clocks and not any(_same_clock(start, desk.local(w.start), desk.local(w.end), precise=True) for w in clocks):
        return False  # a whole new clock time is none of the readings, whatever its "pm"
    if {"am", "a.m", "morning"} & set(heard.said) or {"pm", "p.m", "afternoon", "evening"} & set(heard.said):
        return (start.hour < 12) == bool({"am", "a.m", "morning"} & set(heard.said))  # noqa: PLR2004
    if heard.when.has_date:
        return any(wish.start < reading.end and reading.start < wish.end for wish in heard.when.wishes)
    return reading.precise and any(
        _same_clock(start, desk.local(wish.start), desk.local(wish.end), precise=wish.precise)
        for wish in heard.when.wishes
    )


def _wants_other(talk: Talk, heard: Heard) -> bool:
    if heard.when.wishes and not heard.of("later", "earlier"):
        return False
    if not (talk.offers or talk.start):
        return False
    turned_down = talk.stage in {"offer", "time"} and heard.polarity == "no"
    compared = heard.of("later", "earlier") and talk.stage in {"offer", "time", "confirm"}
    return turned_down or compared or heard.of("other", "move")


def _other(talk: Talk, heard: Heard, desk: Desk) -> Talk:
    """Other starts than those offered: later, earlier, or simply not these."""
    shown: tuple[datetime, ...] = talk.offers or ((talk.start,) if talk.start else ())
    seen = (*talk.seen, *shown)[-_ALL:]
    if heard.when.wishes and heard.when.has_date:
        return _wishing(talk, heard.when.wishes)
    wishes = talk.wishes
    if heard.of("later"):
        wishes = _from(max(shown) + _MINUTE, desk)
    elif heard.of("earlier"):
        wishes = (Wish(start=day_of(min(shown), desk).start, end=min(shown)),)
    elif shown and (talk.start or all(each.precise for each in wishes)):
        wishes = (day_of(shown[0], desk),)
    return talk.forgetting_time().but(wishes=wishes, seen=seen)
