"""The handlers that are put under fire, one of each sort, as a plugin would declare them; all they do is told."""

from __future__ import annotations

import asyncio
import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from hayai.effects import EffectKind
from hayai.event import Event
from hayai.handlers import Handlers, Policy

if TYPE_CHECKING:
    from hayai.handlers import Context
    from hayai.pools import Pool
    from tests.chaos.oracle import Oracle

TENANT = "acme"
TEXT = EffectKind("text", unknown="reconcile")
HEARS = {
    "ledgered": "taken",
    "stateless": "taken",
    "counting": "taken",
    "acting": "asked",
    "transactional": "asked",
    "slow": "heaped",
}
"""Each sort of handler and the event from which it comes to be called; `counting` hears what follows from that."""
SORTS = ("ledgered", "stateless", "counting", "acting", "transactional")
_HUGE = 2**50
"""Bytes that no machine has, so that the allocation fails; one that succeeds is the business of the system's killer."""
_INSERT = "insert into chaos.line (name, key, number) values ($1, $2, $3)"


class _Step(Event, type="step.base", version=1):
    number: int
    seconds: float = 0.0
    """How long handling it takes."""
    fault: str = ""
    """What goes wrong in handling it, for the scenarios that want that."""


@cache
def word(noun: str, verb: str) -> type[Any]:
    """The event `noun.verb`: consumers of one noun do not hear another's."""

    class Step(_Step, type=f"{noun}.{verb}", version=1):
        pass

    return Step


class Work:
    """The handlers of one group; `pool` is the application's, for rows of the handler's own."""

    def __init__(self, oracle: Oracle, pool: Pool, noun: str) -> None:
        self._oracle = oracle
        self._pool = pool
        self._noun = noun

    def group(self, name: str, sorts: tuple[str, ...], policy: dict[str, Any]) -> Handlers:
        """Those of `sorts` as a group of handlers with that policy."""
        group = Handlers(name)
        for sort in sorts:
            event = word(self._noun, "counted" if sort == "counting" else HEARS[sort])
            flags: dict[str, Any] = {sort: True} if sort in {"stateless", "transactional"} else {}
            follows = (word(self._noun, "counted"),) if sort == "ledgered" else ()
            acts = (TEXT,) if sort == "acting" else ()
            group.add(event, getattr(self, sort), Policy(**policy, **flags), produces=follows, effects=acts, name=sort)
        return group

    async def ledgered(self, event: _Step, context: Context) -> Event:
        """Think, and let something follow."""
        await self._think(event, context)
        following: Event = word(self._noun, "counted")(number=event.number)
        return following

    async def counting(self, event: _Step, context: Context) -> None:
        """Hear what followed."""
        await self._think(event, context)

    async def stateless(self, event: _Step, context: Context) -> None:
        """Think."""
        await self._think(event, context)

    async def slow(self, event: _Step, context: Context) -> None:
        """Take a long time, as a scenario says."""
        await self._think(event, context)

    async def acting(self, event: _Step, context: Context) -> None:
        """Send a text."""
        name = f"{context.handler}.{context.envelope.subject}.{event.number}"
        await context.once(TEXT, "text", partial(self._send, name), partial(self._ask, name))
        await self._think(event, context)

    async def _send(self, name: str) -> str:
        await asyncio.sleep(0)
        self._oracle.act(name)
        await asyncio.sleep(0)
        return "sent"

    async def _ask(self, name: str) -> str | None:
        await asyncio.sleep(0)
        return "sent" if self._oracle.was_done(name) else None

    async def transactional(self, event: _Step, context: Context) -> None:
        """Write a row."""
        async with self._pool.transaction(context.tenant) as connection:
            await connection.execute(_INSERT, context.handler, context.envelope.subject, event.number)
        await self._think(event, context)

    async def _think(self, event: _Step, context: Context) -> None:
        self._oracle.tell("began", context.handler, context.envelope.subject, event.number)
        if event.fault and not self._oracle.is_mended:
            await _fail(event)
        await asyncio.sleep(event.seconds)
        self._oracle.tell("handled", context.handler, context.envelope.subject, event.number)


async def _fail(event: _Step) -> None:
    """Go wrong in the way that the event says."""
    if event.fault == "raise":
        raise RuntimeError("This handler is broken.")
    if event.fault == "hang":
        await asyncio.Event().wait()
    elif event.fault == "exit":
        os._exit(9)
    elif event.fault == "block":
        time.sleep(event.seconds)  # noqa: ASYNC251 - that is the fault
    elif event.fault == "huge":
        bytearray(_HUGE)
