"""A busy key and a noisy tenant wait for themselves: others get by, in bounded memory, and order stays."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from itertools import count
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.streams import outgoing
from hayai.bus.turns import Turns
from hayai.envelope import wrap
from hayai.handlers import Policy
from hayai.ledger.outcome import Fence
from hayai.testing.bus_words import PATIENCE, BellRung, Ears
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from hayai.bus.consumer import Consumer
    from hayai.handlers import Context

WINDOW = 128
HOT, OTHERS = 5000, 200
_NUMBERS = count()


class SeenBus(NatsBus):
    """Lets a test see its consumers, who are alone in their partitions as those are who hold leases."""

    def __init__(self, settings: NatsSettings) -> None:
        super().__init__(settings)
        self._parked = 19 * settings.window
        self.consumers: list[Consumer] = []

    def _consumer(self, subscription: Any, delivery: Any, durable: Any, fence: Fence | None) -> Consumer:
        consumer = super()._consumer(subscription, delivery, durable, fence or Fence("test", 1))
        self.consumers.append(consumer)
        return consumer


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[SeenBus, None]:
    """A bus with a small window, stopped afterwards."""
    bus = SeenBus(NatsSettings.model_validate({"url": server.url, "ack_wait": 2, "window": WINDOW, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def ring(bus: NatsBus, number: int, *, key: str, tenant: str = "acme") -> None:
    """Publish events `number` of one key, numbered in order."""
    bells = [BellRung(number=next(_NUMBERS), who=key) for _ in range(number)]
    await bus.send_all(
        [outgoing(wrap(each, tenant=tenant, source="/test", codec=bus.codec, key=key)) for each in bells]
    )


async def until(enough: Callable[[], bool], seconds: float = 40) -> None:
    """Return once that is so."""
    async with asyncio.timeout(seconds):
        while not enough():  # noqa: ASYNC110 - it is told by no event
            await asyncio.sleep(0.01)


def assert_order(ears: Ears) -> None:
    """Each key's events were handled once and in order."""
    by_key: dict[tuple[str, str], list[int]] = {}
    for event, context in zip(ears.events, ears.contexts, strict=True):
        by_key.setdefault((context.envelope.tenant, context.envelope.subject), []).append(event.number)
    assert all(numbers == sorted(set(numbers)) for numbers in by_key.values())


async def test_a_hot_key_lets_two_hundred_others_by(server: NatsServer) -> None:
    """All keys behind 5,000 events of one key are done while that goes on; few bodies are held, and order stays."""
    most = 0

    async def work(_event: BellRung, _context: Context) -> None:
        nonlocal most
        most = max(most, *(each.in_hand for each in bus.consumers))
        await asyncio.sleep(0)

    ears = Ears(work)
    async with started(server) as bus:
        await ears.listen(bus)
        await bus.drain(1)
    async with started(server, window=512) as bus:
        await ring(bus, HOT, key="hot")
        for number in range(OTHERS):
            await ring(bus, 1, key=f"k{number}")
        await ears.listen(bus)
        await until(lambda: len(ears.events) >= HOT + OTHERS)
        consumer = bus.consumers[-1]
        last_other = max(place for place, event in enumerate(ears.events) if event.who != "hot")
        assert last_other < HOT / 2
        assert 256 < most <= 512
        assert (consumer.in_hand, consumer.parked) == (0, 0)
    assert_order(ears)


async def test_what_is_parked_is_given_back_when_a_process_leaves(server: NatsServer) -> None:
    """The next one gets all of it, in order, at once."""

    async def work(_event: BellRung, _context: Context) -> None:
        await asyncio.sleep(0.005)

    ears, next_ears = Ears(work), Ears()
    next_ears.name = ears.name
    async with started(server, ack_wait=30) as bus:
        await ears.listen(bus)
        await ring(bus, 400, key="hot")
        await until(lambda: len(ears.events) >= 20)
        assert bus.consumers[0].parked > 0
    async with started(server, ack_wait=30) as bus:
        await next_ears.listen(bus)
        await until(lambda: len(next_ears.events) + len(ears.events) >= 400, seconds=10)
    numbers = [*ears.numbers, *next_ears.numbers]
    assert numbers == sorted(set(numbers))


async def test_a_parked_event_that_leaves_its_stream_holds_nobody_up(server: NatsServer) -> None:
    """Those of its key that come after it are handled."""
    released = asyncio.Event()

    async def work(_event: BellRung, _context: Context) -> None:
        await released.wait()

    ears = Ears(work)
    async with started(server, ack_wait=0.5) as bus:
        await ears.listen(bus)
        await ring(bus, 300, key="hot")
        await until(lambda: bus.consumers[0].parked + bus.consumers[0].in_hand == 300)
        await bus._connection.request("$JS.API.STREAM.MSG.DELETE.EVENTS", b'{"seq": 250}', seconds=5)
        released.set()
        await until(lambda: len(ears.events) >= 299, seconds=PATIENCE)
    first = ears.numbers[0]
    assert ears.numbers == [number for number in range(first, first + 300) if number != first + 249]


async def test_a_noisy_tenant_does_not_slow_another(server: NatsServer) -> None:
    """Twenty times the events, over many keys, at a slow handler: the other's 95th percentile stays near its own."""
    waited: list[float] = []

    async def work(event: BellRung, context: Context) -> None:
        if context.envelope.tenant == "quiet":
            waited.append(time.monotonic() - float(event.who))
        await asyncio.sleep(0.02)

    async def quiet() -> float:
        waited.clear()
        for number in range(50):
            await bus.publish(BellRung(who=str(time.monotonic())), tenant="quiet", key=f"q{number % 10}")
            await asyncio.sleep(0.02)
        await until(lambda: len(waited) == 50)
        return quantiles(waited, n=20)[-1]

    async def noise() -> None:
        for number in range(20):
            for key in range(20):
                await ring(bus, 10, key=f"n{number % 2 * 20 + key}", tenant="noisy")
                await asyncio.sleep(0.006)  # more than is handled, and what waits of it fits into the siding

    ears = Ears(work)
    async with started(server) as bus:
        await ears.listen(bus, policy=Policy(concurrency=16))
        alone = await quiet()
        noisy = asyncio.create_task(noise())
        await asyncio.sleep(0.5)
        beside = await quiet()
        rest = sum(each.in_hand + each.parked for each in bus.consumers)
        await noisy
    assert rest > WINDOW  # the noise went on all the time
    assert beside < 10 * max(alone, 0.02)


async def test_tenants_take_turns_and_none_has_every_place() -> None:
    """One key of each in turn; at its most, a tenant waits for one of its own to be done."""
    turns = Turns([("a", "1"), ("a", "2"), ("a", "3"), ("b", "1")], most=lambda _tenant: 2)
    taken = [turns.popleft() for _ in range(3)]
    assert taken == [("a", "1"), ("b", "1"), ("a", "2")]
    assert not turns
    turns.done(("a", "1"))
    assert turns.popleft() == ("a", "3")
