"""A post takes partitions and leaves them in any order, on a real server, and keeps none that it should not have."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from hayai.bus import jetstream
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import Unavailable
from hayai.handlers import Handlers
from hayai.ledger.outcome import Fence
from hayai.testing.bus_words import BRIEFLY, QUICK, BellRung, Ears
from hayai.testing.servers import NatsServer
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from nats.aio.msg import Msg

    from hayai.bus.post import Post
    from hayai.handlers import Context


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def posted(server: NatsServer, ears: Ears) -> AsyncGenerator[tuple[NatsBus, Post]]:
    """A bus and a post of `ears` with its place in the stream, at which nobody works yet."""
    bus = NatsBus(NatsSettings(url=server.url, ack_wait=2, heartbeat=0.2))
    await bus.start()
    group = Handlers(ears.name)
    group.add(BellRung, ears.hear, QUICK)
    (subscription,) = group
    post = bus._post(subscription, Tier({}))
    await post.found()
    try:
        yield bus, post
    finally:
        await post.drain(0)
        await bus.stop()


async def test_a_partition_that_is_left_while_it_is_taken_stays_left(server: NatsServer) -> None:
    """What was on its way to the server when it was left asks for nothing; who takes it next has all events."""
    ears = Ears()
    async with posted(server, ears) as (bus, post):
        taking = asyncio.create_task(post.take(0))
        await asyncio.sleep(0)
        await post.leave(0, seconds=1)
        await taking
        await bus.publish(BellRung(number=1), tenant="acme")
        await asyncio.sleep(BRIEFLY)
        assert ears.numbers == []
        await post.take(0)
        await ears.until(1)


async def test_a_lease_that_was_lost_is_not_worked_under_later(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server did not answer while the lease was ours; now it does."""
    monkeypatch.setattr(jetstream, "_SECONDS", 0.2)
    ears = Ears()
    async with posted(server, ears) as (bus, post):
        server.pause()
        taking = asyncio.create_task(post.take_soon(0, Fence("ears/0", 1), orphaned=False))
        await asyncio.sleep(0.4)
        await post.abandon(0)
        server.resume()
        await taking
        await bus.publish(BellRung(number=1), tenant="acme")
        await asyncio.sleep(BRIEFLY)
        assert ears.numbers == []


async def test_a_partition_that_is_lost_while_it_is_left_is_stopped_at_once(server: NatsServer) -> None:
    """Its handler had ten seconds to finish, and has none any more."""
    entered, broken_off = asyncio.Event(), asyncio.Event()

    async def linger(_event: BellRung, _context: Context) -> None:
        entered.set()
        try:
            await asyncio.sleep(60)
        finally:
            broken_off.set()

    async with posted(server, Ears(linger)) as (bus, post):
        await post.take(0)
        await bus.publish(BellRung(number=1), tenant="acme")
        await entered.wait()
        leaving = asyncio.create_task(post.leave(0, seconds=10))
        await asyncio.sleep(BRIEFLY)
        await post.abandon(0)
        assert broken_off.is_set()
        async with asyncio.timeout(3):
            await leaving


async def test_a_partition_is_taken_again_once_what_ran_there_has_stopped(server: NatsServer) -> None:
    """A handler takes a moment to be cancelled; until then the event is not handled a second time."""
    entered, at_once = asyncio.Event(), 0

    async def tidy_up(_event: BellRung, _context: Context) -> None:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        try:
            if not entered.is_set():
                entered.set()
                await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.3)
            at_once -= 1

    ears = Ears(tidy_up)
    async with posted(server, ears) as (bus, post):
        await post.take(0)
        await bus.publish(BellRung(number=1), tenant="acme")
        await entered.wait()
        abandoning = asyncio.create_task(post.abandon(0))
        await asyncio.sleep(0)
        await post.take_soon(0, Fence("ears/0", 2), orphaned=True)
        await abandoning
        await ears.until(1)
        assert [context.attempt for context in ears.contexts] == [1]


async def test_a_handler_whose_subscription_failed_is_run_by_nobody(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One partition was taken and another could not be: what is subscribed again must not share it with a ghost."""
    ears = Ears()
    group = Handlers(ears.name)
    group.add(BellRung, ears.hear, QUICK)
    (subscription,) = group
    bus = NatsBus(NatsSettings(url=server.url, ack_wait=2, heartbeat=0.2))
    await bus.start()

    async def staff(handler: str) -> None:
        await bus._posts[handler].take(0)
        raise Unavailable("Away.")

    monkeypatch.setattr(bus._shares, "staff", staff)
    with pytest.raises(Unavailable):
        await bus.subscribe(subscription, Tier({}))
    await bus.publish(BellRung(number=1), tenant="acme")
    await asyncio.sleep(BRIEFLY)
    assert ears.numbers == []
    await bus.stop()


@asynccontextmanager
async def hung(server: NatsServer, ears: Ears) -> AsyncGenerator[list[bytes]]:
    """A process that has asked for ten events of `ears`, is connected still, and does nothing; what it was sent."""
    sent: list[bytes] = []

    async def receive(message: Msg) -> None:
        sent.append(message.data)

    client = Client()
    await client.connect(server.url)
    await client.subscribe("hung", cb=receive)
    asked = f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{ears.name}_hear_0"
    await client.publish(asked, json.dumps({"batch": 10, "expires": 30_000_000_000}).encode(), reply="hung")
    await client.flush()
    yield sent
    await client.close()


async def test_a_process_that_hangs_is_sent_nothing_more_once_its_partition_is_taken_over(server: NatsServer) -> None:
    """Its requests wait on the server; what is published next comes to us, in order."""
    ears = Ears()
    async with posted(server, ears) as (bus, post), hung(server, ears) as sent:
        await bus.publish(BellRung(number=0), tenant="acme", key="k")
        await post.take_soon(0, Fence("ears/0", 2), orphaned=True)
        for number in range(1, 5):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await ears.until(5)
        assert ears.numbers == [0, 1, 2, 3, 4]
        assert len(sent) <= 2  # the first event, and word that the consumer is gone


async def test_who_dies_while_taking_over_loses_no_event(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old consumer is gone and the new one is not there yet: the next worker begins where it should, each time."""
    ears = Ears()
    async with posted(server, ears) as (bus, post), hung(server, ears):
        await bus.publish(BellRung(number=0), tenant="acme", key="k")
        delete = bus.jetstream.delete_consumer

        async def die(stream: str, name: str) -> None:
            await delete(stream, name)
            if name.endswith("_hear_0"):
                raise Unavailable("It died.")

        monkeypatch.setattr(bus.jetstream, "delete_consumer", die)
        with pytest.raises(Unavailable):
            await post.take(0, orphaned=True)
        monkeypatch.undo()
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        await post.found()
        found = await bus.jetstream.consumer("EVENTS", f"{ears.name}_hear_0")
        assert found is not None
        assert found["config"]["metadata"]["hayai-inherited"] == "1"  # that event may have killed somebody
        async with hung(server, ears):
            await post.take(0, orphaned=True)
            await ears.until(2)
        assert ears.numbers == [0, 1]


async def test_who_dies_before_taking_over_leaves_no_second_place_behind(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time that the next worker comes, there is nothing to be taken over any more."""
    ears = Ears()
    async with posted(server, ears) as (bus, post):
        delete = bus.jetstream.delete_consumer

        async def die(stream: str, name: str) -> None:
            if name.endswith("_hear_0"):
                raise Unavailable("It died.")
            await delete(stream, name)

        async with hung(server, ears):
            monkeypatch.setattr(bus.jetstream, "delete_consumer", die)
            with pytest.raises(Unavailable):
                await post.take(0, orphaned=True)
            monkeypatch.undo()
        await post.take(0, orphaned=True)
        assert [each["name"] for each in await bus.jetstream.consumers("EVENTS")] == [f"{ears.name}_hear_0"]


async def test_a_place_that_several_make_anew_at_once_is_there_at_any_time(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who leaves while it is still taking over may die at any step: of the consumer and its spare one is there."""
    ears = Ears()
    async with posted(server, ears) as (bus, post):
        await bus.publish(BellRung(number=0), tenant="acme", key="k")
        jetstream, (durable,) = bus.jetstream, post._durables
        delete, deleted, pauses = jetstream.delete_consumer, [], cycle((0, 0.02, 0.005))

        async def watch(stream: str, name: str) -> None:
            await asyncio.sleep(next(pauses))
            await delete(stream, name)
            deleted.append(name)
            names = [each["name"] for each in await jetstream.consumers("EVENTS")]
            assert f"{ears.name}_hear_0" in names or f"{ears.name}_hear_0_spare" in names

        monkeypatch.setattr(jetstream, "delete_consumer", watch)
        for _ in range(5):
            async with hung(server, ears):
                await asyncio.gather(durable.take_over(), durable.give_back(), durable.catch_up(lambda _: 0))
        assert deleted.count(f"{ears.name}_hear_0") >= 5
        assert await durable.unsettled() == 0
        await post.take(0)
        await ears.until(1)


async def test_what_is_left_while_the_server_is_away_is_left_in_disorder(server: NatsServer) -> None:
    """The server has not heard that it is given back: whoever comes next must ask for it first."""
    entered, lost = asyncio.Event(), asyncio.Event()

    async def linger(_event: BellRung, _context: Context) -> None:
        entered.set()
        await asyncio.sleep(60)

    ears = Ears(linger)
    async with posted(server, ears) as (bus, post):
        bus._connection.watch(lost.set, lambda: None)
        await post.take(0)
        await bus.publish(BellRung(number=1), tenant="acme")
        await entered.wait()
        server.kill()
        await lost.wait()
        assert await post.drain(0) == []
        assert not await post.leave(0, seconds=1)  # the lease's next round may want it to be left as well
        server.start()
        await bus._connection.ready(asyncio.get_running_loop().time() + 5)


async def test_what_was_handed_out_and_is_held_by_nobody_is_left_in_disorder(server: NatsServer) -> None:
    """As an event is that the server sends to a subscription which is ending: it would come after the later ones."""
    ears = Ears()
    async with posted(server, ears) as (bus, post), hung(server, ears) as sent:
        await bus.publish(BellRung(number=0), tenant="acme", key="k")
        await asyncio.sleep(BRIEFLY)
        assert len(sent) == 1
        await post.take(0)
        assert not await post.leave(0, seconds=1)


async def test_what_was_orphaned_stays_so_until_it_is_taken_over(server: NatsServer) -> None:
    """Left before that, it is left in disorder; after it, in order."""
    ears = Ears()
    async with posted(server, ears) as (_, post):
        taking = asyncio.create_task(post.take_soon(0, Fence("ears/0", 1), orphaned=True))
        await asyncio.sleep(0)
        assert not await post.leave(0, seconds=1)
        await taking
        await post.take_soon(0, Fence("ears/0", 2), orphaned=True)
        assert await post.leave(0, seconds=1)


async def test_nothing_is_asked_for_while_the_partition_may_be_anothers(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped wakes up: it asks only once its lease turns out to be its own still."""
    ears, ours = Ears(), True
    async with posted(server, ears) as (bus, post):
        monkeypatch.setattr(bus._shares, "are_ours", lambda _fence: ours)
        ours = False
        await post.take(0)
        await bus.publish(BellRung(number=1), tenant="acme")
        await asyncio.sleep(BRIEFLY)
        assert ears.numbers == []
        ours = True
        await ears.until(1)
