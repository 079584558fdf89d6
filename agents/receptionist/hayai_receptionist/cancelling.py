"""Cancelling: the person's own appointments, one or all, after a yes to their dates read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.vocabulary.appointments import AppointmentCancelled
from hayai_receptionist import owned, say
from hayai_receptionist.talk import Talk, Turn
from hayai_receptionist.words import wordset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard


async def begin(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    """A cancellation starts, of the appointment that the message means."""
    mine = await desk.own()
    if not mine:
        return owned.none(talk, "cancel")
    meant = owned.on_day(owned.besides(mine, talk, heard), heard, desk)
    talk = talk.at_rest().but(task="cancel")
    if len(meant) > 1:
        named = {each.service for each in meant}
        each_named = len(named) == len(meant) and named == set(heard.services)
        turn = (_ask_all if each_named or heard.of("everything") else _which)(talk, meant, desk)
    else:
        turn = _ask(talk, meant[0], desk)
    return turn.led_by(*owned.no_such(mine, heard, desk))


def _which(talk: Talk, meant: Sequence[Appointment], desk: Desk) -> Turn:
    return owned.ask_which(talk, meant, desk, "cancel")


async def hear(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The next turn of a cancellation; None where the message says nothing about it."""
    if talk.stage == "which":
        asked = await _asked(talk, desk)
        if asked and heard.of("everything") and heard.polarity != "no":
            return _ask_all(talk, asked, desk)
        which = await owned.answered(talk, heard, desk, "cancel")
        return which if which is None or isinstance(which, Turn) else _ask(talk, which, desk)
    if talk.target and heard.of("everything") and heard.of("cancel"):
        return await begin(talk, heard, desk)
    if (other := await owned.other(talk, heard, desk)) is not None:
        return _ask(talk, other, desk)
    if _agreed(talk, heard):
        return await _cancel(talk, desk)
    return await _kept(talk, desk) if heard.polarity == "no" else None


_ALL = wordset("all both them of these everything")
_COMMAND = wordset("cancel please pls it that this the one appointment my yes now then just")


def _agreed(talk: Talk, heard: Heard) -> bool:
    """Whether the appointment is to be cancelled beyond doubt: a yes, or "cancel it" and nothing else."""
    another = bool(heard.services) and talk.service not in heard.services
    other = heard.when or another or heard.name or "?" in heard.text
    commanded = heard.of("cancel") and set(heard.said) <= (_COMMAND if talk.target else _COMMAND | _ALL)
    return not other and (heard.polarity == "yes" or commanded)


async def _kept(talk: Talk, desk: Desk) -> Turn:
    appointment = await desk.mine(talk.target)
    kept = say.appointment(appointment, desk) if appointment else "Everything" if talk.options else ""
    return Turn(talk.at_rest(), (f"All right. {kept} stays as it is." if kept else "All right.",))


async def _asked(talk: Talk, desk: Desk) -> list[Appointment]:
    return [each for each in await desk.own() if each.id in talk.options]


async def advance(talk: Talk, desk: Desk, *lead: str) -> Turn:
    """The open question of a cancellation, after `lead`."""
    if not talk.target:
        asked, ask = await _asked(talk, desk), _which if talk.stage == "which" else _ask_all
        return (ask(talk, asked, desk) if asked else owned.none(talk, "cancel")).led_by(*lead)
    appointment = await desk.mine(talk.target)
    return (_ask(talk, appointment, desk) if appointment else owned.none(talk, "cancel")).led_by(*lead)


def _ask(talk: Talk, appointment: Appointment, desk: Desk) -> Turn:
    told = f"Shall I cancel {say.appointment(appointment, desk)}?"
    asking = talk.but(stage="confirm", target=appointment.id, service=appointment.service, options=())
    return Turn(asking, (told,), say.CONFIRMING["cancel"])


def _ask_all(talk: Talk, asked: Sequence[Appointment], desk: Desk) -> Turn:
    told = say.listed([say.appointment(each, desk) for each in asked])
    asking = talk.but(stage="confirm", target="", service="", options=tuple(each.id for each in asked))
    return Turn(asking, (f"Shall I cancel all of these: {told}?",), ("Yes, cancel all", "No, keep them"))


async def _cancel(talk: Talk, desk: Desk) -> Turn:
    """Cancel what was asked about: one appointment, or all of several."""
    # Handled again after a crash, it is cancelled already: that is no reason to say that there is none.
    found = [await desk.once_mine(id_) for id_ in ((talk.target,) if talk.target else talk.options)]
    cancelled = [await desk.calendar.cancel(desk.tenant, each.id) for each in found if each]
    if not cancelled:
        return owned.none(talk, "cancel")
    told = tuple(f"It is cancelled: {say.appointment(each, desk)}." for each in cancelled)
    events = tuple(
        AppointmentCancelled(appointment=each.id, person=desk.person, service=each.service, starts_at=each.starts_at)
        for each in cancelled
    )
    return Turn(talk.at_rest().but(last=""), (*told, "Is there anything else?"), events=events)
