"""HayaiBroker: a FastStream NATS broker that publishes and reads events in the house's envelope, for services outside.

It asks for no database: what a handler returns is published before its event is acknowledged, under derived ids, so
that a redelivery stores nothing twice. It keeps no order of keys and no lanes; a router inside of the house has both.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import nats.errors
from faststream import AckPolicy
from faststream.nats import ConsumerConfig, JStream, NatsBroker, PullSub

from hayai.bus.streams import stream_of, subject_of
from hayai.clock import system_clock
from hayai.envelope import CONTENT_TYPE, PlainCodec, encode, wrap
from hayai.errors import Unavailable
from hayai.handlers import Policy, follow_ups
from hayai.telemetry.trace import sending
from hayai.tokens import derived, token
from hayai_faststream.returned import following
from hayai_faststream.settling import Reading, Settling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faststream.nats.subscriber.usecases import PullStreamSubscriber

    from hayai.clock import Clock
    from hayai.envelope import Codec, Envelope
    from hayai.event import Event

_ACK_SECONDS = 5.0


class HayaiBroker(NatsBroker):
    """`broker.on(AppointmentBooked)` reads, `broker.publish_event(...)` publishes; all else is FastStream's.

    `service` names the durable consumers and the source of what is published: an opaque token. Further `options` are
    NatsBroker's. Streams are the house's: this broker neither creates nor changes one.
    """

    def __init__(
        self,
        servers: str | Iterable[str] = ("nats://localhost:4222",),
        *,
        service: str,
        codec: Codec | None = None,
        clock: Clock = system_clock,
        middlewares: Iterable[Any] = (),
        **options: Any,
    ) -> None:
        self.service = token(service, what="name of a service")
        self.house_codec = codec or PlainCodec()
        self._clock = clock
        self._readings: WeakKeyDictionary[Any, Reading] = WeakKeyDictionary()
        settling = partial(Settling, readings=self._readings, follow=self._follow)
        super().__init__(servers, middlewares=(settling, *middlewares), **options)

    def on(
        self, event: type[Event], policy: Policy | None = None, *, name: str, at_once: int = 10
    ) -> PullStreamSubscriber:
        """A subscriber of `event` in all its versions; decorate a function with it as with any of FastStream's.

        `name` is the handler's: the place is kept under SERVICE_NAME. `at_once` events are taken together, and the
        next when the last of them is done.
        """
        stream, policy = stream_of(event.type), policy or Policy()
        reading = Reading(f"{self.service}_{token(name, what='name of a handler')}", event, self.house_codec, policy)
        subscriber = self.subscriber(
            f"{stream.prefix}.*.*.*.{event.type}.*",
            stream=JStream(stream.name, declare=False),
            durable=reading.handler,
            pull_sub=PullSub(batch_size=at_once),
            config=ConsumerConfig(ack_wait=reading.ack_wait, max_deliver=-1),
            decoder=reading.decode,
            ack_policy=AckPolicy.MANUAL,
        )
        self._readings[subscriber] = reading
        return subscriber

    async def publish_event(
        self,
        event: Event,
        *,
        tenant: str,
        key: str | None = None,
        id: str | None = None,  # noqa: A002 - CloudEvents calls it id
        conversation: str | None = None,
        cause: Envelope | None = None,
    ) -> Envelope:
        """`event` in its envelope, durable once this returns; the same `id` again is stored once.

        Raises KeyNotOpaque, and Unavailable where no acknowledgement came: publish it again with the same id.
        """
        with sending(event.wire_type(), tenant=tenant, cause=cause.traceparent if cause else None) as traceparent:
            envelope = wrap(
                event,
                tenant=tenant,
                source=f"/{self.service}",
                codec=self.house_codec,
                key=key,
                id=id,
                conversation=conversation,
                cause=cause,
                traceparent=traceparent,
                now=self._clock(),
            )
            await self._send(envelope)
        return envelope

    async def _send(self, envelope: Envelope) -> None:
        headers = {"content-type": CONTENT_TYPE, "Nats-Msg-Id": envelope.id}
        subject, stream = subject_of(envelope), stream_of(envelope.name).name
        try:
            await self.publish(encode(envelope), subject, headers, stream=stream, timeout=_ACK_SECONDS)
        except nats.errors.Error as wrong:
            raise Unavailable(
                f"The bus did not acknowledge {envelope.type} ({type(wrong).__name__}): check that the server runs and "
                f"has a stream {stream}, then publish it again with the same id."
            ) from wrong

    async def _follow(self, returned: Any, cause: Envelope, handler: str) -> None:
        for each in follow_ups(following(returned, (), handler)):
            identity = derived(cause.id, handler, each.event.type, each.meaning)
            await self.publish_event(each.event, tenant=cause.tenant, id=identity, cause=cause)
