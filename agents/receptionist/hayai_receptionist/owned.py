"""Owned: which of the person's own appointments is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai_receptionist import picking, say
from hayai_receptionist.talk import Talk, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard, When


def meant(owned: Sequence[Appointment], heard: Heard, which: When) -> list[Appointment]:
    """Those of `owned` that fit the service and the time that the message names; all where it names none that fits."""
    found = [each for each in owned if each.service in heard.services] or list(owned)
    timed = [each for each in found if any(wish.start <= each.starts_at < wish.end for wish in which.wishes)]
    return timed or found


def picked(talk: Talk, heard: Heard, owned: Sequence[Appointment], desk: Desk) -> list[Appointment]:
    """Those that the answer to "Which one?" means: one, several still, or none."""
    asked = [each for each in owned if each.id in talk.options]
    place = picking.labelled(heard, [say.ticket(each, desk) for each in asked])
    if place is None and not heard.when.has_date:
        place = picking.ordinal(heard, len(asked))
    if place is not None:
        return [asked[place]]
    named = bool(heard.services or heard.when.wishes)
    fitting = meant(asked, heard, heard.when) if named else []
    return fitting if len(fitting) < len(asked) else []


def ask_which(talk: Talk, owned: Sequence[Appointment], desk: Desk, verb: str) -> Turn:
    """Which of your appointments?"""
    told = "; ".join(say.appointment(each, desk) for each in owned)
    sentence = f"You have {len(owned)} appointments: {told}. Which one shall I {verb}?"
    labels = tuple(say.ticket(each, desk) for each in owned)
    return Turn(talk.but(stage="which", options=tuple(each.id for each in owned)), (sentence,), labels)


def none(talk: Talk, verb: str) -> Turn:
    """There is nothing to move or cancel."""
    sentence = f"I do not see an appointment of yours that I could {verb}. Would you like to book one?"
    return Turn(talk.at_rest().but(stage="invite"), (sentence,), ("Book an appointment", "No, thanks"))
