"""Consumer: one handler's messages, from the pull request to the acknowledgement."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING

from hayai.bus.gate import Gate
from hayai.bus.hand import Hand
from hayai.bus.lanes import Lanes
from hayai.bus.pull import Pull
from hayai.bus.received import ACK, IN_PROGRESS, NAK, NatsMessage
from hayai.bus.recovery import Recovery
from hayai.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from hayai.bus.connection import Connection
    from hayai.bus.durable import Durable
    from hayai.bus.gate import Seen
    from hayai.bus.inbox import Raw
    from hayai.bus.message import Message
    from hayai.bus.pace import Claim, Pace
    from hayai.bus.siding import Stub
    from hayai.ledger.places import Place

_log = logging.getLogger(__name__)
_HEARD_SECONDS = 5.0
_BEATS = 3
"""In-progress heartbeats within one ack_wait."""
_OVERDUE = 3
"""Asked for so often and not come, a message may be gone from its stream."""


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
        self._ack_wait = pace.ack_wait
        self.ordered = pace.ordered
        self.fence = claim.fence
        self.inherited = 0
        """Up to this stream sequence, messages may have been in the hands of a process that died."""
        self._lanes: Lanes[tuple[str, str], Message] = Lanes(
            work, concurrency=pace.concurrency, most_of_one=pace.most_of_one
        )
        self._hand = Hand(
            pace,
            self._lanes,
            alone=claim.fence is not None,
            give_up=lambda stubs: self._start(self._give_up(stubs)),
            made_room=lambda: self._pull.made_room(),  # noqa: PLW0108 - it is made below
        )
        self._recovery = Recovery(
            connection,
            durable,
            self._hand,
            confirm=claim.confirm,
            recreated=lambda after: self._start(recreated(after)),
            elsewhere=self._inherit_nothing,
        )
        self._unwatch: Callable[[], None] = lambda: None
        self._beat: asyncio.TimerHandle | None = None
        self.is_closing = False
        """It is being left, or was."""
        self.closed = asyncio.Event()
        """Nothing runs in it any more."""
        self._gate = Gate(seen, self._hand.enter) if seen else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pull = Pull(
            connection,
            (durable.stream, durable.name),
            window=pace.window,
            heartbeat=pace.heartbeat,
            held=self._hand.held,
            is_ours=claim.is_ours,
            take=self._take,
            lost=self._lost,
        )

    @property
    def in_hand(self) -> int:
        """How many messages are here with their bodies."""
        return len(self._hand.held)

    @property
    def parked(self) -> int:
        """How many messages wait for their turn without their bodies."""
        return len(self._hand.siding)

    @property
    def place(self) -> Place | None:
        """Up to where nothing is left to do; None while that is not known for certain."""
        return None if self.fence is None or self.is_closing else self._recovery.place()

    async def start(self, *, orphaned: bool = False) -> None:
        """Find or create the place on the server and ask for messages, those that a dead process left `orphaned` first.

        Nothing is asked for where it is left in the meantime. Raises HandlerMisdeclared, Unavailable.
        """
        self._recovery.reached = await self._durable.find_or_create()
        if orphaned and not self.is_closing:
            self.inherited = await self._durable.take_over()
        if self.is_closing:
            return
        self._unwatch = self._connection.watch(self._hold, self._found_again)
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
        self._hand.clear()
        with suppress(Unavailable):
            # Answered in turn with our acknowledgements: what they said is known from here on.
            if latest := self._recovery.latest:
                await self._connection.request(latest.reply, IN_PROGRESS, seconds=_HEARD_SECONDS)
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
            held = sorted(self._hand, key=attrgetter("sequence"))
            for each in held:
                await self._connection.answer(each.reply, NAK)
            self._hand.clear()
            return await self._durable.unsettled() <= len(held)  # answered in turn
        return False

    async def abandon(self) -> None:
        """Stop at once and say nothing: another process has this partition now, and has taken everything over."""
        self.is_closing = True
        self._hand.clear()
        await self._lanes.close(0)  # at once: to close the inbox may take seconds
        await self._close(0)
        self._hand.clear()
        self.closed.set()

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
        """Let go of the message, and awaited, answer the server."""
        hand = self._hand
        if not hand.let_go(message, settled=answer is ACK):
            return _nothing()
        if hand.siding and not self.is_closing:
            hand.recall_after(message)
        self._pull.made_room()
        return self._connection.answer(message.reply, answer)

    def _take(self, raw: Raw) -> None:
        message, hand = NatsMessage(self, raw), self._hand
        identity = message.identity
        if hand.is_settled(identity):  # our acknowledgement was lost on its way
            self._start(self._connection.answer(message.reply, ACK))
        elif (held := hand.held.get(identity)) is not None:
            held.reply = message.reply  # the server waits for the newest delivery's answer
        elif hand.siding and (stub := hand.siding.find(identity)) is not None:
            hand.take_again(stub, message)
        else:
            self._take_new(message)

    def _take_new(self, message: NatsMessage) -> None:
        self._recovery.latest = message
        self._hand.have(message)
        if self._beat is None:
            self._keep_alive()
        if self._gate is None:
            self._hand.enter(message)
        else:
            self._gate.put(message)

    async def _give_up(self, stubs: list[Stub]) -> None:
        """Have the server hand them out again."""
        for stub in stubs:
            await self._connection.answer(stub.reply, NAK)

    def resume(self, message: NatsMessage, again: float | None) -> None:
        """Go on with the lane of a message that was parked."""
        self._lanes.resume(message.lane, again)

    def _keep_alive(self) -> None:
        """Have the server told again and again that all in hand is in work, while there is anything in hand."""
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(self._ack_wait / _BEATS, self._tell)

    def _tell(self) -> None:
        self._beat = None
        if self._hand and not self.closed.is_set():  # later it is nobody's: the server must notice
            self._start(self._beats())
            self._keep_alive()

    async def _beats(self) -> None:
        """What is queued or waits for its next try is in work too."""
        if self._connection.is_ready:
            for message in list(self._hand.held.values()):
                await self._connection.answer(message.reply, IN_PROGRESS)
            for stub in self._hand.siding:
                await self._connection.answer(stub.reply, NAK if stub.asked else IN_PROGRESS)
                stub.asked += bool(stub.asked)
            await self._drop_what_is_gone()

    async def _drop_what_is_gone(self) -> None:
        """A message that left its stream in the meantime never comes: those behind it must not wait for it."""
        siding = self._hand.siding
        overdue = [stub for stub in siding if stub.asked > _OVERDUE]
        if not overdue:
            return
        with suppress(Unavailable):
            gone = await self._durable.gone({stub.sequence for stub in overdue})
            for stub in overdue:
                if stub.sequence in gone and siding.find(stub.identity) is stub:
                    _log.warning("%s %d left its stream before it was handled.", self._durable.stream, stub.sequence)
                    self._hand.drop(stub)

    def _hold(self) -> None:
        """What comes now may be later than what was lost on its way to us."""
        self._pull.hold(deaf=self.fence is not None)

    def _found_again(self) -> None:
        """Connected again; until now nobody knows what was lost."""
        self._recovery.hasten()
        self._lost()

    def _lost(self) -> None:
        if not self._recovery.is_on and not self.is_closing:
            self._recovery.is_on = True
            self._hold()
            self._start(self._recover())

    async def _recover(self) -> None:
        await self._recovery.run()
        self._pull.again()

    def _inherit_nothing(self) -> None:
        """In another stream nothing was in the hands of a process that died."""
        self.inherited = 0

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _nothing() -> None:
    """Nothing is to be done."""
