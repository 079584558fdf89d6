"""Picking: which of several offered things a customer means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hayai_receptionist.words import wordset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai_receptionist.hearing import Heard

_PLACES = {
    "first": 0, "1st": 0, "former": 0, "earliest": 0, "earlier": 0, "soonest": 0, "sooner": 0, "early": 0,
    "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4,
    "last": -1, "latter": -1, "final": -1, "latest": -1, "later": -1,
}  # fmt: skip
_NUMBERS = {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "one": 0, "two": 1, "three": 2, "four": 3, "five": 4}
_PLACED = re.compile(
    r"\b(?:the|my)\s+(first|1st|earlier|second|2nd|third|3rd|fourth|4th|last|latter|later|latest|earliest)"
    r"(?:\s+(?:one|appointment|booking|visit))?\s*(?:please)?[.!]*\Z",
    re.IGNORECASE,
)
_PAIR = 2
_BUT = re.compile(
    r"\b(?:any(?:thing|\s*one|y)?|either|all)\s+(?:but|except)\s+(?:for\s+)?the\s+"
    r"(first|earliest|second|third|fourth|last|latest)\b",
    re.IGNORECASE,
)
_COUNTED = frozenset({"option", "number", "choice", "no", "nr"})
_SIDE = wordset(
    """
    the one ones a i i'll i'd ill take would like want please pls thanks thank you that this is works fine good
    great perfect ok okay yes yeah yep sure option number choice time slot for me book with let's go let us
    prefer better to it works, my of those them appointment um uh well oh hmm can we do could have and sounds
    suits best then teh oen
    """
)
_ANY = (("either",), ("any",), ("whichever",), ("doesn't", "matter"), ("you", "choose"), ("you", "pick"),
        ("both", "work"), ("any", "of", "them"), ("both", "fine"), ("both", "are", "fine"))  # fmt: skip


def labelled(heard: Heard, labels: Sequence[str]) -> int | None:
    """The one whose button was pressed, or whose label was typed as it stands."""
    told = heard.text.casefold().rstrip(".!")
    return next((place for place, label in enumerate(labels) if label.casefold() == told), None)


def ordinal(heard: Heard, count: int) -> int | None:
    """The one that is told by its place: "the second", "the last one", "option 2"; None where none is."""
    words = _all_words(heard)
    rest = [word for word in words if word not in _SIDE]
    if rest == ["middle"] and count > _PAIR:
        return count // 2
    if len(rest) == 1 and rest[0] in _PLACES and words != ("later",) and not _comparing(words):
        return _within(_PLACES[rest[0]], count)
    counted = [word for word in words if word in _COUNTED]
    if counted and len(rest) <= 1 and words[-1] in _NUMBERS:
        return _within(_NUMBERS[words[-1]], count)
    if len(words) == 1 and words[0] in _NUMBERS:
        return _within(_NUMBERS[words[0]], count)
    return None


def placed(heard: Heard, count: int) -> int | None:
    """The place that a message names beside other words: "cancel the second one"; None where it names none."""
    found = _PLACED.search(heard.text)
    return _within(_PLACES[found[1].casefold()], count) if found and count > 1 else None


def _comparing(words: tuple[str, ...]) -> bool:
    """A lone "later" or "sooner" asks for other times; "the later one" picks."""
    compared = {"later", "earlier", "sooner"} & set(words)
    return bool(compared) and not {"the", "one"} & set(words)


def excepted(heard: Heard, count: int) -> int | None:
    """The first of those that are left where only one will not do: "anything but the first"; else None."""
    found = _BUT.search(heard.text)
    barred = _within(_PLACES[found[1].casefold()], count) if found else None
    return next((place for place in range(count) if place != barred), None) if barred is not None else None


def indifferent(heard: Heard) -> bool:
    """Whether any of them will do."""
    words = _all_words(heard)
    rest = tuple(word for word in words if word not in _SIDE or word in {"of", "them"})
    return rest in {("either",), ("any",), ("whichever",)} or any(
        words[at : at + len(phrase)] == phrase for phrase in _ANY if len(phrase) > 1 for at in range(len(words))
    )


def _all_words(heard: Heard) -> tuple[str, ...]:
    return heard.said


def _within(place: int, count: int) -> int | None:
    return place % count if -count <= place < count else None
