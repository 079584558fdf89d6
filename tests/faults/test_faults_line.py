"""The line between a worker and the bus breaks, and what was on it is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.bus.nats import NatsBus, NatsSettings
from hayai.ledger.ledger import Ledger
from hayai.pools import Pool
from hayai.testing.bus_words import BellRung, Ears
from hayai.testing.ledger import ledger_database
from hayai.testing.servers import NatsServer
from tests.chaos.switch import Switch

if TYPE_CHECKING:
    from hayai.testing.postgres_server import PostgresServer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


async def test_what_was_lost_on_its_way_comes_before_what_was_published_later(postgres_server: PostgresServer) -> None:
    """The server thinks that the worker has it, and would wait for half a minute before it sends it again."""
    database = await asyncio.to_thread(ledger_database, postgres_server)
    pools = Pool(database, role="ledger"), Pool(database)
    for each in pools:
        await each.start()
    with NatsServer() as server:
        sender = NatsBus(NatsSettings(url=server.url))
        await sender.start()
        async with Switch(server.port) as line:
            worker = NatsBus(NatsSettings(url=f"nats://127.0.0.1:{line.port}", ack_wait=30), ledger=Ledger(*pools))
            await worker.start()
            ears = Ears()
            await ears.listen(worker)
            await sender.publish(BellRung(number=1), tenant="acme", key="k1")
            await ears.until(1)
            line.is_deaf = True
            await sender.publish(BellRung(number=2), tenant="acme", key="k1")
            await asyncio.sleep(0.3)
            line.is_deaf = False
            line.point(server.port)
            await sender.publish(BellRung(number=3), tenant="acme", key="k1")
            await ears.until(3)
            assert ears.numbers == [1, 2, 3]
            await worker.stop()
        await sender.stop()
    for each in pools:
        await each.stop()
