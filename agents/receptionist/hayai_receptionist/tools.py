"""Tools: what a language model may do at the desk, each bound to the person who writes."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from hayai.agents.caller import Caller, Done
from hayai.errors import AppointmentGone, BookingRefused, ServiceUnknown
from hayai.vocabulary.appointments import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from hayai_receptionist import say
from hayai_receptionist.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.agents.agent import Agent
    from hayai.ports.calendar import Appointment
    from hayai.schedule import Service

_DAYS = 14
"""As far as one look into the calendar goes."""
_STARTS, _ALL = 12, 96
"""As many starts as one look returns of each of several days, and of one alone."""


def desk_of(caller: Caller) -> Desk:
    """The desk, for this person and this business."""
    return Desk(
        business=caller.business,
        calendar=caller.context.tier.calendar,
        person=caller.person,
        channel=caller.channel,
        now=caller.now(),
        turn=(caller.context.conversation, caller.context.envelope.id),
    )


def instructions(caller: Caller) -> str:
    """Who the model is, and what time it is there."""
    desk = desk_of(caller)
    now = desk.local(desk.now)
    return (
        f"You are the receptionist of {desk.business.name}, a {desk.business.trade}. "
        f"It is {now:%A}, {now:%Y-%m-%d}, {now:%H:%M} there; all times are local. "
        "You answer questions, and book, move and cancel appointments for whoever writes to you and for nobody else. "
        "Look at the calendar before you offer a time, and ask before you book, move or cancel. Ask for the name "
        "before you book. In an emergency, or when they ask for a person, hand over. "
        "You give no medical or legal advice."
    )


async def services(caller: Caller) -> str:
    """What can be booked here: each service with its id, how long it takes and what it costs."""
    lines = [f"{each.id}: {each.name}, {_length(each)}{_price(each)}" for each in desk_of(caller).services]
    return "\n".join(lines)


def _length(service: Service) -> str:
    return f"{service.duration // timedelta(minutes=1)} minutes"


def _price(service: Service) -> str:
    return f", {service.price}" if service.price else ""


async def about_us(caller: Caller) -> str:
    """Where we are, how to reach us, our weekly hours, and what we answer to questions that are often asked."""
    desk = desk_of(caller)
    business = desk.business
    where = [f"{name}: {said}" for name, said in (("Address", business.address), ("Phone", business.phone)) if said]
    return "\n".join([*where, f"Hours: {say.week(desk)}", *(each.says for each in business.answers)])


async def opening_hours(caller: Caller, day: date) -> str:
    """When we are open on one day, holidays included."""
    desk = desk_of(caller)
    why = desk.exception(day)
    return f"{say.day(day, desk.today())}: {say.hours(desk.openings(day))}{f' ({why})' if why else ''}"


async def free_times(caller: Caller, service: str, first_day: date, last_day: date) -> str:
    """The free starts for a service, by its id, from one day to another, at most two weeks.

    Of several days only some starts are listed: look at one day alone before you say that a time is taken.
    """
    desk = desk_of(caller)
    if desk.service(service) is None:
        raise ServiceUnknown(f"There is no such service. There are: {', '.join(each.id for each in desk.services)}.")
    days = min((last_day - first_day).days, _DAYS - 1) + 1
    dates = [first_day + timedelta(days=ahead) for ahead in range(max(days, 1))]
    limit = _STARTS if len(dates) > 1 else _ALL
    found = await asyncio.gather(*(_free(desk, service, each, limit) for each in dates))
    return "\n".join(each for each in found if each) or "Nothing is free then."


async def _free(desk: Desk, service: str, day: date, limit: int) -> str:
    starts = await desk.free(service, desk.midnight(day), desk.midnight(day + timedelta(days=1)))
    local = [desk.local(each) for each in _some(starts, limit)]
    listed = ", ".join(f"{say.clock(each)} ({each:%Y-%m-%dT%H:%M})" for each in local)
    return f"{say.day(day, desk.today())}: {listed}" if starts else ""


def _some(starts: Sequence[datetime], limit: int) -> Sequence[datetime]:
    """At most so many of the day's, from its beginning to its end."""
    step = -(-len(starts) // limit)
    return starts[:: step or 1]


async def my_appointments(caller: Caller) -> str | Done:
    """The appointments to come of whoever writes, each with its id."""
    desk = desk_of(caller)
    own = await desk.own()
    if not own:
        return "None."
    return Done("\n".join(f"{say.appointment(each, desk)} is booked (id {each.id})" for each in own), ("booked",))


async def book(caller: Caller, service: str, starts_at: datetime, name: str, contact: str = "") -> Done:
    """Book a free start, once they have agreed to it; `contact` is a telephone number or a mail address."""
    desk = desk_of(caller)
    customer = desk.customer(name, contact)
    held = await desk.calendar.hold(
        desk.tenant, service, _local(starts_at, desk), customer=customer, key=caller.key("hold")
    )
    booked = held if held.status == "confirmed" else await desk.calendar.confirm(desk.tenant, held.id)
    caller.follow(
        AppointmentBooked(
            appointment=booked.id,
            person=caller.person,
            service=booked.service,
            starts_at=booked.starts_at,
            ends_at=booked.ends_at,
        )
    )
    where = f" You will find us at {desk.business.address}." if desk.business.address else ""
    return Done(f"You are booked: {say.appointment(booked, desk)}.{where}", ("booked",))


async def move(caller: Caller, appointment: str, starts_at: datetime) -> Done:
    """Move one of their appointments, by its id, to another free start, once they have agreed to it."""
    desk = desk_of(caller)
    was = await _mine(desk, appointment)
    moved = await desk.calendar.move(desk.tenant, was.id, _local(starts_at, desk), key=caller.key("move"))
    caller.follow(
        AppointmentMoved(
            appointment=moved.id,
            person=caller.person,
            service=moved.service,
            starts_at=moved.starts_at,
            ends_at=moved.ends_at,
            moved_from=was.starts_at,
        )
    )
    return Done(f"It is moved and booked: {say.appointment(moved, desk)}.", ("moved", "booked"))


async def cancel(caller: Caller, appointment: str) -> Done:
    """Cancel one of their appointments, by its id, once they have agreed to it."""
    desk = desk_of(caller)
    found = await desk.once_mine(appointment)  # handled again after a crash, it is cancelled already
    if found is None:
        raise _gone()
    cancelled = await desk.calendar.cancel(desk.tenant, found.id)
    caller.follow(
        AppointmentCancelled(
            appointment=cancelled.id,
            person=caller.person,
            service=cancelled.service,
            starts_at=cancelled.starts_at,
        )
    )
    return Done(f"It is cancelled: {say.appointment(cancelled, desk)}.", ("cancelled",))


async def hand_over(
    caller: Caller, reason: Literal["asks for a person", "complains", "needs advice", "emergency", "other"]
) -> str:
    """Have a person of the business take the conversation over."""
    caller.hand_over(reason)
    return "A colleague will get back to them. In an emergency they should call the emergency services."


def _gone() -> BookingRefused:
    return AppointmentGone("They have no such appointment.")


async def _mine(desk: Desk, appointment: str) -> Appointment:
    """That appointment of this person. Raises AppointmentGone for anybody else's, as if it were not there."""
    found = await desk.mine(appointment)
    if found is None:
        raise _gone()
    return found


def _local(start: datetime, desk: Desk) -> datetime:
    """`start` on the business's clocks where it names no zone."""
    return start if start.tzinfo else start.replace(tzinfo=desk.zone)


def give(agent: Agent) -> None:
    """Give the agent all of these."""
    for each in (services, about_us, opening_hours, free_times, my_appointments, hand_over):
        agent.tool(each)
    agent.tool(produces=[AppointmentBooked])(book)
    agent.tool(produces=[AppointmentMoved])(move)
    agent.tool(produces=[AppointmentCancelled])(cancel)
