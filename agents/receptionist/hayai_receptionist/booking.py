"""Booking: from "I'd like to come" to a confirmed appointment, asking only what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.errors import BookingRefused, HoldExpired
from hayai.vocabulary.appointments import AppointmentBooked
from hayai_receptionist import choosing, finding, people, picking, say, services, wishing
from hayai_receptionist.talk import Talk, Turn

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard

_PATIENCE = 2
"""How often a name or a contact is asked for before the booking goes on without one."""


# ---- what a message means for a booking ----


async def begin(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    """A booking starts with whatever the first message says already."""
    talk = talk.at_rest().but(task="book", service=talk.service if talk.stage == "invite" else "")
    talk = _with_service(talk, heard, desk)
    return await advance(wishing.heard_time(talk, heard, desk) or talk, desk)


async def hear(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The next turn of a booking; None where the message says nothing about it."""
    if talk.stage == "name" and not heard.services and (name := people.bare_name(heard.text)):
        return await advance(talk.but(name=name, refusals=0), desk, f"Thank you, {name}.")
    changed = _with_service(talk, heard, desk)
    if (timed := wishing.heard_time(changed, heard, desk)) is not None:
        changed = timed
    if changed != talk:
        return await _changed(talk, changed, desk)
    return await _replied(talk, heard, desk)


async def _replied(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The answer to the open question, where it changes nothing that is known."""
    if talk.stage == "confirm":
        return await _answered(talk, heard, desk)
    if talk.stage in {"name", "contact"}:
        return await _about_person(talk, heard, desk)
    if heard.polarity == "no" and talk.stage == "doubt":
        return await advance(talk.forgetting_time(), desk, "All right.")
    if heard.polarity == "yes" and talk.stage in {"doubt", "offer", "time", "service"}:
        return await advance(talk, desk, "Gladly.")
    noted = ("Thank you, I have noted that.",) if heard.name or heard.contact else ()
    return await advance(talk, desk, *noted) if _agrees_again(talk, heard) else None


def _agrees_again(talk: Talk, heard: Heard) -> bool:
    return bool(heard.name or heard.contact or heard.when.wishes) or (
        bool(heard.services) and talk.service in heard.services
    )


async def _changed(talk: Talk, changed: Talk, desk: Desk) -> Turn:
    """Somebody changed their mind, or said more: what was held is given back first."""
    if talk.held and not changed.held:
        await desk.release(talk.held)
    return await advance(changed, desk)


def _with_service(talk: Talk, heard: Heard, desk: Desk) -> Talk:
    """`talk` with the service that the message names; with a choice between several that fit."""
    if talk.service and (not heard.services or talk.service in heard.services):
        return talk
    place = picking.ordinal(heard, len(talk.options)) if talk.stage == "service" else None
    ids = (talk.options[place],) if place is not None else _narrowed(talk, heard, desk)
    if len(ids) != 1:
        return talk.but(options=ids) if ids and not talk.service else talk
    wishes = (wishing.exactly(talk.start),) if talk.start else talk.wishes
    return talk.forgetting_time().but(service=ids[0], options=(), wishes=wishes)


def _narrowed(talk: Talk, heard: Heard, desk: Desk) -> tuple[str, ...]:
    if talk.stage == "service" and picking.indifferent(heard) and talk.options:
        return talk.options[:1]
    asked = [each for each in desk.services if each.id in talk.options] if talk.stage == "service" else []
    told = tuple(each for each in heard.services if each in talk.options) if asked else ()
    if asked and not told:
        told = services.among(heard.said, asked)
    if len(desk.services) == 1 and not talk.service:
        return (desk.services[0].id,)
    return told or heard.services


async def _answered(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The answer to "Shall I book it?"."""
    if heard.polarity == "yes":
        return await _book(talk, desk)
    if heard.polarity == "no":
        await desk.release(talk.held)
        seen = (*talk.seen, talk.start) if talk.start else talk.seen
        return await advance(talk.forgetting_time().but(seen=seen), desk, "All right, I have let that time go.")
    return await advance(talk, desk) if heard.name or heard.contact or heard.when.wishes else None


async def _about_person(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The answer to "What is your name?" or "How can we reach you?"."""
    if heard.name or heard.contact:
        return await advance(talk.but(refusals=0), desk)
    wordless = not any(each.isalnum() for each in heard.text)
    if (
        wordless
        or "?" in heard.text
        or heard.questions
        or heard.intents - {"book", "wish", "greet", "later", "instead"}
    ):
        return None
    if talk.refusals + 1 >= _PATIENCE:
        waived = talk.but(name=talk.name or "Guest", waived=talk.stage == "contact", refusals=0)
        return await advance(waived, desk, "All right, we can sort that out later.")
    short = talk.stage == "contact" and any(each.isdigit() for each in heard.text)
    lead = "That does not look like a whole number or address." if short else "I did not catch that."
    return await advance(talk.but(refusals=talk.refusals + 1), desk, lead)


# ---- what is still missing ----


async def advance(talk: Talk, desk: Desk, *lead: str) -> Turn:
    """The next question of a booking, after `lead`; a wished start that is free is held on the way."""
    if not talk.service or desk.service(talk.service) is None:
        return _ask_service(talk.but(service=""), desk).led_by(*lead)
    talk, *said = await _kept(talk, desk)
    if not talk.held:
        turn = await _about_time(talk, desk)
        return turn.led_by(*lead, *said)
    return _ask_rest(talk, desk).led_by(*lead, *said)


async def _kept(talk: Talk, desk: Desk) -> tuple[Talk, str] | tuple[Talk]:
    """`talk` as far as it still holds: a hold that ran out is made anew, or said to be gone."""
    if not talk.held or talk.start is None or await desk.mine(talk.held):
        return (talk,)
    start = talk.start
    try:
        return (await take(talk.but(held=""), desk, start),)
    except BookingRefused:
        gone = f"I could keep {say.moment(start, desk)} only for {_hold_time(desk)}, and it has been taken since."
        near = await finding.around(desk, talk.service, start)
        return talk.forgetting_time().but(wishes=(wishing.exactly(start),), offers=tuple(near)), gone


async def _about_time(talk: Talk, desk: Desk) -> Turn:
    said: tuple[str, ...] = ()
    if talk.offers:
        talk = await choosing.still_free(talk, desk)
    if talk.question and not talk.readings:
        return Turn(talk.but(stage="time", question=""), (talk.question,))
    if talk.question:
        return choosing.ask_reading(talk, desk)
    if not talk.wishes:
        return await choosing.ask_time(talk, desk, f"When would you like to come for {desk.title(talk.service)}?")
    if not talk.offers:
        talk, said = await choosing.settle(talk, desk, take)
    if talk.held and talk.start:
        free = f"{say.moment(talk.start, desk)} is free, and I am keeping it for you for {_hold_time(desk)}."
        return _ask_rest(talk, desk).led_by(*said, free)
    return choosing.ask_offer(talk, desk).led_by(*said)


async def take(talk: Talk, desk: Desk, start: datetime) -> Talk:
    """Hold `start`. Raises BookingRefused."""
    choosing.check(desk, talk.service, start)
    customer = desk.customer(talk.name, talk.contact)
    for attempt in ("hold", "hold again"):
        key = desk.key(f"{attempt} {talk.service} {start.isoformat()}")
        held = await desk.calendar.hold(desk.tenant, talk.service, start, customer=customer, key=key)
        if await desk.mine(held.id):
            return talk.but(held=held.id, start=held.starts_at, offers=(), readings=(), question="")
    raise HoldExpired("The hold ran out before it could be used: hold the start again.")


def _ask_service(talk: Talk, desk: Desk) -> Turn:
    among = [each for each in desk.services if each.id in talk.options] or list(desk.services)
    names = tuple(each.name for each in among)
    sentence = (
        f"Which do you mean: {say.listed(names, 'or')}?"
        if 0 < len(talk.options) < len(desk.services)
        else f"What would you like to come in for? We offer {say.listed(names)}."
    )
    return Turn(talk.but(stage="service", options=tuple(each.id for each in among)), (sentence,), names)


def _ask_rest(talk: Talk, desk: Desk) -> Turn:
    if not talk.name:
        return Turn(talk.but(stage="name"), ("What is your name, please?",))
    if desk.business.contact == "ask" and not (talk.contact or talk.waived):
        return Turn(talk.but(stage="contact"), ("What telephone number or mail address can we reach you at?",))
    service = desk.service(talk.service)
    price = f" ({service.price})" if service and service.price else ""
    assert talk.start is not None
    told = f"{desk.title(talk.service)} on {say.moment(talk.start, desk)}{price}, for {talk.name}. Shall I book it?"
    return Turn(talk.but(stage="confirm"), (told,), say.CONFIRMING["book"])


def _hold_time(desk: Desk) -> str:
    return finding.length(desk.business.schedule.hold)


# ---- the booking itself ----


async def _book(talk: Talk, desk: Desk) -> Turn:
    """Confirm what is held; where the hold ran out, the same start once more, or the truth."""
    customer = desk.customer(talk.name, talk.contact)
    try:
        booked = await desk.calendar.confirm(desk.tenant, talk.held, customer=customer)
    except BookingRefused:
        again, *gone = await _kept(talk, desk)
        if not again.held:
            return (await advance(again, desk)).led_by(*gone)
        booked = await desk.calendar.confirm(desk.tenant, again.held, customer=customer)
    return _summary(talk, booked, desk)


def _summary(talk: Talk, booked: Appointment, desk: Desk) -> Turn:
    where = f" You will find us at {desk.business.address}." if desk.business.address else ""
    told = f"You are booked, {talk.name}: {say.appointment(booked, desk)}.{where} Is there anything else?"
    event = AppointmentBooked(
        appointment=booked.id,
        person=desk.person,
        service=booked.service,
        starts_at=booked.starts_at,
        ends_at=booked.ends_at,
    )
    return Turn(talk.at_rest().but(last=booked.id), (told,), events=(event,))
