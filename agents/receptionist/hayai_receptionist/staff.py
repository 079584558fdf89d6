"""Staff: somebody who works at the business and is named: to be seen, or only to be asked about."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hayai_receptionist.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.schedule import Resource
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_NOT = r"not|instead of|rather than|anybody but|anyone but"
_BEFORE = (
    rf"(?:with|by|see|seeing|want|prefer|like|ask for|asking for|request|{_NOT}|get|have|is|isn't|are|when is"
    r"|what about|how about|when's|when are|does|do|can|will)"
)
_AFTER = r"(?:working|work|in|free|available|there|on duty|off|as|do|see)"
_WHO = re.compile(r"\bwho(?:'s|'ll)?\b(?!\s+(?:are|am)\b)", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|never|no|except|other than|\w+n't)\s+(?:(?:to|be|really)\s+)*\Z", re.IGNORECASE)
_LEFT_OUT = frozenset({"dr", "doctor", "mr", "mrs", "ms", "nurse"})
_ANYBODY = re.compile(
    r"\b(?:any(?:body|one)|whoever|either of them)\b(?! else)|\bno preference\b"
    r"|\b(?:doesn't|does not|don't) (?:matter|mind|care) (?:who|whom|which)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Called:
    """Where a text names somebody (character positions), and whether only to say that they are not meant."""

    id: str
    span: tuple[int, int]
    refused: bool


def named(text: str, staff: Sequence[Resource]) -> tuple[Called, ...]:
    """Where `text` names one of `staff`: "with Jonas", "is Mia in?"; a month of that name is none."""
    return tuple(
        _called(each.id, text, found)
        for each in staff
        for found in _spoken(each.name).finditer(text)
        if _named_so(found)
    )


def _called(person: str, text: str, found: re.Match[str]) -> Called:
    """Somebody, with the words that say that they are not meant: "not with Mia", "I don't want Mia"."""
    denied = _DENIED.search(text[: found.start()])
    refused = denied is not None or re.fullmatch(_NOT, found["before"], re.IGNORECASE) is not None
    return Called(person, (denied.start() if denied else found.start(), found.end()), refused)


def _spoken(name: str) -> re.Pattern[str]:
    parts = [re.escape(each) for each in words(name) if each not in _LEFT_OUT] or [re.escape(name)]
    title = r"(?:(?:dr|doctor|mr|mrs|ms|nurse)\.?\s+)?"
    own = rf"(?P<title>{title})(?P<name>{' '.join(parts)})\b(?!\s+(?:the\s+)?\d)"
    return re.compile(rf"\b(?P<before>{_BEFORE})\s+{own}(?P<after>\s+{_AFTER}\b)?", re.IGNORECASE)


def _named_so(found: re.Match[str]) -> bool:
    """In small letters "may" and "april" are other words."""
    return bool(found["title"]) or found["name"][:1].isupper() or bool(found["after"])


def asked(clause: str, staff: Sequence[Resource]) -> bool:
    """Whether a clause is a question about who works, or who it will be; "when is Mia free?" wishes for a time."""
    opens = clause.casefold().startswith(("is ", "are ", "does ", "will "))
    return bool(_WHO.search(clause)) or (opens and bool(named(clause, staff)))


def wanted(clauses: Sequence[str], staff: Sequence[Resource], *, refused: bool = False) -> str:
    """Whom the clauses that wish something wish to see, or not to see, by id; empty where nobody is named so."""
    called = [each for clause in clauses for each in named(clause, staff) if each.refused == refused]
    return called[-1].id if called else ""


def asking(talk: Talk, heard: Heard, desk: Desk) -> Desk:
    """The desk that looks for times with the one whom the customer would like to see; a move cannot choose."""
    if talk.task in {"move", "cancel"} or (talk.task == "none" and heard.of("move")):
        return desk
    if heard.staff:
        return replace(desk, asked=heard.staff)
    if heard.unwanted:
        others = _instead(heard, desk)
        return replace(desk, asked=others[0] if len(others) == 1 else "")
    anybody = _ANYBODY.search(heard.text) is not None
    return replace(desk, asked="" if anybody else talk.staff)


def _instead(heard: Heard, desk: Desk) -> list[str]:
    """Who does the same as the one whom the customer would rather not see."""
    kinds = {each.kind for each in desk.staff if each.id == heard.unwanted}
    return [each.id for each in desk.staff if each.kind in kinds and each.id != heard.unwanted]


def remark(talk: Talk, heard: Heard, desk: Desk) -> str:
    """What to say where somebody is asked for who cannot be chosen now; else empty."""
    if heard.unwanted and not heard.staff and not desk.asked:
        name = next(each.name for each in desk.staff if each.id == heard.unwanted)
        return f"I cannot leave {name} out; tell me whom you would like to see instead."
    person = next((each for each in desk.staff if each.id == heard.staff), None)
    if person is None or talk.task == "none":
        return ""
    if talk.task != "book":
        return "When I move an appointment I cannot choose who it is with; a colleague can."
    able = not talk.service or desk.chosen(talk.service)
    return "" if able else f"{desk.title(talk.service)} is not what {person.name} does here."
