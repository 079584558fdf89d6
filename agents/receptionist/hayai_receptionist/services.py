"""Which service a customer means: the business file's own words, typing slips forgiven; two that fit are a question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from hayai_receptionist.intents import means
from hayai_receptionist.words import places, spans, stem, words, wordset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.schedule import Service

_EMPTY = wordset(
    """
    a an and the of for with in on at to or my your our per new visit appointment booking session service
    treatment call minute minutes min hour hours day first full half quick follow up what how do i
    one ones two three four five six second third
    """
)
"""Words that alone name no service, however often they stand in names."""
_HOURS = wordset("morning noon afternoon evening night today tonight tomorrow weekend")
"""Words of time, which name a service only as in "the night one"."""
_REFUSING = re.compile(
    r"\b(?:not|no|instead of|rather than|don't (?:want|need)|didn't (?:want|mean)|without)"
    r"(?:\s+(?:for|an?|the|my|to))*\s*\Z",
    re.IGNORECASE,
)
"""What stands before a name that is not meant: "not a filling"."""
_REVOKING = re.compile(
    r"^\W*(?:no|nope|oh no|wait no|no wait|sorry|oh sorry|scratch that|i mean|i meant|actually|or rather|make that)\b",
    re.IGNORECASE,
)
"""What stands between a name that is taken back and the one that is meant: "a check-up, no, a cleaning"."""
_CORRECTING = wordset("no nope not mean meant instead sorry actually rather")
_THAT_ONE = re.compile(r"\b(?:the|that|this)\s+([\w'-]+)\s+ones?\b", re.IGNORECASE)
_LASTS = re.compile(r"\b(\w+[ -](?:hour|minute|min)s?)\s+(?:ones?|appointment|session|visit)\b", re.IGNORECASE)
_TONGUE = re.compile(r"\b(?:speaks?|speaking|i'm an?|i am an?|is it|is this|isn't it|in)\s+\Z", re.IGNORECASE)
"""What stands before a word that is none of our names: "do you speak polish", "is it urgent"."""
_SIDE = wordset("a an the i i'd meant mean want wanted would like please no not yes sorry oh one ones lesson for it of")
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "an": 1, "a": 1}
_ROOT = 4
_ENDINGS = frozenset({"y", "ed", "ing", "ky", "er"})
_UNITS = {"hour": 60, "minute": 1}


_LONG = {"min": "minute", "mins": "minute", "hr": "hour", "hrs": "hour"}


@dataclass(frozen=True)
class Named:
    """The services that fit, best first, and where their names stand in the text (character positions)."""

    ids: tuple[str, ...] = ()
    marks: tuple[tuple[int, int], ...] = ()
    refused: tuple[str, ...] = ()
    """Those that are named only to say that they are not meant."""


def named(text: str, services: Sequence[Service]) -> Named:
    """The services that a clean text names; several ids where more than one fits equally well."""
    said, where = tuple(_LONG.get(word, word) for word in words(text)), places(text)
    found = [(start, end, each.id) for each in services for start, end in _found(each, said)]
    found += _by_one_word(said, services) if _CORRECTING & set(said) else []
    longest = sorted(each for each in found if not any(_inside(each, other) for other in found))
    placed = [(where[start][0], where[end - 1][1], id_) for start, end, id_ in longest]
    foreign = [each for each in placed if _is_one_word(text, each) and _TONGUE.search(text[: each[0]])]
    if foreign:
        return named(masked(text, [(start, end) for start, end, _ in foreign]), services)
    if placed:
        refused = _refused(text, placed)
        told = [each[2] for each in placed if each not in refused]
        ids = tuple(dict.fromkeys(told + (_derived(said, services) if len(told) == 1 else [])))
        marks = tuple((start, end) for start, end, _ in placed)
        return Named(ids, marks, tuple(id_ for _, _, id_ in refused if id_ not in ids))
    if (lasting := _LASTS.search(text)) and (ids := _lasting(words(lasting[1]), services)):
        return Named(ids, (lasting.span(),))
    if ids := _lasting(said, services):
        return Named(ids, ((where[0][0], where[-1][1]),))
    hinted, that = _hinted(said, services), _THAT_ONE.search(text)
    pointed = that and len(hinted) == 1 and _hinted((that[1].casefold(), "one"), services) == hinted
    return Named(hinted, (that.span(),) if that and pointed else ())


def _by_one_word(said: tuple[str, ...], services: Sequence[Service]) -> list[tuple[int, int, str]]:
    """Where a word stands that only one service has: "whitening"."""
    fitting = [(at, _hinted((word,), services)) for at, word in enumerate(said)]
    return [(at, at + 1, ids[0]) for at, ids in fitting if len(ids) == 1]


def _is_one_word(text: str, place: tuple[int, int, str]) -> bool:
    return len(words(text[place[0] : place[1]])) == 1


def _refused(text: str, placed: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Those of the names that are not meant: "not X", and X in "X, no, Y"."""
    denied = [each for each in placed if _REFUSING.search(text[: each[0]])]
    pairs = [(one, other) for one, other in pairwise(placed) if one[2] != other[2]]
    revoked = [one for one, other in pairs if other not in denied and _REVOKING.search(text[one[1] : other[0]])]
    # "a check-up? no, cleaning" denies the first: its "no" is not said of the second.
    meant = [other for one, other in pairs if one not in denied and _plain_no(text[one[1] : other[0]])]
    taken_back = [one for one, other in pairs if other in meant]
    return [each for each in placed if (each in denied and each not in meant) or each in revoked or each in taken_back]


def _plain_no(between: str) -> bool:
    """Whether a "no" between two names turns from the first to the second."""
    return bool(
        re.fullmatch(
            r"\W*(?:oh |wait |sorry )?(?:no|nope)\b\W*(?:an? |the |i want(?:ed)? (?:an? )?)?", between, re.IGNORECASE
        )
    )


def _lasting(said: tuple[str, ...], services: Sequence[Service]) -> tuple[str, ...]:
    """The one service that lasts as long as is said, where nothing else is: "two hours", "the 60 minute one"."""
    counted = [(number, unit) for number, unit in pairwise(said) if stem(unit) in _UNITS and _number(number)]
    rest = (
        [word for word in said if stem(word) not in _UNITS and word not in _SIDE and word != counted[0][0]]
        if counted
        else []
    )
    if len(counted) != 1 or rest:
        return ()
    minutes = _number(counted[0][0]) * _UNITS[stem(counted[0][1])]
    fitting = tuple(each.id for each in services if each.duration.total_seconds() == minutes * 60)
    return fitting if len(fitting) == 1 else ()


def _number(word: str) -> int:
    return int(word) if word.isdecimal() and len(word) < 4 else _NUMBERS.get(word, 0)  # noqa: PLR2004 - minutes


def _found(service: Service, said: tuple[str, ...]) -> set[tuple[int, int]]:
    phrases = {words(name) for name in (service.name, *service.also)}
    straight = {
        (start, end)
        for phrase in phrases
        for start, end in spans(phrase, said)
        if all(map(means, said[start:end], phrase))  # "later" is no slip of "laser"
    }
    return straight | {span for phrase in phrases if len(phrase) > 1 for span in _shuffled(phrase, said)}


def _shuffled(phrase: tuple[str, ...], said: tuple[str, ...]) -> set[tuple[int, int]]:
    """Where all words of `phrase` stand together in another order: "a lesson, two hours" for "two hour lesson"."""
    size = len(phrase)
    return {
        (start, start + size)
        for start in range(len(said) - size + 1)
        if sorted(map(stem, said[start : start + size])) == sorted(map(stem, phrase))
    }


def _inside(each: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Whether `other` names more words around the same place: "deep cleaning" beats "cleaning"."""
    return other[0] <= each[0] and each[1] <= other[1] and other[1] - other[0] > each[1] - each[0]


def _hinted(said: tuple[str, ...], services: Sequence[Service]) -> tuple[str, ...]:
    """The services that share most of their telling words with the text."""
    telling = [word for word in dict.fromkeys(said) if _tells(word, said) and len(word) > 2]  # noqa: PLR2004
    scores = {each.id: _shared(each, telling) for each in services}
    best = max(scores.values(), default=0)
    return tuple(id_ for id_, score in scores.items() if score == best) if best else ()


def _tells(word: str, said: tuple[str, ...]) -> bool:
    """Whether a word may tell a service; a word of time does only in "the night one"."""
    if word not in _HOURS:
        return word not in _EMPTY
    return said[said.index(word) + 1 :][:1] in {("one",), ("ones",)}


def _shared(service: Service, telling: list[str]) -> int:
    own = {word for name in (service.name, *service.also) for word in words(name)} - _EMPTY
    return sum(any(_hints(word, each) for each in own) for word in telling)


def _hints(word: str, own: str) -> bool:
    """Whether a word is one of a service's own, or made of it: "leaking" of "leak"."""
    return _made_of(word, own) or means(word, own)


def _derived(said: tuple[str, ...], services: Sequence[Service]) -> list[str]:
    """The service that a word made of one of its own tells: "leaking" that of "leak"."""
    names = {each.id: {word for name in (each.name, *each.also) for word in words(name)} for each in services}
    found = [id_ for id_, own in names.items() for word in said if any(_made_of(word, each) for each in own)]
    return found if len(set(found)) == 1 else []


def _made_of(word: str, own: str) -> bool:
    return len(own) >= _ROOT and word.startswith(own) and word[len(own) :] in _ENDINGS


def among(said: Sequence[str], services: Sequence[Service]) -> tuple[str, ...]:
    """The one of a few services that any word tells from the others: "the full one"; empty where none does."""
    own = {each.id: {word for name in (each.name, *each.also) for word in words(name)} for each in services}
    said = [word for word, after in pairwise([*said, ""]) if word != "one" or stem(after) in _UNITS]
    fitting = {word: [id_ for id_ in own if any(means(word, each) for each in own[id_])] for word in said}
    told = {ids[0] for ids in fitting.values() if len(ids) == 1}
    return tuple(told) if len(told) == 1 else ()


def masked(text: str, marks: Sequence[tuple[int, int]]) -> str:
    """`text` with what stands at `marks` blanked out, so that "60 minute massage" is no wish about time."""
    for start, end in marks:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
