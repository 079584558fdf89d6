"""The words of BusContract: its events, its handlers that remember, and what its tests wait for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hayai.envelope import PlainCodec, decode, encode, wrap
from hayai.event import Event, Personal
from hayai.handlers import Handlers, Policy
from hayai.tier import Tier
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus
    from hayai.effects import EffectKind
    from hayai.envelope import Envelope
    from hayai.handlers import Context, Returned
    from hayai.vocabulary.operations import DeadLettered

PATIENCE = 15.0
"""Seconds that a test waits for what must come; far more than it takes."""

BRIEFLY = 0.15
"""Seconds in which what must not come would have come."""

QUICK = Policy(attempts=3, defects=3, first_delay=0.01, longest_delay=0.05, timeout=10)


class BellRung(Event, type="bell.rung", version=2):
    """Somebody rang; version 1 called `number` `n`."""

    number: int = 0
    who: Personal[str] = ""

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1's field has another name."""
        if version == 1:
            return {"number": data["n"]}
        return super().upcast(data, version)


class DoorOpened(Event, type="door.opened", version=1):
    """Somebody went to the door."""

    number: int = 0


class Ears:
    """A handler that remembers what it was given, in order."""

    def __init__(
        self,
        act: Callable[[Any, Context], Awaitable[Returned]] | None = None,
        *,
        effects: tuple[EffectKind, ...] = (),
    ) -> None:
        self.name = f"ears_{fresh()[:12]}"
        self.effects = effects
        self.events: list[Any] = []
        self.contexts: list[Context] = []
        self._act = act
        self._heard = asyncio.Event()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that were handled to the end, in order."""
        return [event.number for event in self.events]

    async def hear(self, event: Event, context: Context) -> Returned:
        """Do what the test wants done, then remember."""
        returned = await self._act(event, context) if self._act else None
        self.events.append(event)
        self.contexts.append(context)
        self._heard.set()
        return returned

    async def listen(
        self, bus: Bus, event: type[Event] = BellRung, policy: Policy = QUICK, tier: Tier | None = None
    ) -> str:
        """Subscribe on `bus`; the handler's name."""
        group = Handlers(self.name)
        group.add(event, self.hear, policy, effects=self.effects)
        (subscription,) = group
        await bus.subscribe(subscription, tier or Tier({}))
        return subscription.name

    async def until(self, count: int) -> None:
        """Return once `count` events were handled; an AssertionError says how many came instead."""
        try:
            async with asyncio.timeout(PATIENCE):
                while len(self.events) < count:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self.events)} of {count} events were handled in {PATIENCE:g} s") from None


def enveloped(**words: object) -> Envelope:
    """An envelope of a BellRung as a publisher without our Event class might write it."""
    sound = wrap(BellRung(), tenant="acme", source="/elsewhere", codec=PlainCodec(), key="k")
    return decode(encode(sound)).model_copy(update=words)


async def letter_of(bus: Bus, handler: str, *, cause: str | None = None) -> tuple[Envelope, DeadLettered]:
    """The dead letter of that handler (and that event), once it is there."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < until:
        for envelope, letter in await bus.dead_letters():
            if letter.handler == handler and cause in {None, envelope.cause}:
                return envelope, letter
        await asyncio.sleep(0.02)
    raise AssertionError(f"{handler} left no dead letter within {PATIENCE:g} s")


async def letters_of(bus: Bus, handler: str, count: int) -> list[DeadLettered]:
    """The dead letters of that handler, newest first, once there are `count`."""
    until = asyncio.get_running_loop().time() + PATIENCE
    found: list[DeadLettered] = []
    while len(found) < count and asyncio.get_running_loop().time() < until:
        found = [letter for _, letter in await bus.dead_letters() if letter.handler == handler]
        await asyncio.sleep(0.02)
    return found


async def soon(awaitable: Awaitable[bytes]) -> bytes:
    """What it gives, within the patience of a test."""
    async with asyncio.timeout(PATIENCE):
        return await awaitable
