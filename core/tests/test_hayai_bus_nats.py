"""The engine on NATS JetStream keeps the bus's contract, on a real server."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

from hayai.bus import pull
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import SettingsError, Unavailable
from hayai.handlers import Policy
from hayai.testing.bus import BusContract
from hayai.testing.bus_words import PATIENCE, BellRung, DoorOpened, Ears, letter_of
from hayai.testing.servers import NatsServer, free_port
from hayai.tokens import fresh
from hayai.vocabulary.operations import ConsumerRecreated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

    from hayai.handlers import Context


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One server for the tests that leave it alive."""
    with NatsServer() as server:
        yield server


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[NatsBus]:
    """A started bus."""
    async with started(server) as bus:
        yield bus


@pytest.fixture
async def peer(server: NatsServer) -> AsyncIterator[NatsBus]:
    """Another bus on the same server."""
    async with started(server) as bus:
        yield bus


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus, None]:
    """A bus with short waits, stopped afterwards."""
    bus = NatsBus(NatsSettings.model_validate({"url": server.url, "ack_wait": 2, "heartbeat": 0.2, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


class TestNatsBus(BusContract):
    """BusContract, on JetStream."""

    @pytest.fixture
    def plant(self, server: NatsServer) -> Callable[[str, bytes], Awaitable[None]]:
        """Bytes straight into the stream."""

        async def plant(subject: str, body: bytes) -> None:
            await api(server, subject, body)

        return plant


async def api(server: NatsServer, subject: str, body: bytes = b"") -> dict[str, Any]:
    """What the server answers to another client."""
    client = Client()
    await client.connect(server.url)
    answer = await client.request(subject, body, timeout=5)
    await client.close()
    told: dict[str, Any] = json.loads(answer.data)
    return told


async def test_what_was_published_is_in_the_stream_when_publish_returns(server: NatsServer, bus: NatsBus) -> None:
    """On the subject that says tenant, key and type, under the envelope's id."""
    sent = await bus.publish(BellRung(number=1), tenant="acme", key="k")
    found = await api(
        server, "$JS.API.STREAM.MSG.GET.EVENTS", json.dumps({"last_by_subj": "ev.0.acme.k.bell.rung.v2"}).encode()
    )
    assert json.loads(b64decode(found["message"]["data"]))["id"] == sent.id


async def test_a_handler_that_outlasts_the_ack_wait_is_left_in_peace(server: NatsServer) -> None:
    """What runs, and what waits behind it in its lane, is kept alive on the server: no other process gets it."""

    async def work(_event: BellRung, _context: Context) -> None:
        await asyncio.sleep(0.8)

    async with started(server, ack_wait=0.5) as bus, started(server, ack_wait=0.5) as peer:
        ears, others = Ears(work), Ears()
        others.name = ears.name
        name = await ears.listen(bus)
        for number in (1, 2):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await until_pending(server, name, 2)
        await others.listen(peer)
        await ears.until(2)
        assert (ears.numbers, others.numbers) == ([1, 2], [])
        assert [context.attempt for context in ears.contexts] == [1, 1]


async def test_a_redelivery_of_what_is_in_work_starts_nothing(server: NatsServer) -> None:
    """A blocked process misses its heartbeats and gets the event again while its handler still runs."""
    async with started(server, ack_wait=0.5) as bus:

        async def block(_event: BellRung, _context: Context) -> None:
            until = time.monotonic() + 1.2
            while time.monotonic() < until:
                pass
            await asyncio.sleep(0.5)

        ears = Ears(block)
        name = await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme", key="k")
        await ears.until(1)
        await asyncio.sleep(0.3)
        assert ears.numbers == [1]
        assert (await api(server, f"$JS.API.CONSUMER.INFO.EVENTS.{name}_0"))["num_ack_pending"] == 0


async def test_a_consumer_that_is_deleted_is_made_again_and_reported(server: NatsServer, bus: NatsBus) -> None:
    """It goes on behind what was handled last; nothing that came meanwhile is lost, nothing is handled twice."""
    ears, reports = Ears(), Ears()
    name = await ears.listen(bus)
    await reports.listen(bus, ConsumerRecreated)
    for number in range(3):
        await bus.publish(BellRung(number=number), tenant="acme", key="k")
    await ears.until(3)
    assert (await api(server, f"$JS.API.CONSUMER.DELETE.EVENTS.{name}_0"))["success"]
    for number in range(3, 6):
        await bus.publish(BellRung(number=number), tenant="acme", key="k")
    await ears.until(6)
    await reports.until(1)
    assert ears.numbers == [0, 1, 2, 3, 4, 5]
    (report,) = reports.events
    assert (report.handler, report.stream, report.resumed_after > 0) == (name, "EVENTS", True)
    assert reports.contexts[0].tenant == "platform"


async def test_a_stream_that_is_made_anew_is_read_from_its_beginning_each_time(
    server: NatsServer, bus: NatsBus
) -> None:
    """Also where it has grown beyond the place that the handler had in the last one, which says nothing about it."""
    ears = Ears()
    name = await ears.listen(bus)
    for number in range(3):
        await bus.publish(BellRung(number=number), tenant="acme", key="k")
    await ears.until(3)
    config = (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"]
    for heard, first in ((3, 10), (11, 20)):
        assert (await api(server, "$JS.API.STREAM.DELETE.EVENTS"))["success"]
        await api(server, "$JS.API.STREAM.CREATE.EVENTS", json.dumps(config).encode())
        for number in range(first, first + 8):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await ears.until(heard + 8)
        assert ears.numbers[-8:] == list(range(first, first + 8))
    await api(server, f"$JS.API.CONSUMER.DELETE.EVENTS.{name}_0")
    await bus.publish(BellRung(number=30), tenant="acme", key="k")
    await ears.until(20)
    assert ears.numbers[-1] == 30


async def test_a_new_handlers_consumer_that_is_deleted_does_not_read_history(server: NatsServer, bus: NatsBus) -> None:
    """It goes on where it was created, not at the beginning of the stream."""
    await bus.publish(BellRung(number=1), tenant="acme", key="k")
    ears = Ears()
    name = await ears.listen(bus)
    await api(server, f"$JS.API.CONSUMER.DELETE.EVENTS.{name}_0")
    await bus.publish(BellRung(number=2), tenant="acme", key="k")
    await ears.until(1)
    assert ears.numbers == [2]


async def test_a_consumer_that_is_deleted_while_it_works_repeats_nothing(server: NatsServer, bus: NatsBus) -> None:
    """What is in work is not started again, and what was handled behind it is remembered."""
    released = asyncio.Event()

    async def hold_first(event: BellRung, _context: Context) -> None:
        if event.number == 0:
            await released.wait()

    ears = Ears(hold_first)
    name = await ears.listen(bus)
    for number in range(6):
        await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")
    await ears.until(5)
    await api(server, f"$JS.API.CONSUMER.DELETE.EVENTS.{name}_0")
    await bus.publish(BellRung(number=6), tenant="acme", key="k6")
    await ears.until(6)
    released.set()
    await ears.until(7)
    assert sorted(ears.numbers) == list(range(7))
    await until_pending(server, name, 0)


async def until_pending(server: NatsServer, name: str, count: int) -> None:
    """Return once the server waits for that many acknowledgements of that consumer."""
    for _ in range(int(PATIENCE / 0.05)):
        if (await api(server, f"$JS.API.CONSUMER.INFO.EVENTS.{name}_0"))["num_ack_pending"] == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} never owed {count} acknowledgements")


async def test_a_consumer_that_is_made_again_still_holds_what_is_in_work(
    server: NatsServer, bus: NatsBus, peer: NatsBus
) -> None:
    """When the work is broken off afterwards, another process gets that event, and only that one."""

    async def hang_on_first(event: BellRung, _context: Context) -> None:
        if event.number == 0:
            await asyncio.sleep(60)

    ears, others = Ears(hang_on_first), Ears()
    others.name = ears.name
    name = await ears.listen(bus)
    for number in range(3):
        await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")
    await ears.until(2)
    await api(server, f"$JS.API.CONSUMER.DELETE.EVENTS.{name}_0")
    await bus.publish(BellRung(number=3), tenant="acme", key="k3")
    await ears.until(3)
    await until_pending(server, name, 1)
    await bus.drain(0)
    await others.listen(peer)
    await others.until(1)
    await until_pending(server, name, 0)
    assert (ears.numbers, others.numbers) == ([1, 2, 3], [0])


async def test_an_idle_handler_asks_again_when_its_request_runs_out(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server holds one request for it at any time, however long nothing happens."""
    monkeypatch.setattr(pull, "_EXPIRES_SECONDS", 0.5)
    async with started(server) as bus:
        ears = Ears()
        name = await ears.listen(bus)
        for number in range(3):
            await asyncio.sleep(0.6)
            assert (await api(server, f"$JS.API.CONSUMER.INFO.EVENTS.{name}_0"))["num_waiting"] == 1
            await bus.publish(BellRung(number=number), tenant="acme")
            await ears.until(number + 1)


async def test_measures_that_changed_are_taken_over(server: NatsServer) -> None:
    """A handler keeps its place when the tier's ack_wait or window is another."""
    ears = Ears()
    async with started(server) as bus:
        name = await ears.listen(bus)
    async with started(server, ack_wait=3, window=10) as bus:
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.listen(bus)
        await ears.until(1)
    config = (await api(server, f"$JS.API.CONSUMER.INFO.EVENTS.{name}_0"))["config"]
    assert (config["ack_wait"], config["max_ack_pending"]) == (3_000_000_000, 20)


async def test_more_events_than_the_window_holds_are_all_handled(server: NatsServer) -> None:
    """A window of four asks again and again."""
    async with started(server, window=4) as bus:
        ears = Ears()
        await ears.listen(bus)
        await asyncio.gather(*(bus.publish(BellRung(number=n), tenant="acme", key=f"k{n % 5}") for n in range(100)))
        await ears.until(100)
        assert sorted(ears.numbers) == list(range(100))


async def test_an_event_that_kills_every_process_becomes_a_dead_letter(server: NatsServer, bus: NatsBus) -> None:
    """Handed over six times at least, and three times as often as a defect is tried: it is not begun again."""
    ears = Ears()
    name = await ears.listen(bus, policy=Policy(defects=1))
    await bus.drain(0)
    await bus.publish(BellRung(number=1), tenant="acme", key="k")
    await bus.publish(BellRung(number=2), tenant="acme", key="k")
    for _ in range(6):
        await give_back_one(server, name)
    await ears.listen(bus, policy=Policy(defects=1))
    await ears.until(1)
    _, letter = await letter_of(bus, name)
    assert ears.numbers == [2]
    assert letter.explanation.startswith("It was begun with 7 times and never settled")


async def give_back_one(server: NatsServer, name: str) -> None:
    """Take an event as another process would, and give it back at once."""
    client = Client()
    await client.connect(server.url)
    subscription = await client.subscribe("taken")  # pyright: ignore[reportUnknownMemberType]
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{name}_0", b'{"batch": 1}', reply="taken")
    message = await subscription.next_msg(PATIENCE)
    assert json.loads(message.data)["data"]["number"] == 1
    await client.publish(message.reply, b"-NAK")
    await client.flush()
    await client.close()


async def test_no_server_is_one_sentence() -> None:
    """It names the address, without the password in it, and what to do."""
    port = free_port()
    bus = NatsBus(NatsSettings(url=f"nats://me:secret@127.0.0.1:{port}", connect_deadline=0.5))
    with pytest.raises(Unavailable, match=rf"No NATS server takes us at 127\.0\.0\.1:{port} .*start it") as refused:
        await bus.start()
    assert "secret" not in str(refused.value)
    await bus.stop()


async def test_a_server_without_jetstream_is_one_sentence() -> None:
    """It answers, but keeps nothing."""
    with NatsServer(jetstream=False) as server:
        bus = NatsBus(NatsSettings(url=server.url))
        with pytest.raises(Unavailable, match="JetStream on"):
            await bus.start()
        await bus.stop()


async def test_a_refused_password_is_one_sentence() -> None:
    """And the bus does not try for ever."""
    with NatsServer('authorization { user: "me", password: "right" }') as server:
        bus = NatsBus(NatsSettings(url=server.url.replace("//", "//me:wrong@"), connect_deadline=1))
        with pytest.raises(Unavailable, match="Authorization Violation"):
            await bus.start()
        await bus.stop()


@pytest.mark.parametrize("word", ["retention", "discard", "storage"])
async def test_a_stream_that_keeps_less_is_refused_and_left_alone(word: str) -> None:
    """Law: nothing rewrites a stream. The sentence says what differs and how to change it."""
    other = {"retention": "workqueue", "discard": "old", "storage": "memory"}
    config = {"name": "EVENTS", "subjects": ["ev.>"], "retention": "limits", "discard": "new", "storage": "file"}
    with NatsServer() as server:
        await api(server, "$JS.API.STREAM.CREATE.EVENTS", json.dumps({**config, word: other[word]}).encode())
        before = (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"]
        bus = NatsBus(NatsSettings(url=server.url))
        with pytest.raises(SettingsError, match=rf"EVENTS .*{word} '{other[word]}' instead of '{config[word]}'"):
            await bus.start()
        await bus.stop()
        assert (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"] == before


async def test_limits_that_an_operator_set_are_reported_and_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """More room, or a shorter memory, is theirs to decide."""
    with NatsServer() as server:
        async with started(server, max_bytes=50_000_000) as bus:
            pass
        before = (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"]
        async with started(server, max_bytes=60_000_000) as bus:
            await bus.publish(BellRung(), tenant="acme")
        assert "EVENTS has limits of its own: max_bytes 50000000 instead of 60000000" in caplog.text
        assert (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"] == before


async def test_a_full_stream_refuses_and_says_what_to_do() -> None:
    """Nothing that was acknowledged is dropped to make room; once there is room again the bus goes on."""
    with NatsServer() as server:
        async with started(server, max_bytes=200_000) as bus:
            for _ in range(3):
                await bus.publish(BellRung(who="x" * 50_000), tenant="acme")
            with pytest.raises(Unavailable, match=r"no room for bell\.rung\.v2 .*free space .*max_bytes"):
                await bus.publish(BellRung(who="x" * 50_000), tenant="acme")
            config = (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"]
            await api(server, "$JS.API.STREAM.UPDATE.EVENTS", json.dumps({**config, "max_bytes": 900_000}).encode())
            await bus.publish(BellRung(who="x" * 50_000), tenant="acme")
            await bus.check()


async def test_checking_tells_of_a_stream_that_is_full_or_gone() -> None:
    """Before the next publisher finds out."""
    with NatsServer() as server:
        async with started(server, max_bytes=100_000) as bus:
            await bus.check()
            await asyncio.gather(
                *(bus.publish(BellRung(who="x" * 100), tenant="acme") for _ in range(300)), return_exceptions=True
            )
            with pytest.raises(Unavailable, match="EVENTS is full: raise its max_bytes"):
                await bus.check()
            await api(server, "$JS.API.STREAM.DELETE.EVENTS")
            with pytest.raises(Unavailable, match="no stream EVENTS: restart Hayai"):
                await bus.check()


async def test_follow_ups_wait_for_room_and_their_handler_does_not_run_again() -> None:
    """The handler's outcome stands; a full stream costs it no attempt and makes no dead letter."""
    with NatsServer() as server:
        async with started(server, max_bytes=100_000) as bus:

            async def open_door(event: BellRung, _context: Context) -> DoorOpened:
                await bus.publish(BellRung(number=-1, who="x" * 80_000), tenant="acme", id=filler)
                return DoorOpened(number=event.number)

            filler = fresh()
            ears, doors = Ears(open_door), Ears()
            await ears.listen(bus)
            await doors.listen(bus, DoorOpened)
            await bus.publish(BellRung(number=1, who="x" * 19_000), tenant="acme", key="k")
            await ears.until(1)
            await asyncio.sleep(0.3)
            assert doors.events == []
            config = (await api(server, "$JS.API.STREAM.INFO.EVENTS"))["config"]
            await api(server, "$JS.API.STREAM.UPDATE.EVENTS", json.dumps({**config, "max_bytes": 900_000}).encode())
            await doors.until(2)
            assert (sorted(doors.numbers), sorted(ears.numbers), await bus.dead_letters()) == ([-1, 1], [-1, 1], [])


async def test_an_event_that_causes_itself_ends_as_a_dead_letter(bus: NatsBus) -> None:
    """Each one follows from the one before; after 64 the next is refused in a sentence, and the loop stands still."""

    async def ring_again(event: BellRung, _context: Context) -> BellRung:
        return BellRung(number=event.number + 1)

    ears = Ears(ring_again)
    name = await ears.listen(bus)
    await bus.publish(BellRung(number=0), tenant="acme", key="loop")
    _, letter = await letter_of(bus, name)
    assert letter.error == "TooManyHops"
    assert "publish an event without a cause" in letter.explanation
    assert ears.numbers == list(range(65))
