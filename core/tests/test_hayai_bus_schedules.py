"""Schedules: an event comes when it is due, once, and not at all once it is cancelled; on both engines."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

import hayai
from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import KeyNotOpaque, MessageTooLarge, SettingsError, Unavailable
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.testing.clock import MovableClock
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from hayai.bus.schedules import SchedulingBus

SOON = timedelta(seconds=0.6)
A_WHILE = 1.2
"""Seconds after which what was due SOON would have come."""


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One server for the tests that leave it alive."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus, None]:
    """A bus with short waits, stopped afterwards."""
    bus = NatsBus(NatsSettings.model_validate({"url": server.url, "ack_wait": 2, "partitions": 3, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


@pytest.fixture(params=["memory", "nats"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[SchedulingBus]:
    """Each engine in turn."""
    if request.param == "memory":
        memory = MemoryBus()
        yield memory
        await memory.stop()
    else:
        async with started(request.getfixturevalue("server")) as nats:
            yield nats


def soon(bus: SchedulingBus) -> datetime:
    """An instant that a test can wait for."""
    return bus.clock() + SOON


async def test_an_event_comes_when_it_is_due_with_its_own_id(bus: SchedulingBus) -> None:
    """Through the normal path: in its envelope, with its key, cause and time, and not before that time."""
    ears, heard = Ears(), []

    async def note(_event: BellRung, context: hayai.Context) -> None:
        heard.append(context.now())

    ears._act = note
    await ears.listen(bus)
    cause = await bus.publish(DoorOpened(), tenant="acme", key="k")
    sent = await bus.publish_at(BellRung(number=1), soon(bus), tenant="acme", schedule="s1", cause=cause)
    await ears.until(1)
    (context,) = ears.contexts
    kept = context.envelope
    assert (kept.id, kept.subject, kept.cause, kept.tenant) == (sent.id, "k", cause.id, "acme")
    assert kept.time == sent.time
    assert heard[0] >= sent.time.replace(microsecond=sent.time.microsecond // 1000 * 1000)


async def test_what_is_due_already_comes_at_once(bus: SchedulingBus) -> None:
    """A reminder that was decided too late is late, not lost."""
    ears = Ears()
    await ears.listen(bus)
    await bus.publish_at(BellRung(number=1), bus.clock() - timedelta(days=1), tenant="acme", schedule="s2")
    await ears.until(1)


async def test_the_same_schedule_again_takes_the_place_of_the_one_before(bus: SchedulingBus) -> None:
    """One event comes: the last that was said."""
    ears = Ears()
    await ears.listen(bus)
    for number in (1, 2):
        await bus.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule="s3", id="the-reminder")
    await ears.until(1)
    await asyncio.sleep(A_WHILE)
    assert ears.numbers == [2]


async def test_what_is_cancelled_does_not_come(bus: SchedulingBus) -> None:
    """Another tenant's schedule of the same name does; to cancel what is not there is no error."""
    ears = Ears()
    await ears.listen(bus)
    for number, tenant in enumerate(("acme", "other")):
        await bus.publish_at(BellRung(number=number), soon(bus), tenant=tenant, schedule="s4")
    assert await bus.cancel("s4", tenant="acme") is None
    await bus.cancel("s4", tenant="acme")
    await bus.cancel("never", tenant="acme")
    await ears.until(1)
    await asyncio.sleep(A_WHILE)
    assert ears.numbers == [1]


async def test_a_cancellation_that_comes_too_late_is_no_error(bus: SchedulingBus) -> None:
    """What has come due already is not called back: to cancel it then is no error, and its event stays."""
    ears = Ears()
    await ears.listen(bus)
    await bus.publish_at(BellRung(number=1), bus.clock(), tenant="acme", schedule="s7")
    await ears.until(1)
    assert await bus.cancel("s7", tenant="acme", event=DoorOpened()) is not None
    assert ears.numbers == [1]


async def test_the_event_that_makes_it_moot_cancels_it(bus: SchedulingBus) -> None:
    """It is published like any other, with its own id and cause, and the schedule does not come."""
    bells, doors = Ears(), Ears()
    await bells.listen(bus)
    await doors.listen(bus, DoorOpened)
    due = await bus.publish_at(BellRung(), soon(bus), tenant="acme", schedule="s5", key="k")
    moot = await bus.cancel("s5", tenant="acme", event=DoorOpened(number=5), cause=due)
    await doors.until(1)
    await asyncio.sleep(A_WHILE)
    kept = doors.contexts[0].envelope
    assert moot is not None
    assert (kept.id, kept.subject, kept.cause) == (moot.id, "k", due.id)
    assert bells.events == []


async def test_the_same_moot_event_again_is_stored_once(bus: SchedulingBus) -> None:
    """Under its id, whichever way it comes."""
    doors = Ears()
    await doors.listen(bus, DoorOpened)
    for _ in range(2):
        await bus.cancel("s6", tenant="acme", event=DoorOpened(number=1), key="k", id="moot-1")
    await doors.until(1)
    await bus.publish(DoorOpened(number=1), tenant="acme", key="k", id="moot-1")
    await bus.publish(DoorOpened(number=2), tenant="acme", key="k")
    await doors.until(2)
    assert doors.numbers == [1, 2]


async def test_a_schedule_that_does_not_fit_is_refused(bus: SchedulingBus) -> None:
    """A name that is no token, a naive time, one beyond what is kept, more bytes than the bus carries."""
    at = soon(bus)
    with pytest.raises(KeyNotOpaque, match="The schedule is not an opaque token"):
        await bus.publish_at(BellRung(), at, tenant="acme", schedule="Ada's")
    with pytest.raises(KeyNotOpaque, match="The tenant"):
        await bus.cancel("s", tenant="a.b")
    with pytest.raises(ValueError, match="time of a schedule is a naive time"):
        await bus.publish_at(BellRung(), at.replace(tzinfo=None), tenant="acme", schedule="s")
    with pytest.raises(SettingsError, match=r"36[0-9] days ahead at most"):
        await bus.publish_at(BellRung(), at + timedelta(days=400), tenant="acme", schedule="s")
    with pytest.raises(MessageTooLarge):
        await bus.publish_at(BellRung(who="x" * (1 << 20)), at, tenant="acme", schedule="s")


async def test_the_memory_bus_goes_by_its_own_clock() -> None:
    """A test moves the clock and settles; in the order of their times, and nothing before."""
    clock = MovableClock()
    bus, ears = MemoryBus(clock=clock), Ears()
    await ears.listen(bus)
    for hours in (3, 1, 2):
        at = clock() + timedelta(hours=hours)
        await bus.publish_at(BellRung(number=hours), at, tenant="acme", schedule=f"s{hours}", key="k")
    for hours in range(3):
        await bus.settle()
        assert ears.numbers == list(range(1, hours + 1))
        clock.advance(timedelta(hours=1))
    await bus.settle()
    assert ears.numbers == [1, 2, 3]
    await bus.stop()


async def test_schedules_survive_the_death_of_the_server() -> None:
    """Of three the second is cancelled with an event; killed and away when they are due, it gives the others later."""
    with NatsServer() as server:
        async with started(server) as bus:
            bells, doors = Ears(), Ears()
            await bells.listen(bus)
            await doors.listen(bus, DoorOpened)
            for number in range(3):
                await bus.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule=f"s{number}")
            await bus.cancel("s1", tenant="acme", event=DoorOpened())
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(A_WHILE)
            await asyncio.to_thread(server.restart)
            await bells.until(2)
            await doors.until(1)
            await asyncio.sleep(A_WHILE)
            assert sorted(bells.numbers) == [0, 2]
            assert len(doors.events) == 1


async def test_what_came_due_waits_for_room_in_a_full_stream() -> None:
    """Nothing is dropped: it reaches its handler once somebody has made room."""
    with NatsServer() as server:
        async with started(server, max_bytes=4096) as bus:
            ears = Ears()
            await ears.listen(bus)
            with pytest.raises(Unavailable, match="no room"):
                await asyncio.gather(*(bus.publish(DoorOpened(number=n), tenant="acme") for n in range(30)))
            await bus.publish_at(BellRung(number=1, who="x" * 600), soon(bus), tenant="acme", schedule="s")
            await asyncio.sleep(A_WHILE)
            assert ears.events == []
            await _call(server, "STREAM.PURGE.EVENTS", {})
            await ears.until(1)


async def test_a_script_outside_schedules_and_cancels(server: NatsServer) -> None:
    """With the streams as the house made them."""
    ears = Ears()
    async with started(server) as bus, hayai.connect(server.url) as script:
        await ears.listen(bus)
        for number in (1, 2):
            await script.publish_at(BellRung(number=number), soon(bus), tenant="acme", schedule=f"o{number}")
        await script.cancel("o1", tenant="acme")
        await ears.until(1)
        await asyncio.sleep(A_WHILE)
        assert ears.numbers == [2]


async def test_without_the_stream_of_schedules_the_sentence_says_so() -> None:
    """At the deadline, as for any server that does not answer."""
    with NatsServer() as server:
        async with started(server, publish_deadline=0.5) as bus:
            await _call(server, "STREAM.DELETE.SCHEDULES", {})
            with pytest.raises(Unavailable, match="has the stream SCHEDULES, which Hayai creates"):
                await bus.publish_at(BellRung(), soon(bus), tenant="acme", schedule="s")


async def _call(server: NatsServer, verb: str, request: dict[str, Any]) -> None:
    client = Client()
    await client.connect(server.url)
    answer = json.loads((await client.request(f"$JS.API.{verb}", json.dumps(request).encode(), timeout=5)).data)
    await client.close()
    assert "error" not in answer, answer
