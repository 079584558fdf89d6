"""Answering: opening hours, address, telephone, prices, services, and what the business file answers besides."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import say
from hayai_receptionist.hearing import dates

if TYPE_CHECKING:
    from datetime import date

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.questions import Question, Topic
    from hayai_receptionist.talk import Talk

_SOON = timedelta(days=21)
"""How far ahead a day that differs from its weekday is worth a word."""


_FIXED: dict[Topic, str] = {
    "policy": "An appointment can be cancelled or moved here until it begins; I ask before I do either.",
    "staff": "I book the time and cannot choose or tell who it will be with; a colleague can.",
}


def answers(asked: tuple[Question, ...], talk: Talk, desk: Desk) -> tuple[str, ...]:
    """A sentence or two for each question, each said once."""
    found = (sentence for each in asked for sentence in _answer(each, talk, desk))
    return tuple(dict.fromkeys(found))


def _answer(question: Question, talk: Talk, desk: Desk) -> tuple[str, ...]:
    if question.topic in _FIXED:
        return (_FIXED[question.topic],)
    if question.topic == "own":
        return (desk.business.answers[question.answer].says,)
    if question.topic == "hours":
        return _hours(question, desk)
    if question.topic in {"address", "phone"}:
        return (_address(desk) if question.topic == "address" else _phone(desk),)
    if question.topic == "price":
        return _prices(question, talk, desk)
    return _services(question, desk)


def _hours(question: Question, desk: Desk) -> tuple[str, ...]:
    if days := dates(question.clause, desk):
        return tuple(_on(day, desk) for day in days)
    special = [day for day in _soon(desk) if desk.openings(day) != desk.business.schedule.hours.get(day.weekday(), ())]
    return (f"Our opening hours: {say.week(desk)}.", *(_on(day, desk) for day in special[:2]))


def _soon(desk: Desk) -> list[date]:
    today = desk.today()
    return sorted(each.day for each in desk.business.schedule.exceptions if today <= each.day <= today + _SOON)


def _on(day: date, desk: Desk) -> str:
    reason, openings = desk.exception(day), desk.openings(day)
    because = f" ({reason})" if reason else ""
    return f"On {say.day(day, desk.today())}{because} we are {f'open {say.hours(openings)}' if openings else 'closed'}."


def _address(desk: Desk) -> str:
    return f"We are at {desk.business.address}." if desk.business.address else "I do not have our address at hand."


def _phone(desk: Desk) -> str:
    ways = [way for way in (desk.business.phone, desk.business.email) if way]
    return f"You can reach us at {say.listed(ways, 'or')}." if ways else "I do not have a telephone number at hand."


def _prices(question: Question, talk: Talk, desk: Desk) -> tuple[str, ...]:
    asked = question.services or ((talk.service,) if talk.service else ())
    chosen = [each for each in desk.services if each.id in asked] or list(desk.services)
    told = [f"{each.name}: {each.price}" for each in chosen if each.price]
    return (f"{'; '.join(told)}.",) if told else ("I do not have a price for that; a colleague can tell you.",)


def _services(question: Question, desk: Desk) -> tuple[str, ...]:
    if question.services:
        named = [each.name for each in desk.services if each.id in question.services]
        return (f"Yes, we offer {say.listed(named)}.",)
    if days := dates(question.clause, desk):
        return tuple(_on(day, desk) for day in days)
    return (f"We offer {say.listed([each.name for each in desk.services])}.",)
