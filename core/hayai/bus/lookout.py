"""Lookout: what stands on the NATS server now, seen from beside the bus; it changes nothing there."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hayai.bus.letter import letters_in
from hayai.bus.nats import NatsBus
from hayai.bus.pace import PARKED_WINDOWS
from hayai.bus.streams import DEADLETTERS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.durable import Durable
    from hayai.handlers import Subscription

_CONNECT, _GLANCE = 3.0, 5.0
_MOST_LETTERS, _AT_ONCE = 10_000, 100
_STREAMS = (EVENTS, DEADLETTERS)


@dataclass(frozen=True)
class Place:
    """Where one handler is, over all of its partitions; counts of events."""

    lag: int
    """Not handed out yet."""
    in_flight: int
    """Handed out and not acknowledged; also what a worker gave back when it stopped, until another takes it."""
    redelivered: int
    """Of these, how many were handed out before."""
    paused: bool
    """In one partition at least nothing is handed out, until it is resumed."""
    oldest: str | None
    """When the oldest of all these was stored, RFC 3339; None where there is none."""


@dataclass(frozen=True)
class StreamState:
    """What one stream holds; times as the server writes them, RFC 3339."""

    name: str
    messages: int
    bytes: int
    max_bytes: int
    """-1 where there is no limit."""
    first: str | None
    last: str | None


class Lookout(NatsBus):
    """A connection that only looks: it needs no running Hayai, creates no stream, and holds no lease."""

    _read: dict[int, str]

    async def start(self) -> None:
        """Connect. Raises Unavailable."""
        self._read = {}
        self._parked = PARKED_WINDOWS * self._measures.window  # an install has a ledger, if not this connection
        await self._connection.start(min(self._measures.connect_deadline, _CONNECT))

    async def ensure_streams(self) -> None:
        """Leave the streams as they are."""

    async def server(self) -> dict[str, Any]:
        """What the server says of itself: `id`, `name`, `ver` and others. Raises Unavailable."""
        answer = await self._connection.request("$SYS.REQ.USER.INFO", b"", seconds=_GLANCE)
        return dict(json.loads(answer).get("server", {}))

    def declared(self) -> list[dict[str, Any]]:
        """The streams' configuration as the settings want it."""
        return self._declared()

    def durables(self, subscription: Subscription) -> list[Durable]:
        """The places that a handler has, one in each partition."""
        return self._durables(subscription)

    async def stream(self, name: str) -> dict[str, Any] | None:
        """The stream's `config`, `state` and `cluster`; None if there is none. Raises Unavailable."""
        return await self.jetstream.stream(name)

    async def streams(self) -> list[StreamState]:
        """What each stream that is there holds. Raises Unavailable."""
        found = [await self.stream(each.name) for each in _STREAMS]
        return [_state(each["config"], each["state"]) for each in found if each]

    async def consumers(self) -> dict[str, dict[str, Any]]:
        """Every consumer of our streams by its name, as the server describes it. Raises Unavailable."""
        found = [each for stream in _STREAMS for each in await self.jetstream.consumers(stream.name)]
        return {each["name"]: each for each in found}

    async def places(self) -> dict[str, Place]:
        """Where each handler is that has a place on the server, by its name. Raises Unavailable."""
        parts: dict[str, list[dict[str, Any]]] = {}
        for name, each in (await self.consumers()).items():
            parts.setdefault(handler_of(name), []).append(each)
        return {handler: _place(several, await self._oldest(several)) for handler, several in sorted(parts.items())}

    async def _oldest(self, several: Sequence[dict[str, Any]]) -> str | None:
        """When the first event was stored that is not acknowledged, of all these partitions."""
        behind = [each for each in several if each["num_pending"] or each["num_ack_pending"]]
        asked = [
            self.jetstream.next_time(
                each["stream_name"], each["ack_floor"]["stream_seq"] + 1, each["config"]["filter_subject"]
            )
            for each in behind
        ]
        return min((time for time in await asyncio.gather(*asked) if time), default=None)

    async def letters(self) -> Counter[str]:
        """How many of the newest 10000 dead letters each handler has; a letter is read once. Raises Unavailable."""
        found = await self.stream(DEADLETTERS.name)
        first, last = (found["state"]["first_seq"], found["state"]["last_seq"]) if found else (0, 0)
        first = max(first, last - _MOST_LETTERS + 1, 1)
        self._read = {place: handler for place, handler in self._read.items() if first <= place <= last}
        new = [place for place in range(first, last + 1) if place not in self._read]
        for begin in range(0, len(new), _AT_ONCE):
            await self._fetch(new[begin : begin + _AT_ONCE])
        return Counter(handler for handler in self._read.values() if handler)

    async def _fetch(self, places: list[int]) -> None:
        bodies = await asyncio.gather(*(self.jetstream.body(DEADLETTERS.name, place) for place in places))
        for place, body in zip(places, bodies, strict=True):
            letters = letters_in(body, self.codec) if body else []
            self._read[place] = letters[0][1].handler if letters else ""


def handler_of(consumer: str) -> str:
    """The handler whose place in one partition the server keeps as `consumer`."""
    handler, _, partition = consumer.rpartition("_")
    return handler if handler and partition.isdecimal() else consumer


def _place(parts: Sequence[dict[str, Any]], oldest: str | None) -> Place:
    return Place(
        lag=sum(each["num_pending"] for each in parts),
        in_flight=sum(each["num_ack_pending"] for each in parts),
        redelivered=sum(each["num_redelivered"] for each in parts),
        paused=any(each.get("paused") for each in parts),
        oldest=oldest,
    )


def _state(config: dict[str, Any], state: dict[str, Any]) -> StreamState:
    holds = bool(state["messages"])
    return StreamState(
        name=config["name"],
        messages=state["messages"],
        bytes=state["bytes"],
        max_bytes=config.get("max_bytes", -1),
        first=state["first_ts"] if holds else None,
        last=state["last_ts"] if holds else None,
    )
