"""Asides: questions that go on with the one before, and an honest word where a message has no answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hayai_receptionist import say
from hayai_receptionist.questions import Question
from hayai_receptionist.timing import When, dates
from hayai_receptionist.words import words, wordset

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_GOES_ON = re.compile(r"^\W*(?:and|what about|how about|or)\b[^?]*\?\W*\Z", re.IGNORECASE)
_RECALLING = re.compile(
    r"\W*(?:(?:so|and|wait|sorry|ok|okay|remind me|tell me|but)\W+)*"
    r"(?:when(?:'s| is| was)|(?:what|which) (?:time|day|date|day and time)(?:'s| is| was)|(?:for )?when did you say)"
    r"(?:\s+(?:it|that|this|the appointment|my visit))?(?:\s+(?:again|now|exactly|please|for))*\W*\Z"
    r"|\W*remind me(?: when(?: it is)?)?\W*\Z"
    r"|\W*what (?:was|am) i booking\W*\Z|\W*what did i (?:choose|pick|book|take)\W*\Z"
    r"|\W*(?:what(?:'s| is)|under (?:what|which)|what|which) (?:my )?name(?: (?:is|did|do) .*)?\W*\Z",
    re.IGNORECASE,
)
"""A question after the time or the name of what is talked about, and nothing else."""
_ASKING = wordset("who what what's which when where why how do does did is are can could will would may have any")
_FOREIGN = wordset(
    """
    ich möchte hätte gern gerne einen termin guten und für nicht haben sie montag dienstag mittwoch
    donnerstag freitag samstag sonntag uhr morgen heute können quiero quisiera una cita para el martes lunes
    miércoles jueves viernes puedo mañana necesito limpieza je voudrais rendez vous
    pour avec demain lundi mardi mercredi jeudi vendredi une vorrei appuntamento domani
    queria uma consulta amanhã
    """
)
_ALIKE = wordset("pour una vous el queria consulta domani morgen je")
_FEW = 3
"""So many words of another language tell that it is spoken."""


def continued(heard: Heard, talk: Talk, desk: Desk) -> Heard:
    """`heard`, with "and Christmas Eve?" after the opening hours taken for a question about those of that day."""
    goes_on = talk.topic in {"hours", "now"} and not heard.questions and _GOES_ON.search(heard.text)
    if not goes_on or heard.services or heard.when.has_time or not dates(heard.text, desk):
        return heard
    return replace(heard, questions=(Question("hours", heard.text),), when=When())


def recalls(heard: Heard) -> bool:
    """Whether a message asks for the time of what is talked about: "when is it?", "what time was that again"."""
    return bool(_RECALLING.match(heard.text))


def foreign(heard: Heard) -> bool:
    """Whether another language than English is written; a few words that English shares do not tell."""
    said = set(heard.said)
    return len(said & _FOREIGN) >= _FEW and bool(said & (_FOREIGN - _ALIKE))


def asks(heard: Heard) -> bool:
    """Whether a message is put as a question, whatever about."""
    return heard.text.endswith("?") or words(heard.text)[:1] in {(each,) for each in _ASKING}


def sorry(heard: Heard, desk: Desk) -> str:
    """What to say to a message that could not be answered: the truth about why."""
    if foreign(heard):
        return "I am sorry, I did not understand that: I understand English only."
    if asks(heard) and len(heard.said) > 1:
        return f"I am sorry, I did not understand that, or have no answer to it.{say.call_us(desk)}"
    return "I am sorry, I did not understand that."
