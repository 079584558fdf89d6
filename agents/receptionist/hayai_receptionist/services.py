"""Which service a customer means: the business file's own words, typing slips forgiven; two that fit are a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai_receptionist.words import close, places, spans, words, wordset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.schedule import Service

_EMPTY = wordset(
    """
    a an and the of for with in on at to or my your our per new visit appointment booking session service
    treatment call minute minutes min hour hours day first full half quick follow up what how do i
    """
)
"""Words that alone name no service, however often they stand in names."""


_LONG = {"min": "minute", "mins": "minute", "hr": "hour", "hrs": "hour"}


@dataclass(frozen=True)
class Named:
    """The services that fit, best first, and where their names stand in the text (character positions)."""

    ids: tuple[str, ...] = ()
    marks: tuple[tuple[int, int], ...] = ()


def named(text: str, services: Sequence[Service]) -> Named:
    """The services that a clean text names; several ids where more than one fits equally well."""
    said, where = tuple(_LONG.get(word, word) for word in words(text)), places(text)
    found = [(start, end, each.id) for each in services for start, end in _found(each, said)]
    longest = [each for each in found if not any(_inside(each, other) for other in found)]
    if longest:
        ids = tuple(dict.fromkeys(each[2] for each in sorted(longest)))
        return Named(ids, tuple((where[start][0], where[end - 1][1]) for start, end, _ in longest))
    return Named(_hinted(said, services))


def _found(service: Service, said: tuple[str, ...]) -> set[tuple[int, int]]:
    phrases = {words(name) for name in (service.name, *service.also)}
    return {span for phrase in phrases for span in spans(phrase, said)}


def _inside(each: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Whether `other` names more words around the same place: "deep cleaning" beats "cleaning"."""
    return other[0] <= each[0] and each[1] <= other[1] and other[1] - other[0] > each[1] - each[0]


def _hinted(said: tuple[str, ...], services: Sequence[Service]) -> tuple[str, ...]:
    """The services that share most of their telling words with the text."""
    telling = [word for word in dict.fromkeys(said) if word not in _EMPTY and len(word) > 2]  # noqa: PLR2004
    scores = {each.id: _shared(each, telling) for each in services}
    best = max(scores.values(), default=0)
    return tuple(id_ for id_, score in scores.items() if score == best) if best else ()


def _shared(service: Service, telling: list[str]) -> int:
    own = {word for name in (service.name, *service.also) for word in words(name)} - _EMPTY
    return sum(any(close(word, each) for each in own) for word in telling)


def among(said: Sequence[str], services: Sequence[Service]) -> tuple[str, ...]:
    """The one of a few services that any word tells from the others: "the full one"; empty where none does."""
    own = {each.id: {word for name in (each.name, *each.also) for word in words(name)} for each in services}
    fitting = {word: [id_ for id_ in own if any(close(word, each) for each in own[id_])] for word in said}
    told = {ids[0] for ids in fitting.values() if len(ids) == 1}
    return tuple(told) if len(told) == 1 else ()


def masked(text: str, marks: Sequence[tuple[int, int]]) -> str:
    """`text` with what stands at `marks` blanked out, so that "60 minute massage" is no wish about time."""
    for start, end in marks:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
