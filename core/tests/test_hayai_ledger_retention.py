"""Retention on a real Postgres: what is too old goes and nothing else, by one process; what is older is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import EventTooOld, SettingsError
from hayai.ledger.ledger import Ledger
from hayai.ledger.retention import _CLAIM, DAYS, Retention, _clear
from hayai.testing.ledger import ledger_database, opened, outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.testing.ledger import Opened
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

ROWS = """
insert into hayai.inbox (tenant, event, handler, run, handled_at)
select 'acme', 'e' || day, 'answer', 'live', now() - make_interval(days => day) from generate_series(1, 400) day;
insert into hayai.effect (tenant, event, handler, kind, meaning, state, claim, done_at, claimed_at)
select 'acme', 'e' || day, 'answer', 'sms', '', case day when 399 then 'unknown' else 'done' end, 'c',
       case day when 399 then null else now() end, now() - make_interval(days => day) from generate_series(1, 400) day;
insert into hayai.suspect (tenant, event, handler, begun, begun_at)
select 'acme', 'e' || day, 'answer', 1, now() - make_interval(days => day) from generate_series(1, 400) day;
insert into hayai.refused (tenant, id, type, subject, body, error, refused_at)
select 'acme', 'e' || day, 't', 's', '', 'x', now() - make_interval(days => day) from generate_series(1, 400) day;
insert into hayai.event_index
select 'acme', 'e' || day, 't', 'k', null, null, 'EVENTS', day, now() - make_interval(days => day)
  from generate_series(1, 400) day;
insert into hayai.stored select 'EVENTS', 'now', current_date - day, 'acme', 1, 1 from generate_series(1, 500) day;
"""


@pytest.fixture
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """Tables with a row for each of the last four hundred days."""
    database = ledger_database(postgres_server)
    postgres_server.sql(ROWS, database.name)
    return database


@pytest.fixture
async def it(database: ServedDatabase) -> AsyncIterator[Opened]:
    """The ledger there."""
    async with opened(database) as it:
        yield it


async def left(it: Opened, table: str) -> int:
    """How many rows are in the table."""
    (row,) = await it.pool.fetch(f"select count(*) from hayai.{table}")
    return int(row["count"])


async def test_each_table_keeps_its_days(it: Opened) -> None:
    """The row of the last day is a moment too old; what is in doubt stays."""
    retention = Retention(it.pool, {"suspect": 2})
    for table in DAYS:
        await retention.clear(table)
    found = {table: await left(it, table) for table in DAYS}
    assert found == {"inbox": 34, "effect": 35, "suspect": 1, "refused": 364, "event_index": 364, "stored": 399}
    assert await it.pool.fetch("select from hayai.effect where state = 'unknown'")


async def test_a_large_table_is_cleared_in_one_pass_over_its_pages(it: Opened) -> None:
    """Thousands of pages, the old rows among the young."""
    await it.pool.fetch(
        "insert into hayai.inbox (tenant, event, handler, run, handled_at) select 'acme', 'x' || place, 'answer', "
        "'live', now() - make_interval(days => (place % 2) * 100) from generate_series(1, 40000) place"
    )
    retention = Retention(it.pool)
    assert await retention.clear("inbox") == 20000 + 366
    assert await retention.clear("inbox") == 0
    plan = await it.pool.fetch("explain " + _clear("inbox").replace("$3", "35"), "(0,0)", "(256,0)")
    assert any("Tid Range Scan" in row[0] for row in plan)


async def test_of_several_processes_one_clears_a_table_in_a_day(it: Opened) -> None:
    """The next day it is due again."""
    for _ in range(2):
        claims = await asyncio.gather(*(it.pool.fetch(_CLAIM, "inbox", 86_400.0) for _ in range(10)))
        assert sum(map(len, claims)) == 1
        await it.pool.fetch("update hayai.retention set begun_at = now() - interval '25 hours'")


async def test_at_work_it_clears_every_table_that_is_due(it: Opened) -> None:
    """And those alone."""
    await it.pool.fetch("update hayai.retention set begun_at = now() where table_name = 'refused'")
    retention = Retention(it.pool)
    await retention.start()
    async with asyncio.timeout(20):
        while await left(it, "event_index") != 364:  # noqa: ASYNC110 - the last of them, and nothing tells of it
            await asyncio.sleep(0.01)
    await retention.stop()
    assert [await left(it, table) for table in ("inbox", "effect", "suspect", "refused")] == [34, 35, 34, 400]


async def test_the_days_must_outlast_the_horizon(it: Opened) -> None:
    """Or what was done would be done again."""
    with pytest.raises(SettingsError, match="keep inbox for 31 days"):
        Retention(it.pool, {"inbox": 30})
    with pytest.raises(SettingsError, match="lower the horizon"):
        Retention(it.pool, horizon=timedelta(days=40))


async def test_an_event_from_beyond_the_horizon_is_refused(it: Opened) -> None:
    """With a sentence; a younger one is not."""
    now = datetime.now(UTC)
    ledger = Ledger(it.pool, it.application, horizon=timedelta(days=7))
    ledger.refuse_too_old(now - timedelta(days=6), now)
    with pytest.raises(EventTooOld, match="older than the 7 days"):
        ledger.refuse_too_old(now - timedelta(days=8), now)


async def test_what_was_removed_makes_room_for_new_marks(it: Opened) -> None:
    """A mark that is gone can be made again; that is why events that old are refused."""
    await Retention(it.pool).clear("inbox")
    assert await it.ledger.commit([outcome("e400"), outcome("e1")]) == {"e400"}
