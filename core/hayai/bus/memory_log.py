"""Log: what a server would keep for the memory bus: the streams, each handler's place in them, and who listens."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.bus.memory_schedules import Held
from hayai.bus.message import Message
from hayai.bus.streams import DEADLETTERS, EVENTS, Address, address_of, filter_matches
from hayai.errors import HandlerMisdeclared

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.pieces import Pieces

_MOST_HELD = 512


@dataclass(frozen=True)
class Stored:
    """One message as its stream keeps it."""

    address: Address
    body: bytes
    sequence: int


class Log:
    """The streams of one memory server; the buses that share it see the same events."""

    def __init__(self) -> None:
        self.streams: dict[str, list[Stored]] = {EVENTS.name: [], DEADLETTERS.name: []}
        self.listeners: dict[str, list[Pieces]] = {}
        self.held = Held()
        self.idle = asyncio.Event()
        """Set while nobody is at work, nor could be."""
        self._ids: set[tuple[str, str]] = set()
        self._places: dict[str, Place] = {}
        self.stir()

    def stir(self) -> None:
        """See whether anybody is still at work."""
        if any(place.busy for place in self._places.values()):
            self.idle.clear()
        else:
            self.idle.set()

    def append(self, subject: str, body: bytes, *, id: str) -> None:  # noqa: A002 - CloudEvents calls it id
        """Store `body` unless its stream has that id already, and offer it to each handler whose event it is."""
        prefix, _, words = subject.partition(".")
        address = address_of(f"{prefix}.0.{words}")
        if (address.stream, id) in self._ids:
            return
        self._ids.add((address.stream, id))
        stream = self.streams[address.stream]
        stored = Stored(address, body, len(stream) + 1)
        stream.append(stored)
        for place in self._places.values():
            place.offer(stored)

    def join(self, name: str, event: str, member: Member) -> Place:
        """Let `member` work at the place called `name`, from now on if the place is new.

        Raises HandlerMisdeclared where that place is in another event.
        """
        place = self._places.setdefault(name, Place(self, event))
        if place.event != event:
            raise HandlerMisdeclared(
                f"{name} handled {place.event} so far and now takes {event}: give the new handler a name of its own."
            )
        place.enter(member)
        return place


class Member:
    """One bus at work at a place: `take` is given each message."""

    def __init__(self, take: Callable[[MemoryMessage], None]) -> None:
        self.take = take
        self.held = 0


class Place:
    """How far one handler has come, whoever runs it."""

    def __init__(self, log: Log, event: str) -> None:
        self.event = event
        self._log = log
        self._members: list[Member] = []
        self._waiting: deque[tuple[Stored, int]] = deque()

    @property
    def busy(self) -> bool:
        """Something is in work here, or waits while somebody is there to work."""
        return bool(self._members) and (bool(self._waiting) or any(member.held for member in self._members))

    def enter(self, member: Member) -> None:
        """Let `member` work here."""
        self._members.append(member)
        self.hand_out()

    def leave(self, member: Member) -> None:
        """Hand nothing more to `member`."""
        self._members.remove(member)
        self._log.stir()

    def offer(self, stored: Stored) -> None:
        """Queue `stored` if it is of this place's event."""
        if filter_matches(self.event, stored.address):
            self._waiting.append((stored, 0))
            self.hand_out()

    def again(self, stored: Stored, delivered: int) -> None:
        """Put a message that was given back in front."""
        self._waiting.appendleft((stored, delivered))
        self.hand_out()

    def hand_out(self) -> None:
        """Give what waits to members that have room."""
        while self._waiting and (free := [member for member in self._members if member.held < _MOST_HELD]):
            stored, delivered = self._waiting.popleft()
            member = min(free, key=lambda each: each.held)
            member.held += 1
            member.take(MemoryMessage(self, member, stored, delivered + 1))
        self._log.stir()


class MemoryMessage(Message):
    """A stored message in the hands of one member."""

    def __init__(self, place: Place, member: Member, stored: Stored, delivered: int) -> None:
        super().__init__(stored.address, stored.body, sequence=stored.sequence, delivered=delivered)
        self._place = place
        self._member = member
        self._stored = stored
        self._held = True

    def resume(self, again: float | None) -> None:
        """Never parked: this bus has no ledger."""
        del again

    async def ack(self) -> None:
        """Make room for another."""
        if self._let_go():
            self._place.hand_out()

    async def give_back(self) -> None:
        """Put it in front of the queue for whoever works here."""
        if self._let_go():
            self._place.again(self._stored, self.delivered)

    def _let_go(self) -> bool:
        """Whether it was held until now."""
        held, self._held = self._held, False
        self._member.held -= held
        return held
