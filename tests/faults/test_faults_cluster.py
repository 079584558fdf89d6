"""A bus on a cluster that asks for a password: any one server may be down, from the start or from one moment on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.nats import NatsBus, NatsSettings
from hayai.testing.bus_words import BellRung, Ears
from tests.chaos.cluster import NatsCluster

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


@pytest.fixture
def cluster() -> Iterator[NatsCluster]:
    """Three servers."""
    with NatsCluster("me", "right") as cluster:
        yield cluster


@asynccontextmanager
async def started(url: str, **settings: Any) -> AsyncGenerator[NatsBus]:
    """A bus with small streams on three servers."""
    small = {"max_bytes": 64 << 20, "dead_letter_bytes": 16 << 20, "replicas": 3, "connect_deadline": 30}
    bus = NatsBus(NatsSettings.model_validate({"url": url, **small, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def test_the_server_that_we_know_dies_and_another_one_takes_our_password(cluster: NatsCluster) -> None:
    """The cluster names its other servers without credentials, and they ask for ours all the same."""
    await cluster.ready()
    known = cluster.servers[0]
    async with started(known.url.replace("//", "//me:right@")) as bus:
        ears = Ears()
        await ears.listen(bus)
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.until(1)
        await asyncio.to_thread(known.kill)
        await bus.publish(BellRung(number=2), tenant="acme")
        await ears.until(2)
        assert ears.numbers == [1, 2]


async def test_a_process_starts_while_the_first_of_its_servers_is_down(cluster: NatsCluster) -> None:
    """The next address is taken, and the others are waited for while they choose a leader, should it have been that."""
    await cluster.ready()
    cluster.servers[0].kill()
    several = ",".join(each.url.replace("//", "//me:right@") for each in cluster.servers)
    async with started(several) as bus:
        await bus.publish(BellRung(number=1), tenant="acme")
