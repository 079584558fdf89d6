"""Dialogue: one message and where the talk stands, to one turn. What each task does with it is in the task's room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.errors import BookingRefused
from hayai.vocabulary.people import HandedToHuman
from hayai_receptionist import (
    adding,
    asides,
    booking,
    cancelling,
    caution,
    correcting,
    dropping,
    moving,
    owned,
    references,
    say,
    several,
    smalltalk,
    staff,
)
from hayai_receptionist.answering import answers
from hayai_receptionist.hearing import listen
from hayai_receptionist.talk import Talk, Turn
from hayai_receptionist.words import wordset

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard

_MISSES = 3
"""After so many messages in a row that were not understood, a person is offered."""
_HEAR: dict[str, Callable[[Talk, Heard, Desk], Awaitable[Turn | None]]] = {
    "book": booking.hear,
    "move": moving.hear,
    "cancel": cancelling.hear,
}
_ADVANCE: dict[str, Callable[..., Awaitable[Turn]]] = {
    "book": booking.advance,
    "move": moving.advance,
    "cancel": cancelling.advance,
}


async def respond(talk: Talk, text: str, desk: Desk) -> Turn:
    """The turn that answers `text`. Raises Unavailable; a refusal of the calendar is answered, never raised."""
    heard = asides.continued(listen(text, talk, desk), talk, desk)
    talk = talk.but(topic=heard.questions[-1].topic if heard.questions else "")
    known = talk.but(name=heard.name or talk.name, contact=heard.contact or talk.contact)
    known = await references.anchored(known, heard, desk)
    desk = staff.asking(known, heard, desk)
    try:
        turn = await _turn(known, heard, desk)
    except BookingRefused:
        sentence = f"I am sorry, our calendar would not let me do that.{say.call_us(desk)} What else can I do for you?"
        turn = Turn(known.at_rest(), (sentence,), say.MENU)
    turn = turn.led_by(remark) if (remark := staff.remark(turn.talk, heard, desk)) else turn
    turn = turn if talk.greeted else turn.led_by(_greeting(desk, heard))
    named = bool(turn.talk.name) and turn.talk.name != talk.name
    asked = desk.asked if turn.talk.task == "book" else ""
    return Turn(turn.talk.but(greeted=True, named=named, staff=asked), turn.sentences, turn.choices, turn.events)


def _greeting(desk: Desk, heard: Heard) -> str:
    named = f" Nice to meet you, {heard.name}." if heard.name else ""
    return (desk.business.greeting or f"Hello, this is {desk.business.name}.") + named


async def _turn(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    said = answers(heard.questions, talk, desk)
    if heard.of("human") or (talk.stage == "human" and heard.polarity == "yes"):
        return (await _hand_over(talk, desk)).led_by(*said)
    if talk.stage == "human" and heard.polarity == "no":
        return await _open_question(talk, desk, "All right.")
    turn = None if asides.foreign(heard) else await _acted(talk, heard, desk)
    if turn is None and said:
        return await _after_answers(talk.but(misses=0), heard, desk, said)
    if turn is None:
        turn = await _small_talk(talk, heard, desk) or await _missed(talk, heard, desk)
    return turn.led_by(*said)


async def _acted(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """What the message makes happen; None where it asks for nothing that has to do with appointments."""
    calm = talk.but(misses=0)
    answering = talk.task != "none" and talk.stage == "confirm" and heard.polarity and not heard.when
    drops = heard.of("abort") and heard.polarity == "no"  # "never mind" drops it all, "no" only the time
    if (drops or not answering) and _abandons(talk, heard):
        return await _abandon(calm, desk)
    if not answering and (turn := await _started(calm, heard, desk)) is not None:
        return turn
    if talk.task != "none":
        turn = await _HEAR[talk.task](calm, heard, desk)
        return await _also_cancelled(turn, heard, desk) if turn and answering and talk.task == "book" else turn
    if talk.stage == "invite" and heard.polarity == "no":
        return Turn(calm.at_rest(), ("All right. What else can I do for you?",), say.MENU)
    if _only_corrects(heard) and (noted := await correcting.corrected(calm, heard, desk)):
        return Turn(calm.but(stage="open"), (noted, "What else can I do for you?"), say.MENU)
    more = several.again(calm, heard)
    return await booking.begin(more or calm, heard, desk) if more or _wants_to_book(talk, heard) else None


async def _also_cancelled(turn: Turn, heard: Heard, desk: Desk) -> Turn:
    """`turn`, and the cancellation that its message asks for besides: "yes, and cancel my other appointment"."""
    done = turn.talk.task == "none" and turn.talk.last
    if not (done and heard.of("cancel")):
        return turn
    return (await cancelling.begin(turn.talk, heard, desk)).led_by(*turn.sentences[:-1]).after(*turn.events)


def _only_corrects(heard: Heard) -> bool:
    """Whether a message tells who the customer is and nothing to be booked or answered."""
    told = bool(heard.name or heard.contact)
    return told and not (
        heard.services or heard.when or heard.questions or heard.of("book", "soonest", "anytime", "wish")
    )


def _wants_to_book(talk: Talk, heard: Heard) -> bool:
    if heard.of("book", "soonest", "anytime") or heard.services or heard.when or heard.staff:
        return True
    if dropping.resumes(talk, heard):
        return True
    invited = talk.stage == "invite" and heard.polarity == "yes"
    return invited or (heard.of("wish") and not heard.questions and not heard.of("help", "unsure"))


async def _started(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """Another task than the one under way; None where the message starts none."""
    if heard.of("mine") and not heard.of("cancel", "move", "cannot"):
        return await _mine(talk, desk)
    if asides.recalls(heard) and (told := await _under_discussion(talk, desk)):
        return await _open_question(talk, desk, f"That is {told}.")
    if heard.of("cancel", "cannot"):
        return await _cancelling(talk, heard, desk)
    if await _starts_a_move(talk, heard, desk):
        return await moving.begin(talk, heard, desk)
    if talk.task in {"move", "cancel"} and talk.stage != "which" and _is_another_service(talk, heard):
        return await _about_another(talk, heard, desk)
    return None


async def _about_another(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """A service other than that of the appointment asked about: another appointment, or a new booking."""
    if heard.of("book") or adding.more(heard) or await owned.other(talk, heard, desk) is None:
        return await booking.begin(talk, heard, desk)
    return await moving.begin(talk, heard, desk) if talk.task == "move" else None


async def _cancelling(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    """A cancellation starts; with nothing but a booking under way, that is what is dropped."""
    if talk.task == "cancel" or (talk.task != "none" and not heard.of("cancel")):
        return None
    if talk.task == "book" and not await desk.own():
        return await _abandon(talk, desk)
    await desk.release(talk.held)
    return await cancelling.begin(talk, heard, desk)


async def _starts_a_move(talk: Talk, heard: Heard, desk: Desk) -> bool:
    """Of an appointment that stands; while a slot is held, "move it" is about that one."""
    if talk.task == "none" and talk.last and heard.when and heard.of("instead"):
        return True
    if not heard.of("move") or talk.task == "move":
        return False
    return talk.task != "book" or (not talk.held and not heard.services and bool(await desk.own()))


def _is_another_service(talk: Talk, heard: Heard) -> bool:
    return bool(heard.services) and talk.service not in heard.services


_BARE = wordset("cancel cancle please that it this pls")
"""With nothing but these beside it, "cancel" in the middle of something drops that."""


def _abandons(talk: Talk, heard: Heard) -> bool:
    """Whether the message drops what is under way: "forget it"; in the middle of a booking a bare "cancel" too."""
    if talk.task == "none" or (heard.when.wishes and caution.replaces(heard.text)):
        return False
    plain = set(heard.said) <= _BARE and "?" not in heard.text
    bare = heard.of("cancel") and plain and talk.task != "cancel"
    return heard.of("abort", "leave") or bare


async def _abandon(talk: Talk, desk: Desk) -> Turn:
    await desk.release(talk.held)
    done = {
        "book": "I have not booked anything.",
        "move": "I have left it as it is.",
        "cancel": "I have left it as it is.",
    }
    resting = dropping.dropped(talk) if talk.task == "book" else talk.at_rest()
    return Turn(resting, (f"All right. {done[talk.task]} What else can I do for you?",), say.MENU)


async def _mine(talk: Talk, desk: Desk) -> Turn:
    owned = await desk.own()
    if talk.task == "move" and talk.target and len(owned) == 1:
        return await _open_question(talk, desk)  # which names it
    told = say.listed([say.appointment(each, desk) for each in owned])
    sentence = f"You have {told}." if owned else "I do not see any appointment of yours."
    return (await _open_question(talk, desk)).led_by(sentence)


async def _under_discussion(talk: Talk, desk: Desk) -> str:
    """The appointment that "it" is: the one that is held or asked about, or was booked last; empty where none is."""
    appointment = await desk.mine(talk.held or talk.target or talk.last)
    whom = f", for {appointment.customer.name}" if appointment and appointment.customer.name else ""
    return f"{say.appointment(appointment, desk)}{whom}" if appointment else ""


async def _after_answers(talk: Talk, heard: Heard, desk: Desk, said: tuple[str, ...]) -> Turn:
    """Back to the open question; where there is none, an invitation to book what was asked about."""
    if talk.task != "none":
        return (await _open_question(talk, desk)).led_by(*said)
    # What the business file answers itself may well be a no: "we only groom dogs".
    named = (id_ for each in heard.questions if each.topic != "own" for id_ in each.services)
    asked = tuple(dict.fromkeys(named))
    if not asked and talk.service and not any(each.strange for each in heard.questions):
        asked = (talk.service,)
    if len(asked) != 1:
        return Turn(talk.but(stage="open", service=""), (*said, "Is there anything else I can do for you?"), say.MENU)
    sentence = f"Would you like to book {desk.title(asked[0])}?"
    return Turn(talk.but(stage="invite", service=asked[0]), (*said, sentence), ("Yes, please", "No, thanks"))


async def _open_question(talk: Talk, desk: Desk, *lead: str) -> Turn:
    """The question that is open, asked again, as far as what it offers is still true."""
    if talk.task != "none":
        return await _ADVANCE[talk.task](talk, desk, *lead)
    return Turn(talk.but(stage="open"), (*lead, "What can I do for you?"), say.MENU)


async def _small_talk(talk: Talk, heard: Heard, desk: Desk) -> Turn | None:
    calm = talk.but(misses=0)
    if (last := smalltalk.last_word(talk, heard)) is not None:
        return Turn(calm.but(stage="open"), (last,))
    sentence = smalltalk.reply(talk, heard)
    return None if sentence is None else await _open_question(calm, desk, *([sentence] if sentence else []))


async def _missed(talk: Talk, heard: Heard, desk: Desk) -> Turn:
    talk = talk.but(misses=talk.misses + 1)
    sorry = asides.sorry(heard, desk)
    if talk.misses >= _MISSES:
        offer = "Would you like a colleague to take over?"
        return Turn(talk.but(stage="human", misses=0), (sorry, offer), ("Yes, please", "No, thanks"))
    explained = () if talk.task != "none" and talk.misses == 1 else (say.CAN,)
    return await _open_question(talk, desk, sorry, *explained)


async def _hand_over(talk: Talk, desk: Desk) -> Turn:
    handed = HandedToHuman(channel=desk.channel, person=desk.person, reason=_reason(talk))
    sentence = f"I have asked a colleague to take over and to get back to you here.{say.call_us(desk)}"
    back = await _open_question(talk.but(misses=0), desk)
    if talk.task == "none":
        return Turn(back.talk, (sentence,), (), (handed,))
    return Turn(back.talk, (sentence, "Until then:", *back.sentences), back.choices, (*back.events, handed))


def _reason(talk: Talk) -> str:
    doing = {
        "none": "",
        "book": " while booking",
        "move": " while moving an appointment",
        "cancel": " while cancelling",
    }
    why = "was not understood several times" if talk.stage == "human" else "asked for a person"
    return f"The customer {why}{doing[talk.task]}."
