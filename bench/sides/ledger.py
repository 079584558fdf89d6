"""The product with its ledger: an event's mark and what follows from it are committed before it is acknowledged."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bench.load import Booked, Confirmed, confirmed, envelope, subject
from bench.measure import Stopwatch
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.envelope import encode
from hayai.handlers import Subscription
from hayai.ledger.ledger import Ledger
from hayai.ledger.relay import Relay
from hayai.pools import Pool, connect
from hayai.ports.base import Settings
from hayai.ports.database import Address, Database, Role
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from hayai.handlers import Context
    from hayai.ledger.outcome import Outcome, Outgoing

_GLANCE = 0.002


class GivenDatabase(Database):
    """The addresses that the stage found: {"host", "port", "database", "users": {role: [user, password]}}."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.settings = Settings()
        self._given = given

    async def address(self, role: Role) -> Address:
        """Without TLS, as on one machine."""
        user, password = self._given["users"][role]
        given = self._given
        return Address(given["host"], given["port"], given["database"], user, SecretStr(password), tls=None)


class WatchedLedger(Ledger):
    """Tells which events' outcomes stand."""

    def __init__(self, pool: Pool, application: Pool, stands: Callable[[Sequence[Outcome]], None]) -> None:
        super().__init__(pool, application)
        self._stands = stands

    async def commit(self, outcomes: Sequence[Outcome]) -> set[str]:
        """Commit, then tell."""
        new = await super().commit(outcomes)
        self._stands(outcomes)
        return new


@asynccontextmanager
async def connected(
    url: str, database: dict[str, Any], stands: Callable[[Sequence[Outcome]], None]
) -> AsyncIterator[NatsBus]:
    """A started bus with a ledger."""
    given = GivenDatabase(database)
    async with AsyncExitStack() as stack:
        pools = Pool(given, role="ledger"), Pool(given)
        for pool in pools:
            await pool.start()
            stack.push_async_callback(pool.stop)
        bus = NatsBus(NatsSettings(url=url), ledger=WatchedLedger(*pools, stands))
        await bus.start()
        stack.push_async_callback(bus.stop)
        stack.push_async_callback(bus.drain, 2)
        yield bus


async def consume(*, url: str, name: str, events: int, database: dict[str, Any]) -> dict[str, float]:
    """Typed, ordered by key, one follow-up each; the clock runs from the first event to the last commit."""
    committed, done, watches = 0, asyncio.Event(), list[Stopwatch]()

    def stands(outcomes: Sequence[Outcome]) -> None:
        nonlocal committed
        committed += len(outcomes)
        if committed >= events:
            done.set()

    async def handle(event: Booked, context: Context) -> Confirmed:
        if not watches:
            watches.append(Stopwatch())
        return confirmed()

    async with connected(url, database, stands) as bus:
        await bus.subscribe(Subscription(name, Booked, handle), Tier({}))
        await done.wait()
        return watches[0].taken(events).told()


async def fill(*, events: int, database: dict[str, Any]) -> dict[str, float]:
    """Put `events` events into the outbox."""
    connection = await connect(GivenDatabase(database), "owner")
    made = map(envelope, range(events))
    rows = [(each.tenant, each.id, each.type, subject(number), encode(each)) for number, each in enumerate(made)]
    columns = ("tenant", "id", "type", "subject", "body")
    await connection.copy_records_to_table("outbox", schema_name="hayai", columns=columns, records=rows)
    await connection.execute("analyze hayai.outbox")
    await connection.close()
    return {}


async def relay(*, url: str, events: int, database: dict[str, Any]) -> dict[str, float]:
    """Publish an outbox that holds `events` rows; the clock runs until it is empty."""
    pool, bus, sent = Pool(GivenDatabase(database), role="ledger"), NatsBus(NatsSettings(url=url)), 0
    all_sent = asyncio.Event()

    async def send(several: Sequence[Outgoing]) -> None:
        nonlocal sent
        await bus.send_all(several)
        sent += len(several)
        if sent >= events:
            all_sent.set()

    await pool.start()
    await bus.start()
    relay, watch = Relay(pool, send), Stopwatch()
    await relay.start()
    await all_sent.wait()
    while (await pool.fetch("select exists (select from hayai.outbox)"))[0][0]:  # noqa: ASYNC110 - it is another's
        await asyncio.sleep(_GLANCE)
    taken = watch.taken(events)
    await relay.stop()
    await bus.stop()
    await pool.stop()
    return taken.told()
