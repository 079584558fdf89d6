"""Answering: opening hours, address, telephone, prices, services, and what the business file answers besides."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import reasons, say, staff
from hayai_receptionist.timing import dates

if TYPE_CHECKING:
    from datetime import date

    from hayai.schedule import Opening, Service
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.questions import Question, Topic
    from hayai_receptionist.talk import Talk

_SOON = timedelta(days=21)
"""How far ahead a day that differs from its weekday is worth a word."""


_FIXED: dict[Topic, str] = {
    "policy": "An appointment can be cancelled or moved here until it begins; I ask before I do either.",
    "staff": "I book whoever is free, unless you ask for somebody by name.",
}


def answers(asked: tuple[Question, ...], talk: Talk, desk: Desk) -> tuple[str, ...]:
    """A sentence or two for each question, each said once."""
    found = (sentence for each in asked for sentence in _answer(each, talk, desk))
    return tuple(dict.fromkeys(found))


def _answer(question: Question, talk: Talk, desk: Desk) -> tuple[str, ...]:
    if question.topic in {*_FIXED, "length", "ahead", "now", "date", "lunch", "unknown"}:
        return _presence(question, desk) or (_FIXED.get(question.topic) or _aside(question, talk, desk),)
    if question.topic == "own":
        return (desk.business.answers[question.answer].says,)
    if question.topic == "hours":
        return _hours(question, desk)
    if question.topic in {"address", "phone"}:
        return (_address(desk) if question.topic == "address" else _phone(desk),)
    if question.topic == "price":
        return _prices(question, talk, desk)
    return _services(question, desk)


def _presence(question: Question, desk: Desk) -> tuple[str, ...]:
    """When somebody is there who is asked about by name, on the days that are named."""
    if question.topic != "staff":
        return ()
    called = {each.id for each in staff.named(question.clause, desk.staff)}
    days = dates(question.clause, desk)
    return tuple(reasons.presence(each, day, desk) for each in desk.staff if each.id in called for day in days)


def _aside(question: Question, talk: Talk, desk: Desk) -> str:
    if question.topic == "unknown":
        return f"I have no answer to your question.{say.call_us(desk)}"
    if question.topic == "length":
        return _lengths(question, talk, desk)
    if question.topic == "ahead":
        return reasons.horizon(desk)
    if question.topic == "date":
        return f"Today is {say.day(desk.today(), desk.today())}."
    if question.topic == "lunch":
        breaks = say.breaks(desk)
        return f"We close in between: {breaks}." if breaks else f"We have no lunch break: {say.week(desk)}."
    now = any(_within(each, desk) for each in desk.openings(desk.today()))
    return f"We are {'open' if now else 'closed'} now. {_on(desk.today(), desk)}"


def _within(opening: Opening, desk: Desk) -> bool:
    clock = desk.local(desk.now).time()
    return opening.opens <= clock and (clock < opening.closes or not (opening.closes.hour or opening.closes.minute))


def _lengths(question: Question, talk: Talk, desk: Desk) -> str:
    chosen = _chosen(question, talk, desk) or list(desk.services)
    told = [f"{each.name} takes {say.length(each.duration)}" for each in chosen]
    return f"{say.listed(told)}."


def _chosen(question: Question, talk: Talk, desk: Desk) -> list[Service]:
    """The services that a question is about: those it names, or the one that is being talked about."""
    about = talk.service or (talk.about.service if talk.about else "")
    asked = question.services or ((about,) if about and not question.strange else ())
    return [each for each in desk.services if each.id in asked]


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
    chosen = _chosen(question, talk, desk) or list(desk.services)
    unknown = ("I do not find that among our services.",) if question.strange else ()
    told = [f"{each.name}: {each.price}" for each in chosen if each.price]
    return (*unknown, f"{'; '.join(told)}.") if told else ("I do not have a price for that; a colleague can tell you.",)


def _services(question: Question, desk: Desk) -> tuple[str, ...]:
    if question.services:
        named = [each.name for each in desk.services if each.id in question.services]
        return (f"Yes, we offer {say.listed(named)}.",)
    if days := dates(question.clause, desk):
        return tuple(_on(day, desk) for day in days)
    unknown = "I do not find that among our services. " if question.strange else ""
    return (f"{unknown}We offer {say.listed([each.name for each in desk.services])}.",)
