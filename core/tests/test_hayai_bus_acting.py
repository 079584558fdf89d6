"""Acting outside from a handler: what it declares is done once, and what it does not declare is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.bus.memory import MemoryBus
from hayai.effects import EffectKind
from hayai.migrations import migrate
from hayai.runtime.assembly import components
from hayai.testing.bus_install import ledgered_bus
from hayai.testing.bus_words import BellRung, Ears, letter_of
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hayai.bus.nats import NatsBus
    from hayai.handlers import Context
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

SMS = EffectKind("sms", unknown="again")


class Phone:
    """A handler's outward act, and how often it was done."""

    def __init__(self, kind: EffectKind) -> None:
        self.texts = 0
        self._kind = kind

    async def answer(self, _event: BellRung, context: Context) -> None:
        """Send a text through the ledger."""
        await context.once(self._kind, "reply", self._send)

    async def _send(self) -> None:
        self.texts += 1


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One server for all."""
    with NatsServer() as server:
        yield server


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database with every table."""
    database = postgres_server.database(postgres_server.create())
    found, _ = components()
    asyncio.run(migrate(database, found))
    return database


@pytest.fixture
async def bus(server: NatsServer, database: ServedDatabase) -> AsyncIterator[NatsBus]:
    """A started bus with its ledger."""
    async with ledgered_bus(server, database) as bus:
        yield bus


async def test_a_declared_act_is_done(bus: NatsBus) -> None:
    """By the kind's name and policy, whichever object says them."""
    phone = Phone(EffectKind("sms", unknown="again"))
    ears = Ears(phone.answer, effects=(SMS,))
    await ears.listen(bus)
    await bus.publish(BellRung(), tenant="acme")
    await ears.until(1)
    assert phone.texts == 1


@pytest.mark.parametrize("declared", [(), (EffectKind("call", "again"),), (EffectKind("sms", "ask"),)])
async def test_an_act_that_is_not_declared_is_refused(bus: NatsBus, declared: tuple[EffectKind, ...]) -> None:
    """None, another one, or one that treats an unknown outcome differently: nothing is done, and a letter says why."""
    phone = Phone(SMS)
    name = await Ears(phone.answer, effects=declared).listen(bus)
    await bus.publish(BellRung(), tenant="acme")
    _, letter = await letter_of(bus, name)
    assert (letter.error, letter.attempts, phone.texts) == ("HandlerMisdeclared", 1, 0)
    assert "EffectKind('sms', unknown='again')" in letter.explanation
    assert "`effects=[...]`" in letter.explanation


async def test_an_act_that_no_ledger_keeps_is_refused() -> None:
    """A bus without a database would do it again at each delivery."""
    phone, bus = Phone(SMS), MemoryBus()
    await bus.start()
    name = await Ears(phone.answer, effects=(SMS,)).listen(bus)
    await bus.publish(BellRung(), tenant="acme")
    _, letter = await letter_of(bus, name)
    await bus.stop()
    assert (letter.error, letter.attempts, phone.texts) == ("SettingsError", 1, 0)
