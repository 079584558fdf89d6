"""Hand: what a process has of one handler's messages, and how it is shared between keys and tenants.

Messages queue in their lanes. Where a busy key or tenant has more than its share of a window that fills up, the rest of
what it has is parked: kept without bodies, and asked for again when its turn comes.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from hayai.bus.siding import Siding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from hayai.bus.lanes import Lanes
    from hayai.bus.message import Message
    from hayai.bus.pace import Pace
    from hayai.bus.received import Identity, NatsMessage
    from hayai.bus.siding import Lane, Stub

_SHARES = 32
"""In a crowded window one key has at most one part in so many; one tenant, of several, has half."""


class Hand:
    """`give_up` has the server hand some stubs' messages out again; `made_room` is called when there is more of it.

    Nothing is parked where the place is not this process's `alone`: given back, a message might go to another.
    """

    def __init__(
        self,
        pace: Pace,
        lanes: Lanes[Lane, Message],
        *,
        alone: bool,
        give_up: Callable[[list[Stub]], None],
        made_room: Callable[[], None],
    ) -> None:
        self._pace = pace
        self._lanes = lanes
        self._alone = alone
        self._give_up = give_up
        self._made_room = made_room
        self._remembered = 2 * pace.window
        self._crowded = pace.window * 3 // 4
        self._share = max(2, pace.window // _SHARES)
        self._tenant = ""
        self._by_tenant: Counter[str] | None = None
        """What is in hand of each tenant, once there are several."""
        self._settled: set[Identity] = set()
        self._settled_before: set[Identity] = set()
        self.held: dict[Identity, NatsMessage] = {}
        self.siding = Siding()

    def __iter__(self) -> Iterator[NatsMessage | Stub]:
        """Everything, with its body or without."""
        return chain(list(self.held.values()), self.siding)

    def __bool__(self) -> bool:
        return bool(self.held or self.siding)

    def is_settled(self, identity: Identity) -> bool:
        """Whether that message was acknowledged not long ago."""
        return identity in self._settled or identity in self._settled_before

    def have(self, message: NatsMessage) -> None:
        """Take `message`."""
        self.held[message.identity] = message
        tenant = message.address.tenant
        if self._by_tenant is not None:
            self._by_tenant[tenant] += 1
        elif tenant != self._tenant:
            self._meet(tenant)

    def _meet(self, tenant: str) -> None:
        """With the second tenant it begins to matter how much each has in hand."""
        if self._tenant:
            self._by_tenant = Counter(each.address.tenant for each in self.held.values())
        self._tenant = tenant

    def let_go(self, message: NatsMessage, *, settled: bool) -> bool:
        """Whether `message` was in hand until now; what is `settled` is remembered for a while."""
        if self.held.pop(message.identity, None) is None:
            return False
        if settled:
            self._settled.add(message.identity)
            if len(self._settled) > self._remembered and (not self.siding or len(self._settled) > self._pace.parked):
                self._settled, self._settled_before = set(), self._settled
        if self._by_tenant is not None:
            self._by_tenant[message.address.tenant] -= 1
        return True

    def enter(self, message: NatsMessage) -> None:
        """Let `message` queue in its lane, or only a stub of it wait beside, where others need the room more."""
        lane = message.lane
        if (self.siding and lane in self.siding) or (len(self.held) > self._crowded and self._is_over(message)):
            self._park(message)
        else:
            self._lanes.put(lane, message)

    def _is_over(self, message: NatsMessage) -> bool:
        """Whether its key or its tenant has more than its share in hand."""
        if not self._alone:
            return False
        if self._lanes.length(message.lane) >= self._share:
            return True
        return self._by_tenant is not None and self._by_tenant[message.address.tenant] > self._pace.window // 2

    def _park(self, message: NatsMessage) -> None:
        del self.held[message.identity]
        if self._by_tenant is not None:
            self._by_tenant[message.address.tenant] -= 1
        known = message.lane in self.siding
        self.siding.park(message)
        if not known and not self._lanes.length(message.lane):
            self.siding.rest(message.lane)
        self._made_room()

    def take_again(self, stub: Stub, message: NatsMessage) -> None:
        """What was parked comes again: asked for, or since the server had not heard of it for too long."""
        if not stub.asked:
            stub.reply = message.reply
            return
        self.have(message)
        for each in self.siding.returned(stub, message):
            self._lanes.put(each.lane, each)

    def recall_after(self, message: NatsMessage) -> None:
        """Ask for parked messages of the tenant that has just let go of one: of its idle lanes in turn, or of this."""
        lane, tenant = message.lane, message.address.tenant
        room = max(1, min(self._room_of(tenant), self._share))
        behind = self._lanes.length(lane) - 1
        is_low = behind <= self._share // 2 and lane in self.siding and not self.siding.is_coming(lane)
        if is_low and not behind:
            self.siding.rest(lane)
        while room > 0 and (idle := self.siding.idle(tenant)) is not None:
            room -= self._recall(idle, room)
            is_low = is_low and behind > 0
        if is_low and room > 0 and behind:
            self._recall(lane, room)

    def _room_of(self, tenant: str) -> int:
        """How many more messages of `tenant` may be in hand before others need the room more."""
        if self._by_tenant is None:
            return self._crowded - len(self.held) - self.siding.asked[tenant]
        return self._pace.window // 2 - self._by_tenant[tenant] - self.siding.asked[tenant]

    def _recall(self, lane: Lane, most: int) -> int:
        stubs = self.siding.recall(lane, most)
        if stubs:
            self._give_up(stubs)
        return len(stubs)

    def drop(self, stub: Stub) -> None:
        """Wait no longer for the message of `stub`, which its stream has no more: those behind it go on."""
        for each in self.siding.gone(stub):
            self._lanes.put(each.lane, each)
        if stub.lane in self.siding and not self._lanes.length(stub.lane):
            self._recall(stub.lane, 1)

    def drop_parked(self) -> None:
        """Wait for none that is parked: they went with their stream."""
        for each in self.siding.clear():
            self._lanes.put(each.lane, each)

    def clear(self) -> None:
        """Have nothing."""
        self.held.clear()
        self.siding.clear()

    def count_up_to(self, sequence: int) -> int:
        """How many messages up to that sequence are here."""
        return sum(each.sequence <= sequence for each in self)

    def lowest(self, unless: Collection[Identity], *, default: int) -> int:
        """The lowest sequence of what is here, `unless` it is one of these."""
        return min((each.sequence for each in self if each.identity not in unless), default=default)
