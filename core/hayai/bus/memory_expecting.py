"""MemoryExpecting: what the memory bus does about expectations: its log compares them, as a single server does."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from hayai.bus.conflicts import EXPECTED
from hayai.bus.expecting import ExpectingBus
from hayai.bus.streams import address_of, outgoing, stored_on

if TYPE_CHECKING:
    from hayai.bus.memory_log import Log
    from hayai.bus.twin.store import Store
    from hayai.envelope import Envelope


class MemoryExpecting(ExpectingBus):
    """What the memory bus does about expectations."""

    log: Log

    @abstractmethod
    async def keep(self, subject: str, body: bytes, headers: dict[str, str], what: str) -> None:
        """Store `body`, which a sentence calls `what`. Raises Conflict, Unavailable."""

    async def newest(self, subject: str) -> int:
        """The sequence of the newest event there."""
        await self.check()
        stored = stored_on(subject)
        return self._store(stored).newest(stored)

    async def after(self, subject: str, sequence: int) -> bytes | None:
        """The first event there behind `sequence`."""
        stored = stored_on(subject)
        found = self._store(stored).following(sequence + 1, [stored])
        return found.body if found else None

    async def send_if(self, envelope: Envelope, expected: int) -> None:
        """Store `envelope` where `expected` is the newest."""
        each = outgoing(envelope)
        self.admit(each)
        await self.keep(each.subject, each.body, {"Nats-Msg-Id": each.id, EXPECTED: str(expected)}, each.type)

    def _store(self, stored: str) -> Store:
        self.log.look()
        return self.log.server.streams[address_of(stored).stream].store
