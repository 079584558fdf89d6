"""Speech: what a model writes, put together to sentences; each is held against the truth before it is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.agents.truth import Truth

_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s)|\n)\s*")
_SHORT = re.compile(
    r"(?:\b(?:[ap]\.\s?m|dr|mr|mrs|ms|st|no|nr|vs|approx|prof|sr|sra|dott|bzw|ca|z\.\s?b|e\.\s?g|i\.\s?e|d\.\s?h|\w)"
    r"|\b\d{1,2})\.$",
    re.IGNORECASE,
)
"""What ends with a mark and no sentence does: `Dr.`, `3 p.m.`, `24. November`."""


class Speech:
    """One answer of the model on its way out. After the first sentence that is withheld nothing more is said."""

    def __init__(self, truth: Truth, say: Callable[[str], Awaitable[None]]) -> None:
        self._truth, self._say = truth, say
        self._heard = 0
        self._open = ""
        self.said: list[str] = []
        """The sentences that went out."""
        self.withheld = ""
        """The sentence that could not be proven."""
        self.doubts: list[str] = []
        """What of it nobody has returned."""

    async def hear(self, piece: str) -> None:
        """The next piece of text."""
        self._heard += len(piece)
        self._open += piece
        while (cut := _cut(self._open)) is not None:
            sentence, self._open = self._open[:cut], self._open[cut:]
            await self._pass(sentence)

    async def finish(self, text: str, *, whole: bool) -> None:
        """The end of the answer `text`: what was not heard of it follows; a last sentence that is not whole goes."""
        await self.hear(text[self._heard :])
        rest, self._open = self._open, ""
        if whole:
            await self._pass(rest)

    async def _pass(self, sentence: str) -> None:
        sentence = " ".join(sentence.split())
        if not sentence or self.withheld:
            return
        if doubts := self._truth.doubts(sentence):
            self.withheld, self.doubts = sentence, doubts
            return
        self.said.append(sentence)
        await self._say(sentence)


def _cut(text: str) -> int | None:
    """Where the first whole sentence ends; None while it may go on."""
    for found in _END.finditer(text):
        if "\n" in found[0] or not _SHORT.search(text[: found.end()].rstrip()):
            return found.end()
    return None
