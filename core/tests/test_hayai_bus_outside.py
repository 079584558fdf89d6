"""The bus from outside: a script publishes, a service subscribes, and every refusal says what to do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

import hayai
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import Conflict, HandlerMisdeclared, MessageTooLarge, SettingsError, Unavailable
from hayai.handlers import Handlers, Policy
from hayai.testing.bus_words import PATIENCE, BellRung, DoorOpened, Ears
from hayai.testing.servers import NatsServer, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from hayai.event import Event
    from hayai.handlers import Context


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """One server for each test."""
    with NatsServer() as server:
        yield server


@asynccontextmanager
async def house(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus, None]:
    """Hayai's own bus, which keeps the streams."""
    bus = NatsBus(NatsSettings.model_validate({"url": server.url, "ack_wait": 2, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


def group(ears: Ears, event: type[Event] = BellRung, name: str = "reports", policy: Policy | None = None) -> Handlers:
    """The ears as a group of that name."""
    handlers = Handlers(name)
    handlers.add(event, ears.hear, policy)
    return handlers


async def streams(server: NatsServer) -> dict[str, Any]:
    """Each stream's configuration on the server."""
    client = Client()
    await client.connect(server.url)
    answer = json.loads((await client.request("$JS.API.STREAM.LIST", b"", timeout=5)).data)
    await client.close()
    return {each["config"]["name"]: each["config"] for each in answer["streams"] or []}


async def test_what_a_script_publishes_reaches_the_house_and_its_answer_the_script(server: NatsServer) -> None:
    """Both ways, over four partitions that the script was not told of, with ids, order and follow-ups as inside."""

    async def answer(event: BellRung, _context: Context) -> DoorOpened:
        return DoorOpened(number=event.number)

    inside, outside = Ears(answer), Ears()
    async with house(server, partitions=4) as bus, hayai.connect(server.url) as script:
        await inside.listen(bus)
        await script.run(group(outside, DoorOpened))
        sent = [await script.publish(BellRung(number=n), tenant="acme", key=f"k{n % 3}") for n in range(12)]
        await outside.until(12)
        assert {each.envelope.id for each in inside.contexts} == {each.id for each in sent}
        assert {each.envelope.cause for each in outside.contexts} == {each.id for each in sent}
        for key in range(3):
            assert [number for number in inside.numbers if number % 3 == key] == list(range(key, 12, 3))


async def test_a_script_publishes_only_where_nothing_came_first(server: NatsServer) -> None:
    """Whatever the partition, the house and the script are in each other's way, and nobody else is."""
    async with house(server, partitions=4) as bus, hayai.connect(server.url) as script:
        for key in ("k0", "k1", "k2", "k3"):
            seen = await script.last(BellRung, tenant="acme", key=key)
            await bus.publish(BellRung(number=1), tenant="acme", key=key, expected=seen)
            with pytest.raises(Conflict):
                await script.publish(BellRung(number=2), tenant="acme", key=key, expected=seen)
            seen = await script.last(BellRung, tenant="acme", key=key)
            await script.publish(BellRung(number=3), tenant="acme", key=key, expected=seen)


async def test_a_service_that_starts_again_goes_on_where_it_was(server: NatsServer) -> None:
    """What was published while it was away is there when it is back, once."""
    async with house(server) as bus:
        ears = Ears()
        for number in range(2):
            async with hayai.connect(server.url) as service:
                await service.run(group(ears))
                await bus.publish(BellRung(number=number), tenant="acme", key="k")
                await ears.until(2 * number + 1)
            await bus.publish(BellRung(number=number + 10), tenant="acme", key="k")
        async with hayai.connect(server.url) as service:
            await service.run(group(ears))
            await ears.until(4)
    assert ears.numbers == [0, 10, 1, 11]


async def test_a_handler_outside_takes_no_events_from_its_namesake_inside(server: NatsServer) -> None:
    """Both hear every event: the place of each is its own."""
    inside, outside = Ears(), Ears()
    async with house(server) as bus, hayai.connect(server.url) as service:
        (subscription,) = group(inside)
        await bus.subscribe(subscription, hayai.Tier({}))
        await service.run(group(outside))
        for number in range(4):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await inside.until(4)
        await outside.until(4)


async def test_streams_are_left_exactly_as_they_are(server: NatsServer) -> None:
    """Whatever the settings of the house were, and whatever an operator made of them."""
    async with house(server, partitions=2, max_bytes=1 << 20, duplicate_window=60):
        before = await streams(server)
        async with hayai.connect(server.url) as script:
            await script.run(group(Ears()))
            await script.publish(BellRung(), tenant="acme")
        assert await streams(server) == before


async def test_a_server_without_hayais_streams_is_told_and_gets_none(server: NatsServer) -> None:
    """One sentence, and no stream afterwards."""
    with pytest.raises(Unavailable, match=r"has no stream \w+: start Hayai first, or check the url\.$"):
        await _entered(server.url)
    assert await streams(server) == {}


async def test_somebody_elses_stream_is_not_taken_for_hayais(server: NatsServer) -> None:
    """Streams of our names that part nothing are no Hayai's."""
    client = Client()
    await client.connect(server.url)
    for name in ("EVENTS", "DEADLETTERS"):
        config = {"name": name, "subjects": [f"{name}.>"]}
        await client.request(f"$JS.API.STREAM.CREATE.{name}", json.dumps(config).encode())
    await client.close()
    with pytest.raises(Unavailable, match="is not one that Hayai made: check the url"):
        await _entered(server.url)


async def _entered(url: str) -> None:
    async with hayai.connect(url, connect_deadline=1):
        pytest.fail("It was let in.")


async def test_nobody_at_the_address_is_one_sentence() -> None:
    """The address without the password."""
    port = free_port()
    with pytest.raises(Unavailable) as refused:
        await _entered(f"nats://app:hush@127.0.0.1:{port}")
    assert str(refused.value) == f"No NATS server answers at 127.0.0.1:{port}: start Hayai first, or check the url."


async def test_wrong_credentials_are_one_sentence() -> None:
    """And say where they stand, not what they are."""
    with NatsServer("authorization { user: app, password: right }") as server:
        for credentials in ("app:wrong@", ""):
            with pytest.raises(Unavailable, match="refuses these credentials: correct user and password") as refused:
                await _entered(f"nats://{credentials}127.0.0.1:{server.port}")
            assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "bus.example:4222", "http://bus.example", "nats://", "nats://h:port", "nats://[x"])
async def test_what_is_no_address_is_refused_unrepeated(url: str) -> None:
    """Before anything is opened."""
    with pytest.raises(SettingsError, match="write it as nats://user:password@host:port"):
        await _entered(url)


async def test_a_full_stream_and_a_large_event_are_refused_in_sentences(server: NatsServer) -> None:
    """The publisher waits for neither: both say what to do."""
    async with house(server, max_bytes=4096), hayai.connect(server.url) as script:
        with pytest.raises(MessageTooLarge, match=r"bell\.rung\.v2 has .* keep large content elsewhere"):
            await script.publish(BellRung(who="x" * (2 << 20)), tenant="acme")
        with pytest.raises(Unavailable, match=r"no room for bell\.rung\.v2"):
            await asyncio.gather(*(script.publish(BellRung(who="x" * 500), tenant="acme") for _ in range(20)))


async def test_a_transactional_handler_is_refused_outside(server: NatsServer) -> None:
    """There is no ledger to share a transaction with."""
    async with house(server), hayai.connect(server.url) as service:
        with pytest.raises(HandlerMisdeclared, match="install it as a plugin"):
            await service.run(group(Ears(), policy=Policy(transactional=True)))


async def test_publishing_survives_the_death_of_the_server(server: NatsServer) -> None:
    """What is published while it is away is acknowledged when it is back, and heard once."""
    async with house(server) as bus, hayai.connect(server.url) as script:
        ears = Ears()
        await ears.listen(bus)
        await script.publish(BellRung(number=1), tenant="acme", key="k")
        await ears.until(1)
        await asyncio.to_thread(server.kill)
        waiting = asyncio.create_task(script.publish(BellRung(number=2), tenant="acme", key="k"))
        await asyncio.to_thread(server.restart)
        await asyncio.wait_for(waiting, PATIENCE)
        await ears.until(2)
        assert ears.numbers == [1, 2]


SERVICE = """
import asyncio, sys
import hayai
from hayai.testing.bus_words import BellRung

handlers = hayai.Handlers("printer")

@handlers.on(BellRung)
async def tell(event: BellRung, context: hayai.Context) -> None:
    print("begun", flush=True)
    await asyncio.sleep(0.5)
    print("heard", event.number, flush=True)

async def main() -> None:
    async with hayai.connect(sys.argv[1]) as bus:
        await bus.run(handlers)
        await bus.publish(BellRung(number=5), tenant="acme", key="k")
        asyncio.get_running_loop().call_soon(print, "waits")  # once the signals are listened to
        await bus.until_stopped()
    print("left")

asyncio.run(main())
"""


async def test_a_service_of_its_own_ends_in_good_order_at_sigterm(server: NatsServer) -> None:
    """A plain script in its own process: what it has begun it finishes, and it leaves with status 0."""
    async with house(server):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SERVICE,
            server.url,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        said = {await asyncio.wait_for(process.stdout.readline(), PATIENCE) for _ in range(2)}
        assert said == {b"waits\n", b"begun\n"}
        process.send_signal(signal.SIGTERM)
        rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert (rest, process.returncode) == (b"heard 5\nleft\n", 0)


def test_the_face_loads_the_nats_client_only_when_it_is_asked_for_connect() -> None:
    """`import hayai` stays light, and knows no other name by accident."""
    code = "import sys, hayai; assert 'nats' not in sys.modules; hayai.connect; assert 'nats' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(AttributeError, match="no attribute 'konnect'"):
        _ = getattr(hayai, "konnect")  # noqa: B009 - the type checkers know that it is not there
