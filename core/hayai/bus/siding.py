"""Siding: what one busy key or tenant has beyond its share waits here without its body, so that others get by.

Of a message nothing is kept but a stub: its place in the stream, and where the server wants to hear of it. It stays
unacknowledged there. When its turn comes it is given back, and the server hands it out again at once, ahead of what is
new: that needs no right beyond those of every consumer. Messages of one lane leave in the order in which they came.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.bus.received import Identity, NatsMessage

Lane = tuple[str, str]


@dataclass(slots=True, eq=False)
class Stub:
    """A message without its body."""

    identity: Identity
    lane: Lane
    sequence: int
    delivered: int
    reply: str
    asked: int = 0
    """How often the server was asked to hand it out again; 0 while it waits for its turn."""
    message: NatsMessage | None = None
    """It is here again, and waits for one before it."""


class Siding:
    """Stubs by lane; a lane is idle while none of it is in hand or asked for."""

    def __init__(self) -> None:
        self._stubs: dict[Identity, Stub] = {}
        self._lanes: dict[Lane, deque[Stub]] = {}
        self._coming: Counter[Lane] = Counter()
        self._idle: dict[str, deque[Lane]] = {}
        self.asked: Counter[str] = Counter()
        """By tenant, how many were asked for and are not here yet."""

    def __len__(self) -> int:
        return len(self._stubs)

    def __iter__(self) -> Iterator[Stub]:
        return iter(list(self._stubs.values()))

    def __contains__(self, lane: Lane) -> bool:
        return lane in self._lanes

    def find(self, identity: Identity) -> Stub | None:
        """The stub of that message, if it is one of those here."""
        return self._stubs.get(identity)

    def park(self, message: NatsMessage) -> None:
        """Keep a stub of `message` behind those of its lane."""
        stub = Stub(message.identity, message.lane, message.sequence, message.delivered, message.reply)
        self._stubs[stub.identity] = stub
        self._lanes.setdefault(stub.lane, deque()).append(stub)

    def rest(self, lane: Lane) -> None:
        """None of `lane` is in hand: it waits for a place behind the other lanes of its tenant."""
        if not self._coming[lane]:
            self._idle.setdefault(lane[0], deque()).append(lane)

    def idle(self, tenant: str) -> Lane | None:
        """The lane of `tenant` that has waited longest for a place; it counts as idle no longer."""
        waiting = self._idle.get(tenant)
        if not waiting:
            return None
        lane = waiting.popleft()
        if not waiting:
            del self._idle[tenant]
        return lane

    def is_coming(self, lane: Lane) -> bool:
        """Whether something of `lane` was asked for and is not here yet."""
        return lane in self._coming

    def recall(self, lane: Lane, most: int) -> list[Stub]:
        """The next stubs of `lane`, to be asked for now; none while others of it are on their way."""
        if self.is_coming(lane):
            return []
        stubs = [stub for stub, _ in zip(self._lanes.get(lane, ()), range(most), strict=False)]
        for stub in stubs:
            stub.asked = 1
        if stubs:
            self._coming[lane] = len(stubs)
            self.asked[lane[0]] += len(stubs)
        return stubs

    def returned(self, stub: Stub, message: NatsMessage) -> list[NatsMessage]:
        """`message` is here again: what may go on of its lane now, in order."""
        message.delivered = stub.delivered
        message.attempt = stub.delivered or 1
        stub.message = message
        del self._stubs[stub.identity]
        self._arrived(stub)
        return self._first(stub.lane)

    def gone(self, stub: Stub) -> list[NatsMessage]:
        """What may go on now that `stub`, which was asked for, is in its stream no more."""
        del self._stubs[stub.identity]
        self._lanes[stub.lane].remove(stub)
        self._arrived(stub)
        return self._first(stub.lane)

    def clear(self) -> list[NatsMessage]:
        """Forget every stub; the messages that are here again, in order."""
        here = [stub.message for lane in self._lanes.values() for stub in lane if stub.message]
        for each in (self._stubs, self._lanes, self._coming, self._idle, self.asked):
            each.clear()
        return here

    def _arrived(self, stub: Stub) -> None:
        self._coming[stub.lane] -= 1
        self.asked[stub.lane[0]] -= 1
        if not self._coming[stub.lane]:
            del self._coming[stub.lane]
        if not self.asked[stub.lane[0]]:
            del self.asked[stub.lane[0]]

    def _first(self, lane: Lane) -> list[NatsMessage]:
        stubs = self._lanes[lane]
        ready: list[NatsMessage] = []
        while stubs and (message := stubs[0].message) is not None:
            ready.append(message)
            stubs.popleft()
        if not stubs:
            del self._lanes[lane]
        return ready
