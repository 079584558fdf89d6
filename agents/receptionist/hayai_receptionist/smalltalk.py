"""Small talk: greetings, thanks and other words that ask for nothing, each with its reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai_receptionist import say
from hayai_receptionist.polarity import ordinary

if TYPE_CHECKING:
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_WELCOME = "You are welcome. Just write here if you need anything else."
_FAREWELL = "Thank you, and see you soon. Just write here if you need anything else."
_IDENTITY = "I am the automated receptionist here; just say so if you would rather speak to a person."


def reply(talk: Talk, heard: Heard) -> str | None:
    """What to say before the open question is asked again, it may be nothing; None where it is no small talk."""
    idle = talk.task == "none"
    replies = (
        (heard.of("identity"), _IDENTITY),
        (heard.of("wellbeing"), "I am well, thank you for asking."),
        (heard.of("thanks"), "You are welcome."),
        (heard.of("help"), say.CAN),
        (heard.of("unsure") and not idle, "Take your time."),
        (heard.of("repeat"), "Of course."),
        (heard.of("greet"), "Hello." if talk.greeted else ""),
        (bool(heard.name or heard.contact), "Thank you, I have noted that."),
        (not any(map(str.isalnum, heard.text)) and talk.greeted and bool(heard.text), "I can read words best."),
        (idle and bool(heard.polarity) and ordinary(heard.said), "All right."),
        (not heard.text, "That message was empty."),
    )
    return next((sentence for holds, sentence in replies if holds), None)


def last_word(talk: Talk, heard: Heard) -> str | None:
    """What to say, and nothing after it, to a thank or a farewell when nothing is under way; None for anything else."""
    if talk.task != "none":
        return None
    leaves = heard.of("bye") or (heard.polarity == "no" and ordinary(heard.said))
    chats = heard.of("identity", "wellbeing")
    if heard.of("thanks") and not chats and not heard.of("bye"):
        return _WELCOME
    return _FAREWELL if leaves else None
