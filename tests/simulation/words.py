"""Words: the events of the simulation, and handlers that behave as the seed says: well, slowly, badly, or deadly."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Literal

from hayai.effects import EffectKind
from hayai.errors import PermanentError, RateLimited, Unavailable
from hayai.event import Event
from hayai.handlers import Handlers, Policy, Subscription
from tests.simulation.statements import DOMAIN

if TYPE_CHECKING:
    from hayai.handlers import Context
    from tests.simulation.pool import SimulatedPool
    from tests.simulation.scene import Scene
    from tests.simulation.world import Process

TENANT = "acme"
KINDS = (EffectKind("sim_ask", "ask"), EffectKind("sim_again", "again"), EffectKind("sim_reconcile", "reconcile"))
Manner = Literal["well", "slowly", "busy", "limited", "hangs", "exits", "deadly", "defect", "refuses"]
_MANNERS: tuple[tuple[Manner, int], ...] = (
    ("well", 60),
    ("slowly", 14),
    ("busy", 8),
    ("limited", 3),
    ("hangs", 3),
    ("exits", 1),
    ("deadly", 2),
    ("defect", 3),
    ("refuses", 3),
)
FATAL: frozenset[Manner] = frozenset({"defect", "refuses"})
"""What ends as a dead letter."""
TIMEOUT = 3.0


class CountTold(Event, type="count.told", version=1):
    """What the publisher says."""

    number: int


class CountEchoed(Event, type="count.echoed", version=1):
    """What follows from a told one, through the ledger."""

    number: int


class CountNoted(Event, type="count.noted", version=1):
    """What follows from a told one, past the ledger."""

    number: int


class CountBooked(Event, type="count.booked", version=1):
    """What follows from a told one, out of a transaction."""

    number: int


class Cast:
    """The handlers of one process."""

    def __init__(self, scene: Scene, process: Process, application: SimulatedPool) -> None:
        self._seed = scene.seed
        self._process = process
        self._oracle = scene.oracle
        self._application = application

    def subscriptions(self, concurrency: int) -> list[Subscription]:
        """The four of them."""
        policy = Policy(defects=3, first_delay=0.1, longest_delay=1.0, timeout=TIMEOUT, concurrency=concurrency)
        stateless = Policy(**{**vars(policy), "stateless": True})
        transactional = Policy(**{**vars(policy), "transactional": True})
        group = Handlers("sim")
        group.add(CountTold, self.tally, policy, name="tally", effects=KINDS)
        group.add(CountTold, self.note, stateless, name="note")
        group.add(CountTold, self.book, transactional, name="book")
        group.add(CountEchoed, self.hear, policy, name="hear")
        return list(group)

    async def tally(self, event: CountTold, context: Context) -> CountEchoed:
        """Acts outside, and tells what follows through the ledger."""
        async with self._oracle.handling(self._process, context):
            await self._behave(context)
            kind = KINDS[event.number % len(KINDS)]
            await context.once(kind, "say", lambda: self._act(kind, context), lambda: self._reconcile(kind, context))
            return CountEchoed(number=event.number)

    async def note(self, event: CountTold, context: Context) -> CountNoted:
        """Keeps no mark."""
        async with self._oracle.handling(self._process, context):
            await self._behave(context)
            return CountNoted(number=event.number)

    async def book(self, event: CountTold, context: Context) -> CountBooked:
        """Writes a row of its own in the transaction of its mark."""
        async with self._oracle.handling(self._process, context):
            await self._behave(context)
            async with self._application.transaction(context.tenant) as connection:
                await connection.execute(DOMAIN, context.tenant, context.envelope.id)
            return CountBooked(number=event.number)

    async def hear(self, event: CountEchoed, context: Context) -> None:
        """The end of the chain."""
        async with self._oracle.handling(self._process, context):
            await self._behave(context)

    async def _behave(self, context: Context) -> None:
        manner = manner_of(self._seed, context.handler, context.envelope.id)
        tries = self._oracle.tries(context.handler, context.envelope.id)
        if manner == "slowly":
            await asyncio.sleep(random.Random(f"{self._seed}{context.envelope.id}").uniform(0.01, TIMEOUT / 2))
        elif manner == "busy" and tries <= 2:
            raise Unavailable("the calendar is busy")
        elif manner == "limited" and tries == 1:
            raise RateLimited("too many at once", after=0.7)
        elif manner == "hangs" and tries == 1:
            await asyncio.sleep(60)
        elif manner == "exits" and tries == 1:
            raise SystemExit(1)
        elif manner == "deadly" and tries == 1:
            self._process.loop.fuse = 0
            await asyncio.sleep(1)
        elif manner == "defect":
            raise ValueError("a defect")
        elif manner == "refuses":
            raise PermanentError("it is wanted no more")

    async def _act(self, kind: EffectKind, context: Context) -> str:
        tries = self._oracle.tries(kind.name, context.envelope.id)
        chance = random.Random(f"{self._seed}{context.envelope.id}{kind.name}{tries}")
        if chance.random() < 0.1:
            raise Unavailable("the provider is away")
        self._oracle.acted(self._process, kind, context)
        await asyncio.sleep(chance.uniform(0, 0.3))
        if tries == 1 and chance.random() < 0.1:
            raise ConnectionResetError("the answer was lost")
        return "done"

    async def _reconcile(self, kind: EffectKind, context: Context) -> Any:
        return "done" if self._oracle.acts.get((context.envelope.id, kind.name)) else None


def manner_of(seed: int, handler: str, event: str) -> Manner:
    """How that handler behaves when it is given that event."""
    weights = [weight for _, weight in _MANNERS]
    return random.Random(f"{seed}/{handler}/{event}").choices(_MANNERS, weights)[0][0]
