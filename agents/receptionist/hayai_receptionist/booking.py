"""Booking: from "I'd like to come" to a confirmed appointment, asking only what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.errors import BookingRefused, HoldExpired
from hayai.vocabulary.appointments import AppointmentBooked
from hayai_receptionist import (
    adding,
    caution,
    choosing,
    dropping,
    finding,
    looking,
    naming,
    picking,
    say,
    services,
    several,
    wishing,
)
from hayai_receptionist.talk import Talk, Turn, spanned

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard


# ---- what a message means for a booking ----


async def begin(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    """A booking starts with whatever the first message says already."""
    talk = several.waiting(_with_service(dropping.taken_up(talk, heard), heard, desk), heard)
    lead = (adding.order(talk, desk),) if talk.then else ()
    return await advance(wishing.heard_time(talk, heard, desk) or talk, desk, *lead)


async def hear(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The next turn of a booking; None where the message says nothing about it."""
    if name := naming.told(talk, heard, desk):
        return await advance(talk.but(name=name, nameless=False, refusals=0), desk, f"Thank you, {name}.")
    other = several.for_other(talk, heard)
    if other or naming.mistaken(talk, heard):
        unnamed = talk.but(name="", refusals=0, nameless=False, other=talk.other or other)
        return await advance(unnamed, desk, "Gladly." if other else "I am sorry.")
    if looked := await looking.looked(talk, heard, desk):
        return await advance(talk, desk, looked)
    changed = adding.rearranged(talk, heard) or several.besides(talk, heard) or _rewished(talk, heard, desk)
    return await (_replied(talk, heard, desk) if changed == talk else _changed(talk, changed, desk))


def _rewished(talk: Talk, heard: Heard, desk: Desk) -> Talk:
    """`talk` with the person, the service and the time that the message wishes."""
    changed = several.waiting(_with_service(_with_staff(talk, desk), heard, desk), heard)
    return wishing.heard_time(changed, heard, desk) or changed


async def _replied(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The answer to the open question, where it changes nothing that is known."""
    if talk.stage == "confirm":
        return await _answered(talk, heard, desk)
    if talk.stage in {"name", "contact"}:
        if talk.start and (heard.staff or heard.unwanted or heard.when.wishes or talk.service in heard.services):
            kept = f"That is what I am keeping: {desk.wanted(talk.service)} on {say.moment(talk.start, desk)}."
            return await advance(talk, desk, kept)
        return await _about_person(talk, heard, desk)
    if heard.polarity == "no" and talk.stage == "doubt":
        return await advance(talk.forgetting_time(), desk, "All right.")
    if heard.polarity == "yes" and talk.stage in {"doubt", "offer", "time", "service"}:
        return await advance(talk, desk, "Gladly.")
    noted = ("Thank you, I have noted that.",) if heard.name or heard.contact else ()
    return await advance(talk, desk, *noted) if _agrees_again(talk, heard) else None


def _agrees_again(talk: Talk, heard: Heard) -> bool:
    return bool(heard.name or heard.contact or heard.when.wishes or heard.staff) or (
        bool(heard.services) and talk.service in heard.services
    )


async def _changed(talk: Talk, changed: Talk, desk: Desk) -> Turn:
    """Somebody changed their mind, or said more: what was held is given back first, and that is said."""
    lead: list[str] = []
    if talk.service and changed.service and changed.service != talk.service:
        lead.append(f"{desk.title(changed.service)} instead of {desk.title(talk.service)}.")
    if talk.held and not changed.held:
        await desk.release(talk.held)
    if changed.then != talk.then:
        lead.append(adding.order(changed, desk))
    turn = await advance(changed, desk, *lead)
    if not talk.held or turn.talk.held or talk.start is None:
        return turn
    return turn.led_by(f"I no longer keep {desk.title(talk.service)} on {say.moment(talk.start, desk)} for you.")


def _with_staff(talk: Talk, desk: Desk) -> Talk:
    """`talk` with the one who is asked for now: whatever was looked for without them is looked for anew."""
    if desk.asked == talk.staff:
        return talk
    wishes = (wishing.exactly(talk.start), wishing.day_of(talk.start, desk)) if talk.start else talk.wishes
    return talk.forgetting_time().but(staff=desk.asked, wishes=wishes)


def _with_service(talk: Talk, heard: Heard, desk: Desk) -> Talk:
    """`talk` with the service that the message names, or without the one that it says is not meant."""
    if talk.service in heard.refused and talk.service not in heard.services and not heard.services:
        wishes = (wishing.exactly(talk.start),) if talk.start else talk.wishes
        return talk.forgetting_time().but(service="", options=(), wishes=wishes)
    if talk.service and (not heard.services or talk.service in heard.services):
        return talk
    place = picking.ordinal(heard, len(talk.options)) if talk.stage == "service" else None
    ids = (talk.options[place],) if place is not None else _narrowed(talk, heard, desk)
    if len(ids) != 1:
        return talk.but(options=ids) if ids and not talk.service else talk
    wishes = (wishing.exactly(talk.start),) if talk.start else talk.wishes
    doubt = {} if talk.service else {"question": talk.question, "readings": talk.readings}
    return talk.forgetting_time().but(service=ids[0], options=(), wishes=wishes, **doubt)


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
    """The answer to "Shall I book it?": a message that tells anything new beside its yes is asked about again."""
    if caution.unreachable(heard.text):
        return await advance(talk.but(waived=not talk.contact), desk, "All right.")
    if heard.name or heard.contact or heard.when.wishes or caution.checks(heard.text):
        agreed = heard.polarity == "yes" and not (heard.name or heard.contact)
        return await (_book(talk, desk) if agreed else advance(talk, desk))
    if heard.polarity == "yes":  # "yes, cancel" is no yes to a booking; "yes, and cancel the other one" is
        doubtful = heard.of("cancel") and not adding.more(heard)
        return await (advance(talk, desk) if doubtful else _book(talk, desk))
    if heard.polarity == "no":
        await desk.release(talk.held)
        seen = (*talk.seen, talk.start) if talk.start else talk.seen
        return await advance(talk.forgetting_time().but(seen=seen), desk, "All right, I have let that time go.")
    return None


async def _about_person(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The answer to "What is your name?" or "How can we reach you?"."""
    answered, *lead = naming.answered(talk, heard)
    return await advance(answered, desk, *lead) if answered is not None else None


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
        return await choosing.ask_time(talk, desk, f"When would you like to come for {desk.wanted(talk.service)}?")
    if not talk.offers:
        talk, said = await choosing.settle(talk, desk, take)
    if talk.held and talk.start:
        chosen = f"{desk.wanted(talk.service)} on {say.moment(talk.start, desk)}"
        free = f"{chosen} is free, and I am keeping it for you for {_hold_time(desk)}."
        return _ask_rest(talk, desk).led_by(*said, free)
    return choosing.ask_offer(talk, desk).led_by(*said)


async def take(talk: Talk, desk: Desk, start: datetime) -> Talk:
    """Hold `start`. Raises BookingRefused."""
    choosing.check(desk, talk.service, start)
    customer = desk.customer(talk.name, talk.contact)
    for attempt in ("hold", "hold again"):
        key = desk.key(f"{attempt} {talk.service} {start.isoformat()}")
        held = await desk.calendar.hold(
            desk.tenant, talk.service, start, customer=customer, key=key, resources=desk.chosen(talk.service)
        )
        if await desk.mine(held.id):
            return talk.but(
                about=spanned(held), held=held.id, start=held.starts_at, offers=(), readings=(), question=""
            )
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
    if not (talk.name or talk.nameless):
        return Turn(
            talk.but(stage="name"),
            ("Whose name shall I put it under?" if talk.other else "What is your name, please?",),
        )
    if desk.business.contact == "ask" and not (talk.contact or talk.waived):
        return Turn(talk.but(stage="contact"), ("What telephone number or mail address can we reach you at?",))
    service = desk.service(talk.service)
    price = f" ({service.price})" if service and service.price else ""
    assert talk.start is not None
    whom = f", for {talk.name}." if talk.name else ". I have no name for it yet; you can still tell me."
    told = f"{desk.wanted(talk.service)} on {say.moment(talk.start, desk)}{price}{whom} Shall I book it?"
    return Turn(talk.but(stage="confirm"), (told,), say.CONFIRMING["book"])


def _hold_time(desk: Desk) -> str:
    return say.length(desk.business.schedule.hold)


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
    return await _summary(talk, booked, desk)


async def _summary(talk: Talk, booked: Appointment, desk: Desk) -> Turn:
    where = f" You will find us at {desk.business.address}." if desk.business.address else ""
    called = f", {talk.name}" if talk.name else ""
    told = f"You are booked{called}: {desk.wanted(booked.service)} on {say.moment(booked.starts_at, desk)}.{where}"
    event = AppointmentBooked(
        appointment=booked.id,
        person=desk.person,
        service=booked.service,
        starts_at=booked.starts_at,
        ends_at=booked.ends_at,
    )
    if talk.then:
        after = adding.following(talk, booked, desk)
        turn = await advance(after, desk, told, f"Now {desk.title(after.service)}.")
        return Turn(turn.talk, turn.sentences, turn.choices, (event, *turn.events))
    return Turn(
        talk.at_rest().but(last=booked.id, about=spanned(booked)), (told, "Is there anything else?"), events=(event,)
    )
