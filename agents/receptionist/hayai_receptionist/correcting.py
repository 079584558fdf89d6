"""Correcting: a name or a way to reach the customer that is told once the appointment is booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai_receptionist import say

if TYPE_CHECKING:
    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk


async def corrected(talk: Talk, heard: Heard, desk: Desk) -> str:
    """Store what is told with the appointment that it must be about, and say so; else say what becomes of it.

    Empty where the customer has no appointment.
    """
    told = say.listed([each for each in (heard.name, heard.contact) if each])
    mine = await desk.own()
    if not mine:
        return ""
    meant = [each for each in mine if each.id == talk.last] or mine
    if len(meant) > 1:
        return f"I shall use {told} for your next booking. A colleague can change the appointments that you have."
    changed = await _store(meant[0], heard, desk)
    return f"I have noted {told} for {say.appointment(changed, desk)}."


async def _store(appointment: Appointment, heard: Heard, desk: Desk) -> Appointment:
    customer = desk.customer(heard.name, heard.contact)
    return await desk.calendar.confirm(desk.tenant, appointment.id, customer=customer)
