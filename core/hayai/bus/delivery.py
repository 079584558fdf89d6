"""Delivery: the one place where a handler's outcome becomes an acknowledgement, another try, or a dead letter."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from hayai.bus.base import SOURCE, live_topic
from hayai.bus.committer import Committer
from hayai.bus.explain import explained
from hayai.bus.lanes import PARKED
from hayai.bus.letter import dead_letter, tenant_of
from hayai.bus.opening import opened
from hayai.bus.retry import backoff
from hayai.bus.streams import outgoing
from hayai.bus.timekeeper import Overdue, Timekeeper
from hayai.envelope import Reader, wrap
from hayai.errors import HandlerTooSlow, HayaiError, PermanentError, TransientError
from hayai.handlers import Context, follow_ups
from hayai.ledger.outcome import Outcome
from hayai.telemetry.trace import current, is_sampled, trying
from hayai.tokens import derived
from hayai.vocabulary.operations import DeadLettered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterable
    from datetime import datetime

    from hayai.bus.message import Message
    from hayai.bus.schedules import SchedulingBus
    from hayai.envelope import Envelope
    from hayai.event import Event
    from hayai.handlers import Keyed, Subscription
    from hayai.ledger.ledger import Ledger
    from hayai.ledger.outcome import Outgoing
    from hayai.tier import Tier

_log = logging.getLogger(__name__)
_DEFECT_DELAY = 1.0
_CRASHES = 3
"""Handed over this many times as often as a defect is tried, an event is taken to kill the process that handles it."""
_KILLS = "It was begun with {} times and never settled: its handler may take its process down."


class Delivery:
    """Works one handler's messages, try by try; `work` is what lanes call.

    With a ledger, what the handler came to is committed and the relay publishes it; without one, or for a handler that
    is stateless, it is published here.
    """

    def __init__(
        self, subscription: Subscription, tier: Tier, bus: SchedulingBus, ledger: Ledger | None = None
    ) -> None:
        self._subscription = subscription
        self._policy = subscription.policy
        self._tier = tier
        self._bus = bus
        self._ledger = None if subscription.policy.stateless else ledger
        self._suspects = ledger
        self._committer = Committer(self._ledger.commit) if self._ledger else None
        self.seen = partial(self._ledger.seen, subscription.name) if self._ledger else None
        """Which of some events the ledger has an outcome of; None without a ledger."""
        self._reader = Reader(subscription.event, bus.codec)
        self._timekeeper = Timekeeper(subscription.policy.timeout)
        self._meter = bus.meters.handler(subscription.name, subscription.event.type)
        self._one = asyncio.Lock()
        self._run = self._in_one if subscription.policy.transactional and self._ledger else self._follow
        self._crashes = _CRASHES * max(2, subscription.policy.defects)  # some of them alone: it may be its neighbour

    async def work(self, message: Message) -> float | None:
        """One try: None when the message is settled, PARKED while it is committed, else the seconds until the next.

        Whatever the handler raises ends here, SystemExit included; only a cancellation from outside goes through.
        """
        try:
            if message.outbox is None:
                message.outbox = await self._handle(message)
            if self._committer is not None and not message.committed:
                self._committer.add(self._outcome(message, message.outbox), partial(self._committed, message))
                return PARKED
            if message.outbox:
                await self._store(message.outbox)
        except GeneratorExit:
            raise
        except BaseException as wrong:  # no handler may take the bus down
            if _cancelled_from_outside():
                message.broken_off += 1
                raise
            return self._after(wrong, message)
        await message.ack()
        return None

    def _handle(self, message: Message) -> Coroutine[Any, Any, deque[Envelope]]:
        """Read `message` now; awaited, run its handler: the envelopes that follow."""
        if (begun := message.delivered + message.broken_off) > self._crashes:
            raise PermanentError(_KILLS.format(begun))
        envelope, event = opened(message, self._reader)
        message.id = envelope.id
        if message.delivered > 1 and message.attempt == message.delivered:
            self._meter.tenants[envelope.tenant].redelivered += 1
        if self._ledger is not None:
            self._ledger.refuse_too_old(envelope.time, self._bus.clock())
        run = self._run_suspected if message.inherited and self._suspects is not None else self._run
        if is_sampled(envelope.traceparent):
            return self._traced(run(message, envelope, event), envelope, message.attempt)
        return run(message, envelope, event)

    async def _traced(
        self, run: Coroutine[Any, Any, deque[Envelope]], envelope: Envelope, attempt: int
    ) -> deque[Envelope]:
        parent, name = envelope.traceparent or "", self._subscription.name
        with trying(parent, name, what=envelope.type, tenant=envelope.tenant, attempt=attempt):
            return await run

    async def _run_suspected(self, message: Message, envelope: Envelope, event: Event) -> deque[Envelope]:
        async with self._suspected(message, envelope, cast("Ledger", self._suspects)):
            return await self._run(message, envelope, event)

    @asynccontextmanager
    async def _suspected(self, message: Message, envelope: Envelope, ledger: Ledger) -> AsyncGenerator[None]:
        """Count how often a process begins with an event that was in the hands of one that died.

        Those that were begun with several times go one at a time: then only the one that kills is counted on.
        """
        whose = envelope.tenant, envelope.id, self._subscription.name
        async with AsyncExitStack() as alone:
            if (begun := await ledger.begun(*whose)) >= _CRASHES:
                await alone.enter_async_context(self._one)
            if begun - message.counted >= self._crashes:
                raise PermanentError(_KILLS.format(begun))
            if not message.counted:  # a process is counted once, however often it tries
                await ledger.begin(*whose)
                message.counted = True
            yield

    async def _follow(self, message: Message, envelope: Envelope, event: Event) -> deque[Envelope]:
        """Run the handler."""
        handling = self._subscription.handler(event, self._context(envelope, message))
        begun = perf_counter()
        try:
            returned = await self._timekeeper.within(handling)
        except Exception as wrong:
            self._meter.failed(envelope.tenant, begun)
            if not isinstance(wrong, Overdue):
                raise
            raise HandlerTooSlow(
                f"{self._subscription.name} took longer than the {self._policy.timeout:g} s that its policy allows."
            ) from None
        self._meter.handled(envelope.tenant, envelope.time, begun)
        if returned is None:
            return deque()
        return deque(self._following(envelope, each) for each in follow_ups(returned))

    async def _in_one(self, message: Message, envelope: Envelope, event: Event) -> deque[Envelope]:
        """Domain rows, inbox mark and follow-ups in one transaction; nothing is left to be stored after it."""
        ledger = cast("Ledger", self._ledger)
        async with ledger.transaction(envelope.tenant) as unit:
            if await unit.mark(self._outcome(message, ())):
                following = await self._follow(message, envelope, event)
                await unit.put([self._leaving(each) for each in following])
        message.committed = True
        return deque()

    def _outcome(self, message: Message, outbox: Iterable[Envelope]) -> Outcome:
        return Outcome(
            tenant=tenant_of(message),
            handler=self._subscription.name,
            event=message.id or derived("unread", message.address.stream, str(message.sequence)),
            outgoing=tuple(self._leaving(each) for each in outbox),
            fence=message.fence,
        )

    def _leaving(self, envelope: Envelope) -> Outgoing:
        """`envelope` for the outbox, in which nothing may be that the bus would never take."""
        leaving = outgoing(envelope)
        self._bus.admit(leaving)
        return leaving

    async def _committed(self, message: Message, wrong: Exception | None) -> None:
        """Go on with the message's lane, now that its outcome stands or does not."""
        again: float | None = _DEFECT_DELAY
        try:
            if wrong is None:
                await message.ack()
            again = None if wrong is None else self._after(wrong, message)
        finally:  # whatever happens, its lane must go on
            message.resume(again)

    async def _store(self, outbox: deque[Envelope]) -> None:
        while outbox:
            await self._bus.send(outbox[0])
            outbox.popleft()

    def _after(self, wrong: BaseException, message: Message) -> float:
        """Seconds until the next try; the error's class decides what it will be."""
        if message.outbox is not None and (message.given_up or isinstance(wrong, TransientError)):
            # The handler's outcome stands and only waits for the bus: it neither runs again nor costs an attempt.
            message.deferred += 1
            self._meter.tenants[tenant_of(message)].deferred += 1
            self._tell(message, wrong, "cannot store what follows; it tries to store that again")
            return backoff(self._policy, message.deferred)
        message.defects += isinstance(wrong, HandlerTooSlow) or not isinstance(wrong, HayaiError)
        if isinstance(wrong, PermanentError) or self._is_spent(message):
            self._give_up(wrong, message)
            return 0.0
        self._tell(message, wrong, "failed; it is tried again")
        self._meter.tenants[tenant_of(message)].again += 1
        message.outbox = None
        message.attempt += 1
        return backoff(self._policy, message.attempt - 1, wrong)

    def _is_spent(self, message: Message) -> bool:
        return message.attempt >= self._policy.attempts or message.defects >= self._policy.defects

    def _give_up(self, wrong: BaseException, message: Message) -> None:
        self._tell(message, wrong, "gave up; the event becomes a dead letter")
        message.given_up = True
        self._meter.tenants[tenant_of(message)].dead += 1
        if self._subscription.event.type == DeadLettered.type:
            message.outbox = deque()  # a dead letter's own dead letter would come back to this handler, for ever
            return
        name, version, bus = self._subscription.name, self._subscription.version, self._bus
        letter = dead_letter(message, wrong, name, version=version, codec=bus.codec, clock=bus.clock)
        message.outbox = deque([letter])

    def _following(self, cause: Envelope, follow_up: Keyed) -> Envelope:
        return wrap(
            follow_up.event,
            tenant=cause.tenant,
            source=f"{SOURCE}/{self._subscription.name}",
            codec=self._bus.codec,
            id=derived(cause.id, self._subscription.name, follow_up.event.type, follow_up.meaning),
            cause=cause,
            traceparent=current() if is_sampled(cause.traceparent) else None,
            now=self._bus.clock(),
        )

    def _context(self, envelope: Envelope, message: Message) -> Context:
        stream = partial(self._stream, envelope)
        name = self._subscription.name
        ledger = self._ledger
        effects = ledger.effects(envelope.tenant, envelope.id, name, fence=message.fence) if ledger else None
        declared = self._subscription.effects
        hold = partial(self._hold, envelope)
        return Context(envelope, name, message.attempt, self._tier, self._bus.clock, stream, effects, declared, hold)

    async def _hold(self, cause: Envelope, event: Event, at: datetime, meaning: str) -> None:
        name = derived(cause.id, self._subscription.name, event.type, meaning)
        await self._bus.publish_at(event, at, tenant=cause.tenant, schedule=name, id=name, cause=cause)

    async def _stream(self, envelope: Envelope, text: str) -> None:
        topic = live_topic(envelope.tenant, envelope.conversation or envelope.subject)
        await self._bus.signal(topic, json.dumps({"kind": "piece", "text": text}).encode())

    def _tell(self, message: Message, wrong: BaseException, what: str) -> None:
        _log.warning(
            "%s, try %d of %s %d: %s. %s",
            self._subscription.name,
            message.attempt,
            message.address.stream,
            message.sequence,
            what,
            explained(wrong),
        )


def _cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
