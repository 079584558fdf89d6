"""NatsBus: the engine on NATS JetStream."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from hayai.bus.base import PLATFORM
from hayai.bus.batches import Batches
from hayai.bus.bookmarks import Bookmarks
from hayai.bus.combiner import Combiner
from hayai.bus.connection import Connection, patiently
from hayai.bus.consumer import Consumer
from hayai.bus.delivery import Delivery
from hayai.bus.durable import Durable
from hayai.bus.ground import ensure
from hayai.bus.jetstream import JetStream
from hayai.bus.letter import newest_letters
from hayai.bus.nats_expecting import NatsExpecting
from hayai.bus.pace import PARKED_WINDOWS, Claim, Pace
from hayai.bus.pieces import Pieces
from hayai.bus.post import Post
from hayai.bus.publisher import Publisher
from hayai.bus.schedules import NatsSchedules, Schedules
from hayai.bus.shares import Shares
from hayai.bus.streams import DEADLETTERS, EVENTS, configuration, outgoing, schedules_configuration, stream_of
from hayai.bus.tap import Tap
from hayai.clock import system_clock
from hayai.errors import HandlerMisdeclared, MessageTooLarge, Unavailable
from hayai.ports.base import Settings
from hayai.vocabulary.operations import ConsumerRecreated, DeadLettered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from hayai.bus.inbox import Inbox, Raw
    from hayai.bus.streams import Stream
    from hayai.bus.tap import Take
    from hayai.clock import Clock
    from hayai.envelope import Codec, Envelope
    from hayai.handlers import Policy, Subscription
    from hayai.ledger.ledger import Ledger
    from hayai.ledger.outcome import Fence, Outgoing
    from hayai.limits import Limits
    from hayai.tier import Tier

_log = logging.getLogger(__name__)
_DAY = 86_400.0
_GLANCE = 2.0
_FULL = 0.99


class NatsSettings(Settings):
    """The [bus] table of a tier file with adapter = "nats"; times in seconds."""

    url: str = Field(
        default="nats://127.0.0.1:4222",
        description="The NATS server's address, with user and password; a cluster's addresses with commas between.",
    )
    inbox: str = Field(default="_INBOX", description="The first words of the subjects on which answers come.")
    partitions: int = Field(default=1, ge=1, le=64, description="Into how many parts workers share the events.")
    replicas: int = Field(default=1, ge=1, le=5, description="On how many servers each event is kept.")
    max_bytes: int = Field(default=2 * 1024**3, gt=0, description="The most that the stream of events may hold.")
    dead_letter_bytes: int = Field(default=256 * 1024**2, gt=0, description="The most that the dead letters may take.")
    max_age_days: float = Field(default=365, gt=0, description="How long events and dead letters are kept.")
    duplicate_window: float = Field(default=600, ge=1, description="How long the same id is stored once.")
    ack_wait: float = Field(default=5, ge=0.5, description="After this silence another process gets the event.")
    window: int = Field(default=512, ge=1, description="The most events of one handler in one process's hands.")
    heartbeat: float = Field(default=5, ge=0.1, le=15, description="How often the server says that it is there.")
    publish_deadline: float = Field(default=30, gt=0, description="How long an event waits for its acknowledgement.")
    durability: Literal["strict", "trusting"] = Field(default="trusting", description="strict: no unsafe server.")
    monitor: str | None = Field(default=None, pattern=r"^http://[^/\s]+$", description="The server's http://host:8222.")
    outbox_horizon: float = Field(default=300, gt=0, description="How long the outbox may publish an event again.")
    connect_deadline: float = Field(default=10, gt=0, description="How long a start waits for the server.")
    express: bool = Field(default=False, description="The shorter way through nats-py; needs hayai[fast].")


class NatsBus(NatsExpecting, NatsSchedules):
    """Events in JetStream's streams; one consumer on the server for each handler."""

    Settings: ClassVar[type[Settings]] = NatsSettings

    def __init__(
        self,
        settings: NatsSettings,
        *,
        clock: Clock = system_clock,
        codec: Codec | None = None,
        ledger: Ledger | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, codec=codec, limits=limits)
        self._measures = settings
        self._connection = Connection(settings.url, inbox=settings.inbox, express=settings.express)
        self.jetstream = JetStream(self._connection)
        """The server's streams and consumers as such."""
        self._publisher = Publisher(self._connection, deadline=settings.publish_deadline)
        self._batches = Batches(self._connection, self._publisher)
        self._combiner = Combiner(self._publisher, Batches(self._connection, self._publisher))
        self.schedules = Schedules(self._connection, deadline=settings.publish_deadline)
        self.longest = timedelta(days=settings.max_age_days) * 0.99  # while the stream keeps it, and time to spare
        self._ledger = ledger
        self._parked = (PARKED_WINDOWS if ledger else 1) * settings.window
        self._posts: dict[str, Post] = {}
        self._shares = Shares(settings.partitions, self._posts, ledger)
        self._bookmarks = Bookmarks(self._posts, ledger.places() if ledger else None)

    async def start(self) -> None:
        """Connect and see that the streams are there.

        Raises Unavailable, and SettingsError where a stream on the server keeps less than the settings promise.
        """
        await self._connection.start(self._measures.connect_deadline)
        try:
            await self._publisher.start()
            await patiently(self.ensure_streams, self._measures.connect_deadline)
            await self._shares.start()
            self._bookmarks.start()
        except BaseException:
            await self._connection.stop()
            raise

    async def ensure_streams(self) -> None:
        """Create the streams that are missing; those that are there stay as they are, whatever their configuration."""
        await ensure(self.jetstream, self._declared())

    async def send(self, envelope: Envelope) -> None:
        """Store an envelope that is made already. Raises KeyNotOpaque, MessageTooLarge, Unavailable."""
        begun = perf_counter()
        await self._combiner.send(outgoing(envelope))
        self.meters.stored((envelope,), begun)

    def admit(self, outgoing: Outgoing) -> None:
        """Return where the bus would take an event of that size. Raises MessageTooLarge."""
        self._publisher.fits(outgoing.body, id=outgoing.id, what=outgoing.type)

    async def send_all(self, several: Sequence[Outgoing]) -> None:
        """Store many events that are encoded already, in batches where that pays."""
        begun = perf_counter()
        await self._batches.send(several)
        self.meters.stored(several, begun)

    def tap(self, stream: Stream, name: str, take: Take) -> Tap:
        """What reads everything in `stream`, from the first."""
        return Tap(self._connection, self.jetstream, stream, name=name, take=take)

    async def subscribe(self, subscription: Subscription, tier: Tier) -> None:
        """Run this handler from now until drain()."""
        if subscription.name in self._posts:
            raise HandlerMisdeclared(f"{subscription.name} runs here already: subscribe each handler once.")
        post = self._post(subscription, tier)
        self._posts[subscription.name] = post
        try:
            await post.found()
            await self._shares.staff(subscription.name)
        except BaseException:
            del self._posts[subscription.name]
            await post.give_up()
            raise

    def _post(self, subscription: Subscription, tier: Tier) -> Post:
        delivery = Delivery(subscription, tier, self, self._ledger)
        return Post(self._durables(subscription), partial(self._consumer, subscription, delivery))

    def _durables(self, subscription: Subscription) -> list[Durable]:
        return [
            Durable(
                self.jetstream,
                subscription,
                ensure_streams=self.ensure_streams,
                bookmarks=self._bookmarks,
                recreated=partial(self._recreated, subscription),
                partition=partition,
                ack_wait=self._measures.ack_wait,
                max_pending=self._measures.window + self._parked,
            )
            for partition in range(self._measures.partitions)
        ]

    def _consumer(
        self, subscription: Subscription, delivery: Delivery, durable: Durable, fence: Fence | None
    ) -> Consumer:
        return Consumer(
            self._connection,
            durable,
            work=delivery.work,
            recreated=partial(self._recreated, subscription),
            pace=self._pace(subscription.policy),
            claim=Claim(fence, partial(self._shares.are_ours, fence), partial(self._shares.confirm, fence)),
            seen=delivery.seen,
        )

    def _pace(self, policy: Policy) -> Pace:
        limits, most = self.limits, policy.concurrency
        return Pace(
            concurrency=most,
            window=self._measures.window,
            parked=self._parked,
            ack_wait=self._measures.ack_wait,
            heartbeat=self._measures.heartbeat,
            ordered=policy.order == "key",
            most_of_one=(lambda tenant: limits.in_flight(tenant, most)) if limits.settings.limits_in_flight else None,
        )

    async def _recreated(self, subscription: Subscription, after: int) -> None:
        name, stream = subscription.name, stream_of(subscription.event.type).name
        _log.warning("The consumer %s was lost and goes on after %d.", name, after)
        try:
            await self.publish(ConsumerRecreated(handler=name, stream=stream, resumed_after=after), tenant=PLATFORM)
        except Unavailable as wrong:
            _log.warning("That %s was lost could not be published: %s", name, wrong)

    async def dead_letters(
        self, *, tenant: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Envelope, DeadLettered]]:
        """The newest dead letters, newest first, out of the last 10000 of all tenants. Raises Unavailable."""
        return await newest_letters(self.jetstream, self.codec, tenant=tenant, limit=limit)

    async def signal(self, topic: str, piece: bytes) -> None:
        """An ephemeral piece to whoever listens to `topic` now. Raises MessageTooLarge."""
        if len(piece) > self._connection.max_payload:
            raise MessageTooLarge(f"A piece of {len(piece)} bytes is more than the bus carries: send it in parts.")
        if self._connection.is_ready:  # what nobody can hear now must not arrive late
            await self._connection.post(topic, piece)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """The pieces signalled on `topic` from entering to leaving the context."""
        pieces = Pieces()

        async def receive(message: Raw) -> None:
            pieces.put(message.data)

        inbox = await self._connection.listen(topic, receive)
        await self._connection.flush()  # the server has it now: a piece from elsewhere is heard
        try:
            yield pieces.read()
        finally:
            await inbox.close()

    async def answer(self, subject: str, act: Callable[[str], Awaitable[str]]) -> Inbox:
        """Answer what an operator's command asks on `subject`, word for word, until the inbox is closed."""

        async def receive(message: Raw) -> None:
            await self._connection.answer(message.reply, (await act(message.data.decode())).encode())

        return await self._connection.listen(subject, receive)

    async def check(self) -> None:
        """Return when the bus takes events now. Raises Unavailable with a sentence."""
        await self._connection.ready(asyncio.get_running_loop().time() + _GLANCE)
        if self._publisher.is_silent:
            raise self._publisher.silence()
        for stream in (EVENTS, DEADLETTERS):
            found = await self.jetstream.stream(stream.name)
            if found is None:
                raise Unavailable(f"The server has no stream {stream.name}: restart Hayai, which creates it.")
            limit = found["config"].get("max_bytes", -1)
            if 0 < limit * _FULL <= found["state"]["bytes"]:
                raise Unavailable(f"The stream {stream.name} is full: raise its max_bytes with `nats stream edit`.")

    async def drain(self, seconds: float) -> None:
        """Take no new events, let running handlers finish for at most `seconds`, give the rest back."""
        await self._bookmarks.stop()
        await self._shares.stop(seconds)
        self._posts.clear()
        if self._connection.is_ready:
            await self._connection.flush()

    async def stop(self) -> None:
        """Give back what runs and close the connection; safe to call twice."""
        await self.drain(0)
        await self._connection.stop()

    def _declared(self) -> list[dict[str, Any]]:
        measures = self._measures
        age, window, replicas = measures.max_age_days * _DAY, measures.duplicate_window, measures.replicas
        schedules = schedules_configuration(replicas=replicas, max_age=age, window=window)
        return [schedules] + [  # first: the stream of events draws from it
            configuration(
                stream,
                partitions=measures.partitions,
                replicas=replicas,
                max_bytes=size,
                max_age=age,
                window=window,
            )
            for stream, size in ((EVENTS, measures.max_bytes), (DEADLETTERS, measures.dead_letter_bytes))
        ]
