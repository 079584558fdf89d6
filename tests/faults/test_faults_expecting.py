"""Expectations under fire: an acknowledgement that is lost, a server that is killed, a cluster that others write to."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import nats
import nats.errors
import pytest
from nats.js.errors import ServiceUnavailableError

from hayai.bus.conflicts import EXPECTED
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import Conflict, Unavailable
from hayai.testing.bus_words import PATIENCE, BellRung
from hayai.testing.servers import NatsServer
from hayai.tokens import fresh
from tests.chaos.cluster import NatsCluster
from tests.chaos.switch import Switch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]
T = TypeVar("T")
_WORDS: dict[str, Any] = {"tenant": "acme", "key": "k"}


@asynccontextmanager
async def started(url: str, **settings: Any) -> AsyncGenerator[NatsBus]:
    """A bus with small streams."""
    small = {"url": url, "max_bytes": 64 * 1024**2, "dead_letter_bytes": 8 * 1024**2, "connect_deadline": 30}
    bus = NatsBus(NatsSettings.model_validate({**small, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def stored(url: str) -> list[tuple[str, int, str | None]]:
    """Each event in the stream: its id, its sequence, and what its publisher expected."""
    found: list[tuple[str, int, str | None]] = []
    async with await nats.connect(url.split(",")) as client:
        jetstream = client.jetstream()
        newest = (await led(partial(jetstream.stream_info, "EVENTS"))).state.last_seq
        for sequence in range(1, newest + 1):
            headers = (await led(partial(jetstream.get_msg, "EVENTS", sequence))).headers or {}
            found.append((headers["Nats-Msg-Id"], sequence, headers.get(EXPECTED)))
    return found


async def led(ask: Callable[[], Awaitable[T]]) -> T:
    """What the stream's leader answers, which has all of it; a cluster between two leaders is asked again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(ServiceUnavailableError, nats.errors.TimeoutError):
                return await ask()
            await asyncio.sleep(0.1)


async def first_of(bus: NatsBus) -> int:
    """The sequence of the key's first event, once it is stored."""
    for _ in range(int(PATIENCE / 0.02)):
        if seen := await bus.last(BellRung, **_WORDS):
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError(f"Nothing was stored within {PATIENCE:g} s.")


class Contender:
    """Publishes to a key that others publish to as well, and remembers what became of each event, by its id."""

    def __init__(self, bus: NatsBus) -> None:
        self._bus = bus
        self.kept: list[str] = []
        self.refused: list[str] = []

    async def expect(self, enough: asyncio.Event) -> None:
        """Publish events, each where nothing came since it looked."""
        while not enough.is_set():
            name, seen = fresh(), await self._told(partial(self._bus.last, BellRung, **_WORDS))
            try:
                await self._told(partial(self._bus.publish, BellRung(), id=name, expected=seen, **_WORDS))
            except Conflict:
                self.refused.append(name)
            else:
                self.kept.append(name)

    async def _told(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What becomes of it; whoever is not told says the very same again."""
        while True:
            try:
                return await ask()
            except Unavailable:
                await asyncio.sleep(0.1)

    async def insist(self, count: int) -> None:
        """Publish so many events, whatever comes in between."""
        for _ in range(count):
            self.kept.append((await self._bus.publish(BellRung(), **_WORDS)).id)
            await asyncio.sleep(0.005)


@asynccontextmanager
async def contention(several: list[Contender]) -> AsyncGenerator[None]:
    """All of them publish while this is open, and end with the event that they are at."""
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as working:
        for each in several:
            working.create_task(each.expect(enough))
        yield
        enough.set()


def judge(found: list[tuple[str, int, str | None]], contenders: list[Contender]) -> None:
    """What was acknowledged is there once, what was refused is not, and each came where its publisher expected."""
    kept = [name for each in contenders for name in each.kept]
    refused = [name for each in contenders for name in each.refused]
    print(f"{len(kept)} acknowledged, {len(refused)} refused")
    assert refused, "nobody was ever in anybody's way"
    assert sorted(kept) == sorted(name for name, _, _ in found)
    newest = 0
    for _, sequence, expected in found:
        assert expected in {None, str(newest)}, f"{sequence} was stored after {newest} and expected {expected}"
        newest = sequence


async def test_an_event_whose_acknowledgement_was_lost_is_no_conflict() -> None:
    """It is sent again on the next connection, where the server finds its own first try in the way."""
    with NatsServer() as server:
        async with Switch(server.port) as line, started(f"nats://127.0.0.1:{line.port}") as bus:
            line.is_deaf = True
            publishing = asyncio.create_task(bus.publish(BellRung(number=1), expected=0, **_WORDS))
            async with started(server.url) as elsewhere:
                seen = await first_of(elsewhere)
                await elsewhere.publish(BellRung(number=2), **_WORDS)
            assert not publishing.done()
            line.is_deaf = False
            line.point(server.port)
            sent = await publishing
        (first, sequence, _), _ = await stored(server.url)
        assert (first, sequence) == (sent.id, seen)


async def test_a_server_that_is_killed_makes_no_conflict_of_what_it_stored() -> None:
    """Three SIGKILLs while two publish to one key."""
    with NatsServer() as server:
        async with AsyncExitStack() as stack:
            both = [Contender(await stack.enter_async_context(started(server.url))) for _ in range(2)]
            async with contention(both):
                for _ in range(3):
                    await asyncio.sleep(0.2)
                    died = await asyncio.to_thread(server.kill)
                    await asyncio.to_thread(server.start)
                    assert server.server_id != died
        judge(await stored(server.url), both)


async def test_a_cluster_lets_nothing_slip_in_between() -> None:
    """Also what expects nothing, and is on its way to the replicas just then."""
    with NatsCluster() as cluster:
        urls = cluster.url.split(",")
        async with AsyncExitStack() as stack:
            several = [
                Contender(await stack.enter_async_context(started(urls[place % 3], replicas=3))) for place in range(6)
            ]
            async with contention(several[:3]):
                await asyncio.gather(*(each.insist(60) for each in several[3:]))
        judge(await stored(cluster.url), several)


async def test_a_cluster_that_loses_its_leader_makes_no_conflict_of_what_it_stored() -> None:
    """Twice, while three publish to one key; what was refused is in no server's stream when all are back."""
    with NatsCluster() as cluster:
        async with AsyncExitStack() as stack:
            several = [Contender(await stack.enter_async_context(started(cluster.url, replicas=3))) for _ in range(3)]
            async with contention(several):
                for _ in range(2):
                    await asyncio.sleep(0.2)
                    leader = await cluster.leader("EVENTS")
                    await asyncio.to_thread(leader.kill)
                    assert await cluster.leader("EVENTS", other=leader) is not leader
                    await asyncio.to_thread(leader.start)
                    await cluster.whole("EVENTS")
        judge(await stored(cluster.url), several)
