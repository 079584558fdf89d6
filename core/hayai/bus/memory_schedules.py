"""MemorySchedules: what a server would keep until it is due, for the memory bus, by that bus's own clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.bus.schedules import SchedulingBus
from hayai.bus.streams import outgoing
from hayai.tokens import fresh

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.bus.memory_log import Log
    from hayai.envelope import Envelope

_LOOK_SECONDS = 0.02
"""How often the clock is looked at while something is held: a test's clock tells nobody that it was moved."""


@dataclass
class Held:
    """The schedules of one memory server: what is held under (tenant, schedule), and until when."""

    waiting: dict[tuple[str, str], tuple[datetime, Envelope]] = field(
        default_factory=dict[tuple[str, str], "tuple[datetime, Envelope]"]
    )

    def due(self, now: datetime) -> list[Envelope]:
        """What is due by `now`, taken out, in the order of its time."""
        ready = sorted((at, place) for place, (at, _) in self.waiting.items() if at <= now)
        return [self.waiting.pop(place)[1] for _, place in ready]


class MemorySchedules(SchedulingBus):
    """What the memory bus does about schedules; while it runs, and at settle(), what is due comes."""

    log: Log
    _looking: asyncio.TimerHandle | None = None

    @property
    def furthest(self) -> timedelta:
        """As far as a server with its default settings would take."""
        return timedelta(days=365)

    async def hold(self, envelope: Envelope, at: datetime, schedule: str) -> None:
        """Keep `envelope` until `at`."""
        self.admit(outgoing(envelope))
        await self.check()
        self.log.held.waiting[envelope.tenant, schedule] = at, envelope
        self.look()

    async def release(self, tenant: str, schedule: str) -> None:
        """Forget what that schedule holds."""
        await self.check()
        self.log.held.waiting.pop((tenant, schedule), None)

    async def replace(self, envelope: Envelope, schedule: str) -> None:
        """Publish `envelope` and forget what that schedule holds."""
        await self.send(envelope)
        self.log.held.waiting.pop((envelope.tenant, schedule), None)

    def look(self) -> None:
        """Let come what is due, and look again soon while anything is held."""
        for envelope in self.log.held.due(self.clock()):
            # As on the server, what came due is not compared with the ids that came before.
            came = outgoing(envelope)
            self.log.append(came.subject, came.body, id=fresh())
        self.look_no_more()
        if self.log.held.waiting:
            self._looking = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self.look)

    def look_no_more(self) -> None:
        """Leave what is held to whoever shares the log."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
