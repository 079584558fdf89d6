"""Indexing: what the streams hold, in the ledger's event index."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hayai.bus.streams import DEADLETTERS, EVENTS
from hayai.envelope import decode
from hayai.errors import EnvelopeMalformed
from hayai.ledger.index import Room, entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.nats import NatsBus
    from hayai.bus.tap import Taken
    from hayai.ledger.index import Entry, EventIndex

NAME = "event_index"
"""The consumer on the server that keeps the place of the index."""


class Indexing:
    """Adds every event to the index, from start() to stop(); an event that is no envelope of ours is passed over."""

    def __init__(self, bus: NatsBus, index: EventIndex) -> None:
        self._index = index
        self._taps = [bus.tap(each, NAME, partial(self._add, each.name)) for each in (EVENTS, DEADLETTERS)]

    async def start(self) -> None:
        """Go on where the index stands. Raises Unavailable."""
        for tap in self._taps:
            await tap.start()

    async def stop(self) -> None:
        """Stop; what was not added yet is added the next time."""
        for tap in self._taps:
            await tap.stop()

    async def _add(self, stream: str, events: Sequence[Taken]) -> None:
        await self._index.add([found for each in events for found in _entries(stream, each)])


def _entries(stream: str, taken: Taken) -> list[tuple[Entry, Room]]:
    try:
        found = entry(decode(taken.document), stream=stream, sequence=taken.sequence)
    except EnvelopeMalformed:
        return []
    return [(found, Room(taken.born, taken.stored_on, taken.size))]
