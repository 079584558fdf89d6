"""Choosing a time: from wishes to a start that is chosen, or to free starts that are offered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.availability.rules import refusal
from hayai.availability.slots import Visit
from hayai.errors import BookingRefused, ServiceUnknown, SlotTaken
from hayai_receptionist import finding, reasons, say
from hayai_receptionist.talk import Talk, Turn
from hayai_receptionist.wishing import from_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from hayai_receptionist.desk import Desk

    Take = Callable[[Talk, Desk, datetime], Awaitable[Talk]]
    """Makes a start the chosen one. Raises BookingRefused."""

_MINUTE = timedelta(minutes=1)
_OFTEN = 4
"""How many wished starts are tried one after the other."""


async def settle(talk: Talk, desk: Desk, take: Take) -> tuple[Talk, tuple[str, ...]]:
    """A start is taken where a wished one is free, else free ones are offered; and what there is to say about it."""
    no: BookingRefused | None = None
    for wish in [each for each in talk.wishes if each.precise][:_OFTEN]:
        try:
            return await take(talk, desk, wish.start), ()
        except BookingRefused as refusal:
            no = no or refusal
    wider = [each for each in talk.wishes if not each.precise or each.end - each.start > _MINUTE]
    found = await finding.offers(desk, talk.service, wider, talk.seen) if wider else []
    because = reasons.refused(no, talk.wishes[0].start, desk, talk.service) if no else ""
    if found:
        return _offering(talk, found), (because,) if because else ()
    return await _alternatives(talk, desk, because, no)


async def _alternatives(
    talk: Talk, desk: Desk, because: str, no: BookingRefused | None
) -> tuple[Talk, tuple[str, ...]]:
    wanted = talk.wishes[0].start
    because = because or _exhausted(talk, desk)
    known = [each for each in (no.alternatives if no else ()) if each > desk.now]
    near = await finding.around(desk, talk.service, wanted, known, talk.seen)
    return _offering(talk, near), (because,)


def _exhausted(talk: Talk, desk: Desk) -> str:
    return "I have no other times there." if talk.seen else reasons.none_free(desk, talk.service, talk.wishes)


def _offering(talk: Talk, found: list[datetime]) -> Talk:
    return talk.but(offers=tuple(found), start=None, readings=(), question="")


async def still_free(talk: Talk, desk: Desk) -> Talk:
    """`talk` without the offers that somebody has taken since."""
    first, last = min(talk.offers), max(talk.offers)
    free = set(await desk.free(talk.service, first, last + _MINUTE, 500))
    return talk.but(offers=tuple(each for each in talk.offers if each in free))


def check(desk: Desk, service: str, start: datetime) -> None:
    """Raises a BookingRefused for a start that the business would not give out even if nothing were booked."""
    offered = desk.service(service)
    if offered is None:
        raise ServiceUnknown("The business does not offer that service: choose another.")
    visit = Visit(desk.business.schedule, offered, frozenset(desk.chosen(service)))
    if (no := refusal(visit, start, desk.now)) is not None:
        raise no.error(no.sentence)
    if not desk.on_grid(start):
        raise SlotTaken("The business does not give out that start: choose one of its steps.")


async def ask_time(talk: Talk, desk: Desk, sentence: str) -> Turn:
    """When would suit you? With a few free starts, for those who like any."""
    free = list(talk.offers)
    if not free and talk.seen:
        free = await finding.around(desk, talk.service, talk.seen[-1], (), talk.seen)
    if not free:
        free = await finding.offers(desk, talk.service, (from_now(desk),), talk.seen)
    if not free:
        return ask_offer(talk, desk)
    told = f"For example {say.starts(free, desk)}."
    return Turn(talk.but(stage="time", offers=tuple(free)), (sentence, told), _buttons(free, desk))


def ask_offer(talk: Talk, desk: Desk) -> Turn:
    """Which of these?"""
    if not talk.offers:
        sentence = "I have nothing free at all right now; would you like a colleague to get back to you?"
        return Turn(talk.forgetting_time().but(stage="human"), (sentence,), ("Yes, please", "No, thanks"))
    one = len(talk.offers) == 1
    told = say.starts(talk.offers, desk)
    whom = desk.wanted(talk.service).removeprefix(desk.title(talk.service))
    sentence = f"I have {told}{whom}. {'Does that suit' if one else 'Which suits'} you?"
    return Turn(talk.but(stage="offer"), (sentence,), (*_buttons(list(talk.offers), desk), "Other times"))


def ask_reading(talk: Talk, desk: Desk) -> Turn:
    """Which of these did you mean?"""
    labels = tuple(say.span(each, desk) for each in talk.readings)
    return Turn(talk.but(stage="doubt"), (talk.question,), labels)


def _buttons(starts: list[datetime], desk: Desk) -> tuple[str, ...]:
    return tuple(say.button(each, desk) for each in starts)
