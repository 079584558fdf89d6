"""Weekdays: a bare weekday is the one near the day that is talked about, not always the next from today."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist.words import wordset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk, Wish

_OTHER_DATES = wordset("this next today tomorrow coming week weeks after following tonight month first second third")
_MONTHS = wordset("jan feb mar apr may jun jul aug sep oct nov dec")
_SOON = timedelta(days=7)
"""A bare weekday within so many days is the next one, whatever is talked about."""
_NEAR = 3
"""Days between a day that is talked about and the nearest of another name, at most."""


def alone(heard: Heard, name: str) -> bool:
    """Whether a day was named by its weekday and nothing else: "tuesday at 9", but neither "this" nor "the 24th"."""
    named = any(each.startswith(name[:3].casefold()) for each in heard.said)
    return named and not any(_tells_a_date(each) for each in heard.said)


def _tells_a_date(word: str) -> bool:
    numbered = word[:1].isdigit() and word[-2:] in {"st", "nd", "rd", "th"}
    return numbered or word in _OTHER_DATES or word[:3] in _MONTHS


def near(day: date, talk: Talk, desk: Desk) -> date:
    """The day of the same name as `day` that the talk is about, or that is nearest to a day far ahead in it."""
    spoken = sorted({desk.local(each).date() for each in _spoken(talk)})
    same = [each for each in spoken if each.weekday() == day.weekday()]
    if len(same) == 1:
        return same[0]
    if len(spoken) != 1 or same or spoken[0] - desk.today() < _SOON:
        return day
    around = (spoken[0] + timedelta(days=shift) for shift in range(-_NEAR, _NEAR + 1))
    return next(each for each in around if each.weekday() == day.weekday())


def _spoken(talk: Talk) -> Sequence[datetime]:
    if talk.stage == "time" and talk.start is None and talk.seen:
        return talk.seen[-1:]
    return talk.offers or ((talk.start,) if talk.start else ())


def on_named(heard: Heard, owned: Sequence[Appointment], desk: Desk) -> list[Appointment]:
    """Those of the appointments that are on the weekday that is named alone: "the one on tuesday"."""
    names = [each for each in range(7) if alone(heard, _NAMES[each])]
    return [each for each in owned if len(names) == 1 and desk.local(each.starts_at).weekday() == names[0]]


def any_named(heard: Heard) -> bool:
    """Whether any weekday is named and nothing else of a date."""
    return any(alone(heard, each) for each in _NAMES)


def reading(heard: Heard, readings: Sequence[Wish], desk: Desk) -> list[Wish]:
    """Those of the readings whose weekday is the one that is named: "Wednesday" after "the 9th or the 10th?"."""
    names = [each for each in range(7) if alone(heard, _NAMES[each])]
    return [each for each in readings if desk.local(each.start).weekday() in names] if len(names) == 1 else []


_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
