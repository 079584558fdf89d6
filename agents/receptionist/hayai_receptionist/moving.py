"""Moving: another start for an appointment that stands; it keeps its old one until the new one is certain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.availability.slots import Visit
from hayai.errors import AppointmentGone, BookingRefused, SlotTaken
from hayai.vocabulary.appointments import AppointmentMoved
from hayai_receptionist import choosing, finding, owned, reasons, references, say, wishing
from hayai_receptionist.talk import Talk, Turn, spanned

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.ports.calendar import Appointment
    from hayai.schedule import Service
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard

_MINUTE = timedelta(minutes=1)


async def begin(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    """A move starts: of the appointment that the message means, to the time that it names."""
    mine = await desk.own()
    if not mine:
        return owned.none(talk, "move")
    last = [each for each in mine if each.id == talk.last and not heard.which and not heard.services]
    meant = last or owned.meant(mine, heard, heard.which)
    talk = talk.at_rest().but(task="move")
    if len(meant) > 1 and not heard.which and (timed := owned.meant(meant, heard, heard.when)) and len(timed) == 1:
        return await _towards(talk, timed[0], desk)
    talk = wishing.heard_time(talk, heard, desk) or talk
    many = len(meant) > 1
    if not many and not talk.wishes and heard.of("later", "earlier"):
        only = meant[0]
        talk = talk.but(wishes=references.beside(only.starts_at, only.ends_at, desk, later=heard.of("later")))
    turn = owned.ask_which(talk, meant, desk, "move") if many else await _towards(talk, meant[0], desk)
    return turn.led_by(*owned.no_such(mine, heard, desk))


async def _towards(talk: Talk, appointment: Appointment, desk: Desk) -> Turn:
    wishes = wishing.on_same_day(talk.wishes, appointment.starts_at, desk)
    towards = talk.but(target=appointment.id, service=appointment.service, options=(), wishes=wishes)
    return await advance(towards, desk)


async def hear(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """The next turn of a move; None where the message says nothing about it."""
    if talk.stage == "which":
        which = await owned.answered(talk, heard, desk, "move")
        return which if which is None or isinstance(which, Turn) else await _towards(talk, which, desk)
    if (timed := wishing.heard_time(talk, heard, desk)) is not None:
        return await advance(timed, desk)
    if talk.stage == "confirm" and heard.polarity == "yes":
        return await _move(talk, desk)
    if heard.polarity == "no" and talk.stage == "confirm":
        seen = (*talk.seen, talk.start) if talk.start else talk.seen
        return await advance(talk.forgetting_time().but(seen=seen), desk, "All right, not then.")
    if heard.polarity == "no":
        return _unmoved(talk, await desk.mine(talk.target), desk)
    return await advance(talk, desk) if heard.when.wishes or heard.polarity == "yes" else None


def _unmoved(talk: Talk, appointment: Appointment | None, desk: Desk) -> Turn:
    stays = f" {say.appointment(appointment, desk)} stays as it is." if appointment else ""
    return Turn(talk.at_rest(), (f"All right.{stays}",))


async def advance(talk: Talk, desk: Desk, *lead: str) -> Turn:
    """The next question of a move, after `lead`."""
    if talk.stage == "which" and not talk.target:
        asked = [each for each in await desk.own() if each.id in talk.options]
        return (owned.ask_which(talk, asked, desk, "move") if asked else owned.none(talk, "move")).led_by(*lead)
    appointment = await desk.mine(talk.target)
    if appointment is None:
        return owned.none(talk, "move").led_by(*lead)
    if talk.offers:
        talk = await choosing.still_free(talk, desk)
    if talk.question:
        turn = (
            choosing.ask_reading(talk, desk)
            if talk.readings
            else Turn(talk.but(stage="time", question=""), (talk.question,))
        )
        return turn.led_by(*lead)
    service = desk.service(talk.service)
    said: tuple[str, ...] = ()
    if service is None:  # the business has stopped offering it: nothing is free for it any more
        return owned.none(talk, "move").led_by(*lead)
    if any(each.precise and each.start == appointment.starts_at for each in talk.wishes):
        talk, said = talk.forgetting_time(), ("That is when it is already.",)
    if talk.start is None and talk.wishes and not talk.offers:
        talk, said = await choosing.settle(talk, desk, _propose(appointment, service))
    return (await _ask(talk, appointment, desk)).led_by(*lead, *said)


async def _ask(talk: Talk, appointment: Appointment, desk: Desk) -> Turn:
    now = say.appointment(appointment, desk)
    if talk.start is not None:
        told = f"Shall I move {now} to {say.moment(talk.start, desk)}?"
        return Turn(talk.but(stage="confirm"), (told,), say.CONFIRMING["move"])
    if talk.wishes:
        return choosing.ask_offer(talk, desk)
    return await choosing.ask_time(talk, desk, f"You have {now}. When would you like to come instead?")


def _propose(appointment: Appointment, service: Service) -> choosing.Take:
    """Choose a start that is free now, or that the appointment itself keeps from being free."""

    async def propose(talk: Talk, desk: Desk, start: datetime) -> Talk:
        choosing.check(desk, service.id, start)
        visit = Visit(desk.business.schedule, service)
        if not _overlap(visit, start, appointment) and not await desk.free(service.id, start, start + _MINUTE):
            raise SlotTaken("That start is not free: choose another.")
        return talk.but(start=start, was=appointment.starts_at, offers=(), readings=(), question="")

    return propose


def _overlap(visit: Visit, start: datetime, appointment: Appointment) -> bool:
    """Whether the appointment itself is in the way of its new start; the calendar frees it as it moves."""
    new, old = visit.blocked(start), visit.blocked(appointment.starts_at)
    return new[0] < old[1] and old[0] < new[1]


async def _move(talk: Talk, desk: Desk) -> Turn:
    """The move itself, or the truth about why not."""
    before = await desk.mine(talk.target)
    assert talk.start is not None
    if before is None:
        return owned.none(talk, "move")
    try:
        moved = await desk.calendar.move(desk.tenant, talk.target, talk.start, key=desk.key("move"))
    except AppointmentGone:
        return owned.none(talk, "move")
    except BookingRefused as no:
        near = await finding.around(desk, talk.service, talk.start, no.alternatives)
        lost = talk.forgetting_time().but(offers=tuple(near), wishes=(wishing.exactly(talk.start),))
        because = reasons.refused(no, talk.start, desk, talk.service)
        return (await advance(lost, desk)).led_by(f"I could not move it. {because}")
    # Handled again after a crash, the appointment stands at its new start already: the talk knows the old one.
    old = before.starts_at if before.starts_at != moved.starts_at else talk.was or before.starts_at
    return _summary(talk, old, moved, desk)


def _summary(talk: Talk, old: datetime, moved: Appointment, desk: Desk) -> Turn:
    event = AppointmentMoved(
        appointment=moved.id,
        person=desk.person,
        service=moved.service,
        starts_at=moved.starts_at,
        ends_at=moved.ends_at,
        moved_from=old,
    )
    told = f"It is moved: {say.appointment(moved, desk)}. Is there anything else?"
    return Turn(talk.at_rest().but(last=moved.id, about=spanned(moved)), (told,), events=(event,))
