"""Truth: a time, a price or a confirmation may be said only where a tool of this conversation returned it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from hayai.agents.claims import Claims, claims
from hayai.agents.words import Deed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from hayai.agents.claims import Day, Minutes

_PIECES = re.compile(r"[\n;|]|(?<=[.!?])\s+|[\[\]{}]")
_KEPT = 200


class Fact(BaseModel):
    """A piece of what a tool returned, and what it did by it, if anything."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    text: str = Field(repr=False)
    deeds: tuple[Deed, ...] = ()


def facts(text: str, deeds: Iterable[Deed] = ()) -> Iterator[Fact]:
    """`text` in pieces, so that a day of one line does not lend itself to a time of another."""
    done = tuple(deeds)
    yield from (Fact(text=each.strip(), deeds=done) for each in _PIECES.split(text) if each and each.strip())


def kept(several: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The newest, without doubles: a conversation does not grow for ever."""
    return tuple(dict.fromkeys(several))[-_KEPT:]


@dataclass(frozen=True)
class _Proof:
    """What one fact states, or several of one conversation."""

    claims: Claims
    deeds: tuple[Deed, ...]


class Truth:
    """What the tools of a conversation have returned, to hold a sentence against.

    Days are resolved against `today`, the date where the business is.
    """

    def __init__(self, several: Iterable[Fact], today: date) -> None:
        self._today = today
        self._proofs = [_Proof(claims(each.text, today), each.deeds) for each in several]

    def doubts(self, sentence: str) -> list[str]:
        """What in `sentence` no tool has returned, a phrase each; empty where it may be said."""
        said = claims(sentence, self._today)
        return [*self._times(said), *self._prices(said), *self._deeds(said)]

    def _times(self, said: Claims) -> Iterator[str]:
        """Each time must stand beside one of the days that the sentence names, and each day beside one of its times."""
        for minutes in said.times:
            if not any(self._stands(proof.claims, minutes, said.days) for proof in self._proofs):
                yield f"the time {_clock(minutes)}"
        if said.times:
            yield from (
                "the day of that time"
                for day in said.days
                if not any(self._stands(proof.claims, each, {day}) for proof in self._proofs for each in said.times)
            )

    def _stands(self, proof: Claims, minutes: Minutes, days: Iterable[Day]) -> bool:
        days = list(days)
        return any(minutes & each for each in proof.times) and (
            not days or any(self._same(one, other) for one in days for other in proof.days)
        )

    def _same(self, one: Day, other: Day) -> bool:
        """Whether one day may be the other, within the next year where only weekdays or dates are named."""
        if one.month_day and other.month_day:
            return one.month_day == other.month_day
        if one.weekday is not None and other.weekday is not None:
            return one.weekday == other.weekday
        return any(one.is_on(day) and other.is_on(day) for day in _year(self._today))

    def _prices(self, said: Claims) -> Iterator[str]:
        proven = {price for proof in self._proofs for price in proof.claims.prices}
        yield from (f"the price {each}" for each in sorted(said.prices - proven))

    def _deeds(self, said: Claims) -> Iterator[str]:
        """A deed was done by a tool, and at the time that the sentence names with it, if it names one."""
        for deed in sorted(said.deeds):
            done = [proof.claims for proof in self._proofs if deed in proof.deeds]
            if not done or not all(any(self._stands(each, time, said.days) for each in done) for time in said.times):
                yield f"that it is {deed}"


def _clock(minutes: Minutes) -> str:
    return " or ".join(f"{each // 60}:{each % 60:02}" for each in sorted(minutes))


def _year(today: date) -> Iterator[date]:
    return (today + timedelta(days=ahead) for ahead in range(366))
