"""Ledger on a real Postgres: what is committed together, what counts once, and who may not commit any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from hayai.errors import Fenced, TenantWrong
from hayai.ledger.outcome import Fence, Outcome, Outgoing
from hayai.testing.ledger import ledger_database, opened, outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hayai.testing.ledger import Opened
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

NOTES = """
create table hayai.note (tenant text not null, text text not null);
alter table hayai.note enable row level security;
create policy tenant on hayai.note using (tenant = current_setting('hayai.tenant', true));
grant select, insert on hayai.note to hayai_application;
"""


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """The ledger's tables, and one of the application's."""
    database = ledger_database(postgres_server)
    postgres_server.sql(NOTES, database.name)
    return database


@pytest.fixture
def empty(database: ServedDatabase) -> Iterator[ServedDatabase]:
    """Nothing in them."""
    yield database
    database.server.sql("truncate hayai.inbox, hayai.outbox, hayai.lease, hayai.note", database.name)


@pytest.fixture
async def it(empty: ServedDatabase) -> AsyncIterator[Opened]:
    """A ledger with the lease `one` in its first epoch."""
    async with opened(empty) as it:
        await it.pool.fetch("insert into hayai.lease (name, epoch) values ('one', 1)")
        yield it


async def outbox(it: Opened) -> list[str]:
    """The ids of what is to be published, in order."""
    return [row["id"] for row in await it.pool.fetch("select id from hayai.outbox order by position")]


async def notes(it: Opened) -> list[str]:
    """What the application wrote for `acme`."""
    async with it.application.transaction("acme") as connection:
        return [row["text"] for row in await connection.fetch("select text from hayai.note")]


async def test_an_outcome_counts_once(it: Opened) -> None:
    """Its follow-ups are put once too, also where the second try came to something else."""
    first, second = outcome("e1", follow_ups=2), outcome("e2")
    assert await it.ledger.commit([first]) == {"e1"}
    assert await it.ledger.commit([first._replace(outgoing=outcome("other").outgoing), second]) == {"e2"}
    assert await outbox(it) == ["e1-0", "e1-1", "e2-0"]


async def test_a_double_within_a_batch_counts_once(it: Opened) -> None:
    """The first of the two stands."""
    double = outcome("e1")._replace(outgoing=outcome("other").outgoing)
    assert await it.ledger.commit([outcome("e1"), double]) == {"e1"}
    assert await outbox(it) == ["e1-0"]


async def test_the_same_event_is_another_for_another_tenant_handler_or_run(it: Opened) -> None:
    """Each has a mark of its own, and all may be in one batch."""
    first = outcome("e1", follow_ups=0)
    others = [first._replace(tenant="other"), first._replace(handler="remind"), first._replace(run="replay-1")]
    await it.ledger.commit([first])
    assert await it.ledger.seen("answer", [("acme", "e1"), ("acme", "e2"), ("other", "e1")]) == {("acme", "e1")}
    assert await it.ledger.seen("answer", [("other", "e1")]) == set()
    assert await it.ledger.seen("answer", [("acme", "e1")], run="replay-1") == set()
    assert await it.ledger.seen("remind", []) == set()
    assert await it.ledger.commit(others) == {"e1"}
    assert await it.ledger.seen("answer", [("other", "e1")]) == {("other", "e1")}


async def test_follow_ups_keep_the_order_of_the_outcomes(it: Opened) -> None:
    """Three hundred outcomes of one key, each with two."""
    outcomes = [outcome(f"e{place:03}", follow_ups=2) for place in range(300)]
    await it.ledger.commit(outcomes)
    assert await outbox(it) == [each.id for one in outcomes for each in one.outgoing]


async def test_one_old_epoch_refuses_the_whole_batch(it: Opened) -> None:
    """Nothing of it is kept; those under leases that are held may be committed without it."""
    good, bad = outcome("e1", fence=Fence("one", 1)), outcome("e2", fence=Fence("one", 0))
    with pytest.raises(Fenced):
        await it.ledger.commit([good, bad])
    assert await outbox(it) == []
    assert await it.ledger.seen("answer", [("acme", "e1")]) == set()
    assert await it.ledger.commit([good]) == {"e1"}


async def test_a_lease_is_taken_over_before_or_after_a_commit_and_never_within(it: Opened) -> None:
    """A transaction that has checked its epoch holds the lease until its end."""
    async with it.ledger.transaction("acme") as unit:
        await unit.mark(outcome("e1", follow_ups=0, fence=Fence("one", 1)))
        free = await it.pool.fetch("select name from hayai.lease for update skip locked")
        assert free == []
        await it.pool.fetch("update hayai.lease set holder = 'me'")  # a renewal does not wait
    assert len(await it.pool.fetch("select name from hayai.lease for update skip locked")) == 1


async def test_two_batches_with_the_same_events_in_another_order_both_end(it: Opened) -> None:
    """No deadlock; each event counts in one of them."""
    outcomes = [outcome(f"e{place:03}") for place in range(200)]
    for _ in range(5):
        one, other = await asyncio.gather(it.ledger.commit(outcomes), it.ledger.commit(outcomes[::-1]))
        assert not one & other
        await it.pool.fetch("delete from hayai.inbox")


async def test_a_unit_commits_rows_mark_and_follow_ups_together(it: Opened) -> None:
    """A handler's own transaction of the same tenant joins it."""
    async with it.ledger.transaction("acme") as unit:
        assert await unit.mark(outcome("e1", follow_ups=0, fence=Fence("one", 1)))
        async with it.application.transaction("acme") as connection:
            await connection.execute("insert into hayai.note values ('acme', 'booked')")
        await unit.put(outcome("e1").outgoing)
        assert await outbox(it) == []
    assert (await notes(it), await outbox(it)) == (["booked"], ["e1-0"])
    assert await it.ledger.seen("answer", [("acme", "e1")]) == {("acme", "e1")}


async def test_a_unit_that_fails_leaves_nothing(it: Opened) -> None:
    """No row, no mark and no follow-up."""

    async def fail() -> None:
        async with it.ledger.transaction("acme") as unit:
            await unit.mark(outcome("e1", follow_ups=0))
            await unit.connection.execute("insert into hayai.note values ('acme', 'booked')")
            await unit.put(outcome("e1").outgoing)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await fail()
    assert (await notes(it), await outbox(it)) == ([], [])
    assert await it.ledger.seen("answer", [("acme", "e1")]) == set()


async def test_of_two_units_at_once_one_does_the_work(it: Opened) -> None:
    """The second waits for the first, and then is told that it is done."""

    async def work() -> bool:
        async with it.ledger.transaction("acme") as unit:
            mine = await unit.mark(outcome("e1", follow_ups=0))
            await asyncio.sleep(0.05)
            if mine:
                await unit.connection.execute("insert into hayai.note values ('acme', 'booked')")
            return mine

    assert sorted(await asyncio.gather(*(work() for _ in range(4)))) == [False, False, False, True]
    assert await notes(it) == ["booked"]


async def test_a_unit_under_an_old_epoch_is_refused(it: Opened) -> None:
    """Before it has done anything."""
    with pytest.raises(Fenced):
        async with it.ledger.transaction("acme") as unit:
            await unit.mark(outcome("e1", follow_ups=0, fence=Fence("one", 0)))


async def test_a_unit_writes_for_its_own_tenant_alone(it: Opened) -> None:
    """Row-level security refuses another's mark; another's transaction does not nest."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with it.ledger.transaction("acme") as unit:
            await unit.mark(Outcome("other", "answer", "e1"))
    with pytest.raises(TenantWrong):
        async with it.ledger.transaction("acme"), it.ledger.transaction("other"):
            raise AssertionError("unreachable")


async def test_the_application_sees_its_tenants_marks_and_no_outbox(it: Opened) -> None:
    """Whatever it asks for."""
    await it.ledger.commit([outcome("e1"), Outcome("other", "answer", "e2", (Outgoing("f", "s", "t", b""),))])
    async with it.application.transaction("acme") as connection:
        assert [row["event"] for row in await connection.fetch("select event from hayai.inbox")] == ["e1"]
    for table in ("outbox", "lease", "worker", "refused"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with it.application.transaction("acme") as connection:
                await connection.fetch(f"select * from hayai.{table}")


async def test_the_ledgers_role_sees_no_table_but_the_ledgers(it: Opened) -> None:
    """Not even that the application's are empty."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await it.pool.fetch("select * from hayai.note")
