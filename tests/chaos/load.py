"""Load: publishers at a steady rate, each with keys of its own, and every acknowledgement told to the oracle."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from hayai.bus.streams import outgoing
from hayai.envelope import PlainCodec, wrap
from hayai.errors import Unavailable
from tests.chaos.handlers import TENANT, word

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.base import Bus
    from hayai.event import Event
    from tests.chaos.oracle import Oracle


@dataclass(frozen=True)
class Stream:
    """One sort of event: how many publishers send it, on how many keys each, how many a second together."""

    verb: str
    publishers: int = 20
    keys: int = 5
    rate: float = 500.0
    seconds: float = 0.0
    """How long its handlers shall take."""
    keyed: str = ""
    """What its keys begin with, where that is not the verb."""
    faults: Callable[[], str] = str
    """What shall go wrong with the next event; nothing where it says ''."""


class Load:
    """Publishes from entering the context to leaving it; a publisher waits for each acknowledgement."""

    def __init__(self, bus: Bus, oracle: Oracle, noun: str, *streams: Stream) -> None:
        self._bus = bus
        self._oracle = oracle
        self._noun = noun
        self._streams = streams
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def __aenter__(self) -> Self:
        for stream in self._streams:
            work = (self._publish(stream, place) for place in range(stream.publishers))
            self._tasks += [asyncio.create_task(each) for each in work]
        return self

    async def __aexit__(self, *wrong: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def _publish(self, stream: Stream, publisher: int) -> None:
        loop = asyncio.get_running_loop()
        beat = stream.publishers / stream.rate
        due = loop.time() + beat * publisher / stream.publishers
        place = 0
        while not self._stopping:
            due = max(due + beat, loop.time() - 1)  # what an outage held up is made up for, a second of it
            await asyncio.sleep(max(0, due - loop.time()))
            number, key = divmod(place, stream.keys)
            await self._one(stream, f"{stream.keyed or stream.verb}-{publisher}-{key}", number)
            place += 1

    async def _one(self, stream: Stream, key: str, number: int) -> None:
        who = f"{self._noun}.{stream.verb}"
        fault = stream.faults()
        event = word(self._noun, stream.verb)(number=number, seconds=stream.seconds, fault=fault)
        self._oracle.tell("sent", who, key, number)
        if fault:
            self._oracle.tell("poison", f"{who}.{fault}", key, number)
        try:
            if fault == "unreadable":
                await self._garble(event, key)
            else:
                await self._bus.publish(event, tenant=TENANT, key=key)
        except Unavailable:
            self._oracle.tell("refused", who, key, number)
        else:
            self._oracle.tell("acked", who, key, number)

    async def _garble(self, event: Event, key: str) -> None:
        """Publish bytes that nobody can read, where that event would have been."""
        envelope = wrap(event, tenant=TENANT, source="/chaos", codec=PlainCodec(), key=key)
        await self._bus.send_all([outgoing(envelope)._replace(body=b"?")])
