"""Cancelling: one of the person's own appointments, after a yes to its date read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.vocabulary.appointments import AppointmentCancelled
from hayai_receptionist import owned, say
from hayai_receptionist.talk import Talk, Turn
from hayai_receptionist.words import wordset

if TYPE_CHECKING:
    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard


async def begin(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    """A cancellation starts, of the appointment that the message means."""
    mine = await desk.own()
    if not mine:
        return owned.none(talk, "cancel")
    meant = owned.on_day(mine, heard, desk)
    talk = talk.at_rest().but(task="cancel")
    turn = _ask(talk, meant[0], desk) if len(meant) == 1 else owned.ask_which(talk, meant, desk, "cancel")
    return turn.led_by(*owned.no_such(mine, heard, desk))


async def hear(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The next turn of a cancellation; None where the message says nothing about it."""
    if talk.stage == "which":
        which = await owned.answered(talk, heard, desk, "cancel")
        return which if which is None or isinstance(which, Turn) else _ask(talk, which, desk)
    if _agreed(talk, heard):
        return await _cancel(talk, desk)
    return await _kept(talk, desk) if heard.polarity == "no" else None


_COMMAND = wordset("cancel please pls it that this the one appointment my yes now then just")


def _agreed(talk: Talk, heard: Heard) -> bool:
    """Whether the appointment is to be cancelled beyond doubt: a yes, or "cancel it" and nothing else."""
    another = bool(heard.services) and talk.service not in heard.services
    other = heard.when or another or heard.name or "?" in heard.text
    commanded = heard.of("cancel") and set(heard.said) <= _COMMAND
    return not other and (heard.polarity == "yes" or commanded)


async def _kept(talk: Talk, desk: Desk) -> Turn:
    appointment = await desk.mine(talk.target)
    stays = f" {say.appointment(appointment, desk)} stays as it is." if appointment else ""
    return Turn(talk.at_rest(), (f"All right.{stays}",))


async def advance(talk: Talk, desk: Desk, *lead: str) -> Turn:
    """The open question of a cancellation, after `lead`."""
    if talk.stage == "which":
        asked = [each for each in await desk.own() if each.id in talk.options]
        return (owned.ask_which(talk, asked, desk, "cancel") if asked else owned.none(talk, "cancel")).led_by(*lead)
    appointment = await desk.mine(talk.target)
    return (_ask(talk, appointment, desk) if appointment else owned.none(talk, "cancel")).led_by(*lead)


def _ask(talk: Talk, appointment: Appointment, desk: Desk) -> Turn:
    told = f"Shall I cancel {say.appointment(appointment, desk)}?"
    asking = talk.but(stage="confirm", target=appointment.id, service=appointment.service, options=())
    return Turn(asking, (told,), say.CONFIRMING["cancel"])


async def _cancel(talk: Talk, desk: Desk) -> Turn:
    # Handled again after a crash, it is cancelled already: that is no reason to say that there is none.
    appointment = await desk.once_mine(talk.target)
    if appointment is None:
        return owned.none(talk, "cancel")
    cancelled = await desk.calendar.cancel(desk.tenant, appointment.id)
    told = f"It is cancelled: {say.appointment(cancelled, desk)}. Is there anything else?"
    event = AppointmentCancelled(
        appointment=cancelled.id, person=desk.person, service=cancelled.service, starts_at=cancelled.starts_at
    )
    return Turn(talk.at_rest().but(last=""), (told,), events=(event,))
