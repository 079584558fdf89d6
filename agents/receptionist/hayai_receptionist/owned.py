"""Owned: which of the person's own appointments is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hayai_receptionist import picking, say, weekdays
from hayai_receptionist.talk import Talk, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.ports.calendar import Appointment
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.timing import When

_OTHER_ONE = re.compile(r"\b(?:the|my) other (?:one|appointment|booking|visit)\b", re.IGNORECASE)


def meant(owned: Sequence[Appointment], heard: Heard, which: When) -> list[Appointment]:
    """Those of `owned` that fit the service and the time that the message names; all where it names none that fits."""
    found = [each for each in owned if each.service in heard.services] or list(owned)
    if (place := picking.placed(heard, len(found))) is not None:
        return [found[place]]
    timed = [each for each in found if any(wish.start <= each.starts_at < wish.end for wish in which.wishes)]
    return timed or found


def on_day(owned: Sequence[Appointment], heard: Heard, desk: Desk) -> list[Appointment]:
    """As `meant`, where the only time in a message is that of the appointment; a weekday is one they are on."""
    found = meant(owned, heard, heard.when)
    days = weekdays.on_named(heard, found, desk) if len(found) > 1 else []
    return days or found


def besides(owned: Sequence[Appointment], talk: Talk, heard: Heard) -> Sequence[Appointment]:
    """Without the one that was booked last, where the message means "my other one"."""
    others = [each for each in owned if each.id != talk.last]
    return others if others and _OTHER_ONE.search(heard.text) else owned


async def other(talk: Talk, heard: Heard, desk: Desk) -> Appointment | None:
    """The one other appointment than `talk.target` that a message names instead: "no, the cleaning"."""
    mine = await desk.own()
    rest = [each for each in mine if each.id != talk.target]
    if not (talk.target or talk.options) or not rest or "?" in heard.text:
        return None
    if _OTHER_ONE.search(heard.text):
        return rest[0] if len(rest) == 1 else None
    named = bool(heard.services or heard.when.wishes or picking.placed(heard, len(mine)) is not None)
    meant = on_day(mine, heard, desk) if named or weekdays.any_named(heard) else []
    return meant[0] if len(meant) == 1 and meant[0].id != talk.target else None


def no_such(owned: Sequence[Appointment], heard: Heard, desk: Desk) -> tuple[str, ...]:
    """What to say first where the message names a service that none of `owned` is for."""
    if not heard.services or any(each.service in heard.services for each in owned):
        return ()
    return (
        f"I do not see an appointment of yours for {say.listed([desk.title(id_) for id_ in heard.services], 'or')}.",
    )


def picked(talk: Talk, heard: Heard, owned: Sequence[Appointment], desk: Desk) -> list[Appointment]:
    """Those that the answer to "Which one?" means: one, several still, or none."""
    asked = [each for each in owned if each.id in talk.options]
    place = picking.labelled(heard, [say.ticket(each, desk) for each in asked])
    if place is None:
        place = picking.ordinal(heard, len(asked))
    if place is not None:
        return [asked[place]]
    named = bool(heard.services or heard.when.wishes)
    fitting = on_day(asked, heard, desk) if named else []
    return fitting if len(fitting) < len(asked) else []


def ask_which(talk: Talk, owned: Sequence[Appointment], desk: Desk, verb: str) -> Turn:
    """Which of your appointments?"""
    told = "; ".join(say.appointment(each, desk) for each in owned)
    sentence = f"You have {len(owned)} appointments: {told}. Which one shall I {verb}?"
    labels = tuple(say.ticket(each, desk) for each in owned)
    return Turn(talk.but(stage="which", options=tuple(each.id for each in owned)), (sentence,), labels)


async def answered(talk: Talk, heard: Heard, desk: Desk, verb: str) -> Appointment | Turn | None:
    """The answer to "Which one?": the one that is meant, what to say instead, or None where it is no answer."""
    fitting = picked(talk, heard, await desk.own(), desk)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        return ask_which(talk, fitting, desk, verb)
    if heard.of("everything"):
        asked = await _asked(talk, desk)
        return ask_which(talk, asked, desk, verb).led_by("I do that one at a time.") if asked else none(talk, verb)
    if heard.polarity == "yes":
        return ask_which(talk, await _asked(talk, desk), desk, verb).led_by(
            "One of them, please: the first or the last?"
        )
    return Turn(talk.at_rest(), ("All right, everything stays as it is.",)) if heard.polarity == "no" else None


async def _asked(talk: Talk, desk: Desk) -> list[Appointment]:
    return [each for each in await desk.own() if each.id in talk.options]


def none(talk: Talk, verb: str) -> Turn:
    """There is nothing to move or cancel."""
    sentence = f"I do not see an appointment of yours that I could {verb}. Would you like to book one?"
    return Turn(talk.at_rest().but(stage="invite"), (sentence,), ("Book an appointment", "No, thanks"))
