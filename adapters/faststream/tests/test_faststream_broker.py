"""HayaiBroker on a real server: events in and out of the house, redelivery, and streams that stay as they are."""

# Parameters' types are read at run time by FastStream, so this file has no lazy annotations.
import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from faststream import Depends
from faststream.exceptions import NackMessage

from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import PermanentError, TransientError, Unavailable
from hayai.event import Event
from hayai.handlers import Context, Handlers, Keyed, Policy
from hayai.testing.servers import NatsServer
from hayai.testing.spans import spans
from hayai.tier import Tier
from hayai_faststream.broker import HayaiBroker
from hayai_faststream.settling import EventEnvelope

HASTY = Policy(attempts=4, defects=3, first_delay=0.05, longest_delay=0.1)


class SlotBooked(Event, type="slot.booked", version=2):
    """What goes in."""

    person: str

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """The first had a name."""
        return {"person": data["name"]}


class SlotBookedFirst(Event, type="slot.booked", version=1):
    """As it was."""

    name: str


class ReminderDue(Event, type="reminder.due", version=1):
    """What comes out."""

    person: str


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One for all."""
    with NatsServer() as server:
        yield server


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[NatsBus]:
    """The house's own, which makes the streams."""
    bus = NatsBus(NatsSettings(url=server.url, ack_wait=2, heartbeat=0.2))
    await bus.start()
    yield bus
    await bus.drain(1)
    await bus.stop()


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """One for each test, so that none reads another's events."""
    return f"t{abs(hash(request.node.nodeid)) % 10**6}x"


@asynccontextmanager
async def running(broker: HayaiBroker) -> AsyncIterator[HayaiBroker]:
    """Started; a pull that is under way is not waited for."""
    try:
        await broker.start()
        yield broker
    finally:
        await broker.stop()


class Ear:
    """Hears one kind of event inside of the house."""

    def __init__(self, tenant: str) -> None:
        self.heard: asyncio.Queue[tuple[Any, Context]] = asyncio.Queue()
        self._tenant = tenant

    async def put(self, bus: NatsBus, event: type[Event]) -> None:
        """Subscribe."""
        group = Handlers(f"ear{self._tenant}")

        async def hear(event: Any, context: Context) -> None:
            if context.tenant == self._tenant:
                await self.heard.put((event, context))

        group.add(event, hear)
        for each in group:
            await bus.subscribe(each, Tier({}))

    async def next(self) -> tuple[Any, Context]:
        """The next one, within five seconds."""
        return await asyncio.wait_for(self.heard.get(), 5)


def _broker(server: NatsServer, tenant: str) -> HayaiBroker:
    return HayaiBroker(server.url, service=f"reports{tenant}", graceful_timeout=1)


async def test_a_trace_goes_through_a_service(server: NatsServer, bus: NatsBus, tenant: str) -> None:
    """From the house to the service's subscriber, to what that returns, and back to a handler of the house."""
    broker, ear = _broker(server, tenant), Ear(tenant)

    async def remind(booked: SlotBooked) -> ReminderDue:
        return ReminderDue(person=booked.person)

    broker.on(SlotBooked, HASTY, name="remind")(remind)
    await ear.put(bus, ReminderDue)
    with spans().recording():
        async with running(broker):
            booked = await bus.publish(SlotBooked(person="a"), tenant=tenant)
            _, context = await ear.next()
            ended = spans().ended
    service, sent = ended[f"process reports{tenant}_remind"], ended[f"send {SlotBooked.wire_type()}"]
    assert (service.trace, service.parent) == (sent.trace, sent.id)
    assert {(each.traceparent or "").split("-")[1] for each in (booked, context.envelope)} == {sent.trace}


async def test_an_event_from_outside_reaches_a_handler_inside(server: NatsServer, bus: NatsBus, tenant: str) -> None:
    """In the house's envelope; the same id again is stored once."""
    ear = Ear(tenant)
    await ear.put(bus, SlotBooked)
    async with running(_broker(server, tenant)) as broker:
        for _ in range(2):
            await broker.publish_event(SlotBooked(person="p1"), tenant=tenant, key="k1", id=f"once-{tenant}")
        await broker.publish_event(SlotBooked(person="p2"), tenant=tenant, key="k1")
    first, context = await ear.next()
    assert (first.person, context.envelope.subject, context.envelope.source) == ("p1", "k1", f"/reports{tenant}")
    assert (await ear.next())[0].person == "p2"


async def test_an_event_from_inside_reaches_a_service_and_what_it_returns_follows(
    server: NatsServer, bus: NatsBus, tenant: str
) -> None:
    """With injection, the envelope on request, older versions upcast, and the cause's id in what follows."""
    ear, broker = Ear(tenant), _broker(server, tenant)

    async def greeting(envelope: EventEnvelope) -> str:
        return envelope.type

    @broker.on(SlotBooked, HASTY, name="remind")
    async def remind(
        booked: SlotBooked, greeted: Annotated[str, Depends(greeting)], envelope: EventEnvelope
    ) -> list[Keyed[ReminderDue]]:
        if envelope.tenant != tenant:
            return []
        return [Keyed(ReminderDue(person=f"{booked.person} {greeted}"), each) for each in ("a", "b")]

    await ear.put(bus, ReminderDue)
    async with running(broker):
        cause = await bus.publish(SlotBookedFirst(name="p1"), tenant=tenant, key="k1")
        (one, context), (two, _) = await ear.next(), await ear.next()
    assert (one.person, two.person) == ("p1 slot.booked.v1",) * 2
    assert (context.envelope.cause, context.envelope.subject) == (cause.id, "k1")


@pytest.mark.parametrize("wrong", [TransientError("Later."), ValueError("Ada"), NackMessage()])
async def test_what_fails_comes_again_after_a_pause(
    server: NatsServer, bus: NatsBus, tenant: str, wrong: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Once here, then it succeeds; a stranger's error text reaches no log of ours."""
    tries, broker, done = list[float](), _broker(server, tenant), asyncio.Event()

    @broker.on(SlotBooked, HASTY, name="try")
    async def attempt(booked: SlotBooked, envelope: EventEnvelope) -> None:
        if envelope.tenant == tenant:
            tries.append(asyncio.get_running_loop().time())
            if len(tries) == 1:
                raise wrong
            done.set()

    async with running(broker):
        await bus.publish(SlotBooked(person="p1"), tenant=tenant)
        await asyncio.wait_for(done.wait(), 5)
    assert tries[1] - tries[0] >= 0.025
    assert not [line for line in caplog.messages if "Ada" in line]


async def test_what_is_the_same_the_next_time_ends(server: NatsServer, bus: NatsBus, tenant: str) -> None:
    """A PermanentError is not tried again; a defect as often as the policy says."""
    tries, broker = {"permanent": 0, "defect": 0}, _broker(server, tenant)

    @broker.on(SlotBooked, HASTY, name="fail")
    async def fail(booked: SlotBooked, envelope: EventEnvelope) -> None:
        if envelope.tenant == tenant:
            tries[booked.person] += 1
            raise PermanentError("No.") if booked.person == "permanent" else KeyError("Ada")

    async with running(broker):
        for each in tries:
            await bus.publish(SlotBooked(person=each), tenant=tenant)
        async with asyncio.timeout(5):
            while tries["defect"] < 3:  # noqa: ASYNC110 - a count is waited for
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
    assert tries == {"permanent": 1, "defect": 3}


async def test_a_long_handler_is_not_given_to_another(server: NatsServer, bus: NatsBus, tenant: str) -> None:
    """It tells the server that it works, for longer than the server would wait."""
    started, broker = list[str](), _broker(server, tenant)
    subscriber = broker.on(SlotBooked, HASTY, name="think")
    reading = broker._readings[subscriber]
    object.__setattr__(reading, "ack_wait", 0.6)
    subscriber.config.ack_wait = 0.6
    done = asyncio.Event()

    @subscriber
    async def think(booked: SlotBooked, envelope: EventEnvelope) -> None:
        if envelope.tenant == tenant:
            started.append(booked.person)
            await asyncio.sleep(1.5)
            done.set()

    async with running(broker):
        await bus.publish(SlotBooked(person="p1"), tenant=tenant)
        await asyncio.wait_for(done.wait(), 5)
        await asyncio.sleep(0.3)
    assert started == ["p1"]


async def test_the_houses_stream_stays_as_it_is(server: NatsServer, bus: NatsBus, tenant: str) -> None:
    """FastStream would declare streams at its start, and wipe their limits: here it is told not to."""
    broker = _broker(server, tenant)

    @broker.on(SlotBooked, name="look")
    async def look(booked: SlotBooked) -> None:
        """Nothing."""

    async def config() -> Any:
        return (await broker.config.connection_state.stream.stream_info("EVENTS")).config

    await broker.connect()
    before = await config()
    await broker.start()
    assert await config() == before
    await broker.stop()


async def test_a_plain_subscriber_is_left_to_faststream(server: NatsServer, bus: NatsBus, tenant: str) -> None:
    """Subjects of a service's own, beside the house's events."""
    broker, heard = _broker(server, tenant), asyncio.Queue[str]()

    @broker.subscriber(f"own.{tenant}")
    async def own(text: str) -> None:
        await heard.put(text)

    async with running(broker):
        await broker.publish("hello", f"own.{tenant}")
        assert await asyncio.wait_for(heard.get(), 5) == "hello"


async def test_without_a_stream_the_publisher_is_told(tenant: str) -> None:
    """A server without Hayai's streams acknowledges nothing."""
    with NatsServer() as bare:
        async with running(_broker(bare, tenant)) as broker:
            with pytest.raises(Unavailable, match="has a stream EVENTS"):
                await broker.publish_event(SlotBooked(person="p1"), tenant=tenant)
