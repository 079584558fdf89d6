"""How long handlers take: written by each process, read over all, for an hour; and what the doctor makes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.bus.memory import MemoryBus
from hayai.bus.pacing import Pacing
from hayai.errors import DatabaseUnfit
from hayai.handlers import Policy, Subscription
from hayai.ledger.pace import Pace, read_paces, write_paces
from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.runtime.assembly import components
from hayai.runtime.pace_checks import handler_times
from hayai.telemetry.histogram import Histogram
from hayai.testing.bus_words import BellRung, Ears

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.testing.postgres_server import PostgresServer, ServedDatabase


@pytest.fixture
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database of the test's own with every table."""
    database = postgres_server.database(postgres_server.create())
    asyncio.run(migrate(database, components()[0]))
    return database


@pytest.fixture
async def pool(database: ServedDatabase) -> AsyncIterator[Pool]:
    """The ledger's role."""
    pool = Pool(database, role="ledger")
    await pool.start()
    yield pool
    await pool.stop()


def _taking(*seconds: float, failed: int = 0) -> Pace:
    histogram = Histogram()
    for each in seconds:
        histogram.add(each)
    return Pace(histogram.counts, failed)


async def test_processes_are_added_up(pool: Pool) -> None:
    """What one says again takes the place of what it said."""
    await write_paces(pool, "one", {"ears": _taking(0.1, failed=1)})
    await write_paces(pool, "one", {"ears": _taking(0.1, 0.1, failed=2), "eyes": _taking(2)})
    await write_paces(pool, "two", {"ears": _taking(9, failed=1)})
    found = await read_paces(pool)
    assert {name: (pace.attempts, pace.failed) for name, pace in found.items()} == {"ears": (3, 3), "eyes": (1, 0)}
    assert 0.1 <= (found["ears"].within(0.5) or 0) < 0.12
    assert 9 <= (found["ears"].within(0.99) or 0) < 10.2


async def test_what_is_an_hour_old_goes(pool: Pool, database: ServedDatabase) -> None:
    """A process that is gone is forgotten."""
    await write_paces(pool, "one", {"ears": _taking(0.1)})
    database.server.sql("update hayai.pace set measured_at = now() - interval '61 minutes'", database.name)
    assert await read_paces(pool) == {}
    await write_paces(pool, "two", {"eyes": _taking(0.1)})
    assert database.server.sql("select string_agg(handler, ',') from hayai.pace", database.name).strip() == "eyes"


async def test_a_process_tells_of_its_last_two_turns(pool: Pool) -> None:
    """What was slow long ago is forgotten while the process lives."""
    bus, ears = MemoryBus(), Ears()
    name = await ears.listen(bus)
    pacing = Pacing(pool, bus, every=0.05, turn=0.3)
    await pacing.start()
    await bus.publish(BellRung(), tenant="acme")
    await _told(pool, {name: 1})
    await asyncio.sleep(1)
    await bus.publish(BellRung(), tenant="acme")
    await bus.publish(BellRung(), tenant="acme")
    await _told(pool, {name: 2})
    await pacing.stop()
    await bus.stop()


async def _told(pool: Pool, attempts: dict[str, int]) -> None:
    """Wait for it."""
    found: dict[str, int] | None = None
    async with asyncio.timeout(10):
        while found != attempts:
            await asyncio.sleep(0.02)
            found = {name: pace.attempts for name, pace in (await read_paces(pool)).items()}


async def test_a_database_without_the_table_says_what_to_run(pool: Pool, database: ServedDatabase) -> None:
    """A release before this one made it."""
    database.server.sql("drop table hayai.pace", database.name)
    with pytest.raises(DatabaseUnfit, match="hayai migrate"):
        await read_paces(pool)


def _ears(timeout: float) -> Subscription:
    return Subscription("ears", BellRung, Ears().hear, Policy(timeout=timeout))


@pytest.mark.parametrize(
    ("timeout", "seconds", "ok", "says"),
    [
        (10, 9.0, False, "ears takes 9."),
        (10, 0.1, True, "within the ack wait"),
        (100, 9.0, True, "outlast the ack wait of 5 s, and are kept by a sign of life every 1.7 s"),
    ],
)
def test_the_doctor_compares_the_slowest_of_a_hundred(timeout: float, seconds: float, ok: bool, says: str) -> None:
    """With the timeout, which cancels, and with the ack wait, which heartbeats outlive."""
    (found,) = handler_times([_ears(timeout)], {"ears": _taking(*[seconds] * 50)}, 5)
    assert (found.ok, says in found.says) == (ok, True), found.says


def test_the_doctor_draws_nothing_from_a_few_tries() -> None:
    """Nor from none."""
    (found,) = handler_times([_ears(10)], {"ears": _taking(9.9)}, 5)
    assert (found.ok, found.says) == (True, "no handler had 20 tries within the last hour")
