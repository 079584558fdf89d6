"""Consumer: one handler's messages, from the pull request to the acknowledgement."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from hayai.bus.base import UNKNOWN
from hayai.bus.connection import Silent
from hayai.bus.gate import Gate
from hayai.bus.lanes import Lanes
from hayai.bus.message import Message
from hayai.bus.pull import Pull
from hayai.bus.siding import Siding
from hayai.bus.streams import address_of
from hayai.errors import HayaiError, KeyNotOpaque, Unavailable
from hayai.tokens import known_token, token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from nats.aio.msg import Msg

    from hayai.bus.connection import Connection
    from hayai.bus.durable import Durable
    from hayai.bus.gate import Seen
    from hayai.bus.siding import Lane, Stub
    from hayai.ledger.outcome import Fence

_log = logging.getLogger(__name__)
_ACK, _NAK, _IN_PROGRESS = b"+ACK", b"-NAK", b"+WPI"
_SHORT_REPLY = 9
_RECOVERY_PAUSE, _LONGEST_RECOVERY_PAUSE = 0.25, 5.0
_HEARD_SECONDS = 5.0
_BEATS = 3
"""In-progress heartbeats within one ack_wait."""
_SHARES = 32
"""In a crowded window one key has at most one part in so many; one tenant, of several, has half."""
_OVERDUE = 3
"""Asked for so often and not come, a message may be gone from its stream."""

Identity = tuple[str, str]


@dataclass(frozen=True)
class Pace:
    """How much of one handler a process does at once, and what it tells the server; times in seconds."""

    concurrency: int
    """How many keys are worked on at once."""
    window: int
    """The most messages in hand with their bodies."""
    parked: int
    """The most messages beyond these of which only stubs are kept."""
    ack_wait: float
    """After this silence the server takes a message to be lost."""
    heartbeat: float
    """How often the server says that it is there."""
    ordered: bool = True
    """Whether events of one key come one at a time."""
    most_of_one: Callable[[str], int] | None = None
    """How many keys of that tenant are worked on at once, where that is limited."""


@dataclass(frozen=True)
class Claim:
    """What makes the partition this process's."""

    fence: Fence | None
    is_ours: Callable[[], bool]
    """Whether it is now, as far as we know: nothing is asked for where it is not."""
    confirm: Callable[[], Awaitable[bool]]
    """Whether it is ours alone, for certain. Raises Unavailable."""


class Consumer:
    """Holds what the server handed over, keeps it alive there until it is settled, and never works it twice at once.

    `recreated` is told the sequence behind which a lost consumer goes on; `seen` says which of some events (tenant and
    id) the ledger has an outcome of already: these are acknowledged unread.
    """

    def __init__(
        self,
        connection: Connection,
        durable: Durable,
        *,
        work: Callable[[Message], Awaitable[float | None]],
        recreated: Callable[[int], Coroutine[None, None, None]],
        pace: Pace,
        claim: Claim,
        seen: Seen | None = None,
    ) -> None:
        self._connection = connection
        self._durable = durable
        self._recreated = recreated
        self._ack_wait = pace.ack_wait
        self._confirm = claim.confirm
        self.ordered = pace.ordered
        self.fence = claim.fence
        self.inherited = 0
        """Up to this stream sequence, messages may have been in the hands of a process that died."""
        self._gate = Gate(seen, self._enter) if seen else None
        self._pace = pace
        self._remembered = 2 * pace.window
        self._crowded = pace.window * 3 // 4
        self._share = max(2, pace.window // _SHARES)
        self._siding = Siding()
        self._tenant = ""
        self._by_tenant: Counter[str] | None = None
        """What is in hand of each tenant, once there are several."""
        self._lanes: Lanes[tuple[str, str], Message] = Lanes(
            work, concurrency=pace.concurrency, most_of_one=pace.most_of_one
        )
        self._held: dict[Identity, NatsMessage] = {}
        self._settled: set[Identity] = set()
        self._settled_before: set[Identity] = set()
        self._reached = 0
        self._elsewhere: set[Identity] = set()
        """What is held of a stream that is gone: its sequences say nothing about the one that took its place."""
        self._latest: NatsMessage | None = None
        self._unwatch: Callable[[], None] = lambda: None
        self._beat: asyncio.TimerHandle | None = None
        self.is_closing = False
        """It is being left, or was."""
        self.closed = asyncio.Event()
        """Nothing runs in it any more."""
        self._recovering = False
        self._hasten = asyncio.Event()
        """The server is there again: it need not be waited for any longer."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._pull = Pull(
            connection,
            (durable.stream, durable.name),
            window=pace.window,
            heartbeat=pace.heartbeat,
            held=self._held,
            is_ours=claim.is_ours,
            take=self._take,
            lost=self._lost,
        )

    @property
    def in_hand(self) -> int:
        """How many messages are here with their bodies."""
        return len(self._held)

    @property
    def parked(self) -> int:
        """How many messages wait for their turn without their bodies."""
        return len(self._siding)

    async def start(self, *, orphaned: bool = False) -> None:
        """Find or create the place on the server and ask for messages, those that a dead process left `orphaned` first.

        Nothing is asked for where it is left in the meantime. Raises HandlerMisdeclared, Unavailable.
        """
        self._reached = await self._durable.find_or_create()
        if orphaned and not self.is_closing:
            self.inherited = await self._durable.take_over()
        if self.is_closing:
            return
        self._unwatch = self._connection.watch(self._hold, self._found)
        await self._pull.start()

    async def drain(self, seconds: float) -> bool:
        """Ask no more, let what runs finish for at most `seconds`, give everything else back.

        Whether the server has heard of it: where it has not, it will hand out later events of the same keys first.
        """
        well = not self._pull.is_holding
        await self._close(seconds)
        heard = await (self._give_back() if self.fence is None else self._leave()) and well
        self.closed.set()
        return heard

    async def _leave(self) -> bool:
        """Leave the place to one other process, with what is held; whether that went well."""
        if not self._connection.is_ready or not await self._pull.is_heard():
            return False
        self._forget_all()
        with suppress(Unavailable):
            if self._latest:  # answered in turn with our acknowledgements: what they said is known from here on
                await self._connection.request(self._latest.reply, _IN_PROGRESS, seconds=_HEARD_SECONDS)
            await self._durable.give_back()
            return True
        return False

    async def _give_back(self) -> bool:
        """Give back what is held to any of the processes that share the place.

        Whether the server has heard of that, and waits for nothing else: what it sends between nats-py's ping and the
        end of the subscription, which the ping overtakes, nobody holds.
        """
        if not self._connection.is_ready:
            return False
        with suppress(Unavailable):
            # Asked about the consumer, the server drops our last requests, which nobody listens to any more. Else it
            # would try the first event given back on them, and put it behind the others of its key.
            await self._durable.exists()
            held = sorted((*self._held.values(), *self._siding), key=attrgetter("sequence"))
            for each in held:
                await self._connection.post(each.reply, _NAK)
            self._forget_all()
            return await self._durable.unsettled() <= len(held)  # answered in turn
        return False

    async def abandon(self) -> None:
        """Stop at once and say nothing: another process has this partition now, and has taken everything over."""
        self.is_closing = True
        self._forget_all()
        await self._lanes.close(0)  # at once: to close the inbox may take seconds
        await self._close(0)
        self._forget_all()
        self.closed.set()

    def _forget_all(self) -> None:
        self._held.clear()
        self._siding.clear()

    async def _close(self, seconds: float) -> None:
        self.is_closing = True
        self._lanes.halt()
        await self._pull.close()
        if self._gate is not None:
            self._gate.close()
        await self._lanes.close(seconds)
        self._unwatch()
        if self._beat is not None:
            self._beat.cancel()
        for task in self._tasks:
            task.cancel()

    def settle(self, message: NatsMessage, answer: bytes) -> Coroutine[None, None, None]:
        """Let go of the message, and awaited, answer the server; what was acknowledged is remembered for a while."""
        if self._held.pop(message.identity, None) is None:
            return _nothing()
        if answer is _ACK:
            self._settled.add(message.identity)
            if len(self._settled) > self._remembered and (not self._siding or len(self._settled) > self._pace.parked):
                self._settled, self._settled_before = set(), self._settled
        if self._by_tenant is not None:
            self._by_tenant[message.address.tenant] -= 1
        if self._siding:
            self._recall_after(message)
        self._pull.made_room()
        return self._connection.post(message.reply, answer)

    def _take(self, raw: Msg) -> None:
        message = NatsMessage(self, raw)
        identity = message.identity
        if identity in self._settled or identity in self._settled_before:  # our acknowledgement was lost on its way
            self._start(self._connection.post(message.reply, _ACK))
        elif (held := self._held.get(identity)) is not None:
            held.reply = message.reply  # the server waits for the newest delivery's answer
        elif self._siding and (stub := self._siding.find(identity)) is not None:
            self._take_again(stub, message)
        else:
            self._latest = message
            self._have(message)
            if self._beat is None:
                self._keep_alive()
            if self._gate is None:
                self._enter(message)
            else:
                self._gate.put(message)

    def _have(self, message: NatsMessage) -> None:
        self._held[message.identity] = message
        tenant = message.address.tenant
        if self._by_tenant is not None:
            self._by_tenant[tenant] += 1
        elif tenant != self._tenant:
            self._meet(tenant)

    def _meet(self, tenant: str) -> None:
        """With the second tenant it begins to matter how much each has in hand."""
        if self._tenant:
            self._by_tenant = Counter(each.address.tenant for each in self._held.values())
        self._tenant = tenant

    def _enter(self, message: NatsMessage) -> None:
        """Let `message` queue in its lane, or only a stub of it wait beside, where others need the room more."""
        lane = message.lane
        if (self._siding and lane in self._siding) or (len(self._held) > self._crowded and self._is_over(message)):
            self._park(message)
        else:
            self._lanes.put(lane, message)

    def _is_over(self, message: NatsMessage) -> bool:
        """Whether its key or its tenant has more than its share in hand."""
        if self.fence is None:  # given back, it might go to another process
            return False
        if self._lanes.length(message.lane) >= self._share:
            return True
        return self._by_tenant is not None and self._by_tenant[message.address.tenant] > self._pace.window // 2

    def _park(self, message: NatsMessage) -> None:
        del self._held[message.identity]
        if self._by_tenant is not None:
            self._by_tenant[message.address.tenant] -= 1
        known = message.lane in self._siding
        self._siding.park(message)
        if not known and not self._lanes.length(message.lane):
            self._siding.rest(message.lane)
        self._pull.made_room()

    def _take_again(self, stub: Stub, message: NatsMessage) -> None:
        """What was parked comes again: asked for, or since the server had not heard of it for too long."""
        if not stub.asked:
            stub.reply = message.reply
            return
        self._have(message)
        for each in self._siding.returned(stub, message):
            self._lanes.put(each.lane, each)

    def _recall_after(self, message: NatsMessage) -> None:
        """Ask for parked messages of the tenant that has just let go of one: of its idle lanes in turn, or of this."""
        if self.is_closing:
            return
        lane, tenant = message.lane, message.address.tenant
        room = max(1, min(self._room_of(tenant), self._share))
        behind = self._lanes.length(lane) - 1
        is_low = behind <= self._share // 2 and lane in self._siding and not self._siding.is_coming(lane)
        if is_low and not behind:
            self._siding.rest(lane)
        while room > 0 and (idle := self._siding.idle(tenant)) is not None:
            room -= self._recall(idle, room)
            is_low = is_low and behind > 0
        if is_low and room > 0 and behind:
            self._recall(lane, room)

    def _room_of(self, tenant: str) -> int:
        """How many more messages of `tenant` may be in hand before others need the room more."""
        if self._by_tenant is None:
            return self._crowded - len(self._held) - self._siding.asked[tenant]
        return self._pace.window // 2 - self._by_tenant[tenant] - self._siding.asked[tenant]

    def _recall(self, lane: Lane, most: int) -> int:
        stubs = self._siding.recall(lane, most)
        if stubs:
            self._start(self._give_up(stubs))
        return len(stubs)

    async def _give_up(self, stubs: list[Stub]) -> None:
        """Have the server hand them out again."""
        for stub in stubs:
            await self._connection.post(stub.reply, _NAK)

    def resume(self, message: NatsMessage, again: float | None) -> None:
        """Go on with the lane of a message that was parked."""
        self._lanes.resume(message.lane, again)

    def _keep_alive(self) -> None:
        """Have the server told again and again that all in hand is in work, while there is anything in hand."""
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(self._ack_wait / _BEATS, self._tell)

    def _tell(self) -> None:
        self._beat = None
        if (self._held or self._siding) and not self.closed.is_set():  # later it is nobody's: the server must notice
            self._start(self._beats())
            self._keep_alive()

    async def _beats(self) -> None:
        """What is queued or waits for its next try is in work too."""
        if self._connection.is_ready:
            for message in list(self._held.values()):
                await self._connection.post(message.reply, _IN_PROGRESS)
            for stub in self._siding:
                await self._connection.post(stub.reply, _NAK if stub.asked else _IN_PROGRESS)
                stub.asked += bool(stub.asked)
            await self._drop_what_is_gone()

    async def _drop_what_is_gone(self) -> None:
        """A message that left its stream in the meantime never comes: those behind it must not wait for it."""
        overdue = [stub for stub in self._siding if stub.asked > _OVERDUE]
        if not overdue:
            return
        with suppress(Unavailable):
            gone = await self._durable.gone({stub.sequence for stub in overdue})
            for stub in overdue:
                if stub.sequence in gone and self._siding.find(stub.identity) is stub:
                    self._drop(stub)

    def _drop(self, stub: Stub) -> None:
        _log.warning("%s %d is gone from its stream before it was handled.", self._durable.stream, stub.sequence)
        for each in self._siding.gone(stub):
            self._lanes.put(each.lane, each)
        if stub.lane in self._siding and not self._lanes.length(stub.lane):
            self._recall(stub.lane, 1)

    def _hold(self) -> None:
        """What comes now may be later than what was lost on its way to us."""
        self._pull.hold(deaf=self.fence is not None)

    def _found(self) -> None:
        """Connected again; until now nobody knows what was lost."""
        self._hasten.set()
        self._lost()

    def _lost(self) -> None:
        if not self._recovering and not self.is_closing:
            self._recovering = True
            self._hold()
            self._start(self._recover())

    async def _recover(self) -> None:
        """Find the consumer again or make it again, however long that takes."""
        pause, recovered = _RECOVERY_PAUSE, False
        while not recovered:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hasten.wait()
            self._hasten.clear()
            pause = min(2 * pause, _LONGEST_RECOVERY_PAUSE)
            recovered = await self._recovered()
        self._recovering = False

    async def _recovered(self) -> bool:
        after = None
        try:
            if not await self._is_there():
                after = await self._recreate()
        except HayaiError as wrong:
            _log.warning("The consumer %s is lost and cannot be had back yet: %s", self._durable.name, wrong)
            if isinstance(wrong, Silent) and self._connection.is_ready:
                await self._connection.renew()
            return False
        self._pull.again()
        if after is not None:
            self._start(self._recreated(after))
        return True

    async def _is_there(self) -> bool:
        """Whether the server has our place; with what was lost on its way to us to come first. Raises Unavailable."""
        if await self._confirm():
            return await self._durable.catch_up(self._count_held)
        return await self._durable.exists()

    def _count_held(self, sequence: int) -> int:
        """How many messages up to that sequence are in hand."""
        sequences = chain((each.sequence for each in self._held.values()), (each.sequence for each in self._siding))
        return sum(each <= sequence for each in sequences)

    async def _recreate(self) -> int:
        """Make the lost consumer again; the sequence behind which it goes on. Raises Unavailable."""
        wanted = self._handled_up_to()
        after = await self._durable.recreate(wanted)
        if after < wanted:  # in another stream
            self._elsewhere.update(self._held)
            for each in self._siding.clear():  # without their bodies the others went with their stream
                self._lanes.put(each.lane, each)
            self._reached, self._latest, self.inherited = after, None, 0
        return after

    def _handled_up_to(self) -> int:
        """The sequence up to which nothing is left to do here."""
        reached = max(self._reached, self._latest.sequence if self._latest else 0)
        held = (message.sequence for identity, message in self._held.items() if identity not in self._elsewhere)
        return min(chain(held, (stub.sequence for stub in self._siding)), default=reached + 1) - 1

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _nothing() -> None:
    """Nothing is to be done."""


class NatsMessage(Message):
    """A message and the subject on which the server wants to hear what became of it.

    The subject (NATS ADR-15) ends in delivered.sequence.consumer-sequence.time.pending, and a random word behind these
    where it begins with a domain and an account.
    """

    def __init__(self, consumer: Consumer, raw: Msg) -> None:
        words = raw.reply.split(".")
        if len(words) > _SHORT_REPLY:
            del words[2:4]
        address = address_of(raw.subject)
        super().__init__(address, raw.data, sequence=int(words[5]), delivered=int(words[4]))
        self.identity: Identity = words[5], words[7]
        """Its place and time: a stream that was made anew uses the places again, but not the times."""
        self.reply = raw.reply
        self.fence = consumer.fence
        self.inherited = self.sequence <= consumer.inherited
        if not consumer.ordered:
            self.lane = address.tenant, f"{words[5]}.{words[7]}"  # its own
        self._headers = raw.headers
        self._consumer = consumer

    def claimed(self) -> tuple[str, str]:
        """Whose it is and its id, unread, from what the server keeps beside it.

        The id is empty where it keeps none, or one that none of ours can be: the database might not even take it.
        """
        claimed = self.address.tenant, (self._headers or {}).get("Nats-Msg-Id", "")
        try:
            known_token(claimed[0], "tenant")
            token(claimed[1], what="event id")
        except KeyNotOpaque:
            return UNKNOWN, ""
        return claimed

    def resume(self, again: float | None) -> None:
        """Go on with its lane: None when it is settled, else the seconds until its next try."""
        self._consumer.resume(self, again)

    def ack(self) -> Coroutine[None, None, None]:
        """Tell the server that it is done with."""
        return self._consumer.settle(self, _ACK)

    def give_back(self) -> Coroutine[None, None, None]:
        """Tell the server to hand it out again now."""
        return self._consumer.settle(self, _NAK)
