"""MemorySchedules: what the memory bus does about schedules: its log keeps them, by the log's own clock."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.bus.schedules import SchedulingBus, ending, holding, schedule_subject
from hayai.bus.streams import SCHEDULES, outgoing
from hayai.envelope import encode

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.bus.memory_log import Log
    from hayai.envelope import Envelope


class MemorySchedules(SchedulingBus):
    """What the memory bus does about schedules; while it runs, and at settle(), what is due comes."""

    log: Log

    @property
    def furthest(self) -> timedelta:
        """As far as a server with its default settings would take."""
        return timedelta(days=365)

    @abstractmethod
    async def keep(self, subject: str, body: bytes, headers: dict[str, str], what: str) -> None:
        """Store `body`, which a sentence calls `what`. Raises Unavailable."""

    async def hold(self, envelope: Envelope, at: datetime, schedule: str) -> None:
        """Keep `envelope` until `at`."""
        self.admit(outgoing(envelope))
        subject, headers = holding(envelope, at, schedule)
        await self.keep(subject, encode(envelope), headers, envelope.type)
        self.log.look(anew=True)

    async def release(self, tenant: str, schedule: str) -> None:
        """Forget what that schedule holds."""
        await self.check()
        self.log.server.streams[SCHEDULES].purge(schedule_subject(tenant, schedule))

    async def replace(self, envelope: Envelope, schedule: str) -> None:
        """Publish `envelope` and forget what that schedule holds."""
        self.admit(outgoing(envelope))
        subject, headers = ending(envelope, schedule)
        await self.keep(subject, encode(envelope), headers, envelope.type)
