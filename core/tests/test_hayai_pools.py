"""Pool on a real Postgres: tenants, nested transactions, roles that are refused, and what counts as unavailable."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest
from pydantic import SecretStr

import hayai.pools
from hayai.errors import DatabaseUnfit, KeyNotOpaque, TenantWrong, Unavailable
from hayai.migrations import migrate
from hayai.pools import Pool, unavailable
from hayai.ports.database import Address, Database, Role
from hayai.testing.postgres_server import APPLICATION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

NOTES = f"""
create table hayai.note (tenant text not null, text text not null);
alter table hayai.note enable row level security;
create policy tenant on hayai.note using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.note to {APPLICATION};
"""


class Elsewhere(Database):
    """Another database port with some of its address changed."""

    def __init__(self, real: Database, **changed: object) -> None:
        self.real = real
        self.changed = changed

    async def address(self, role: Role) -> Address:
        """The same address but for what is changed."""
        return replace(await self.real.address(role), **self.changed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """A database with the schema and one table of notes."""
    name = postgres_server.create()
    asyncio.run(migrate(postgres_server.database(name), {}))
    postgres_server.sql(NOTES, name)
    return postgres_server.database(name)


@pytest.fixture
def spare(database: ServedDatabase) -> Iterator[ServedDatabase]:
    """A copy of it to spoil."""
    name = database.server.create(database.name)
    yield database.server.database(name)
    database.server.drop(name)


@pytest.fixture
async def pool(database: ServedDatabase) -> AsyncIterator[Pool]:
    """Two connections in the application's role, and no note yet."""
    pool = Pool(database, size=2)
    await pool.start()
    yield pool
    await pool.stop()
    database.server.sql("truncate hayai.note", database.name)


async def write(pool: Pool, tenant: str, text: str) -> None:
    """Add a note."""
    async with pool.transaction(tenant) as connection:
        await connection.execute("insert into hayai.note (tenant, text) values ($1, $2)", tenant, text)


async def read(pool: Pool, tenant: str) -> list[str]:
    """All notes that the tenant sees, asked for without a WHERE."""
    async with pool.transaction(tenant) as connection:
        return sorted(row["text"] for row in await connection.fetch("select text from hayai.note"))


async def write_and_fail(pool: Pool, tenant: str, text: str) -> None:
    """Add a note in a transaction that fails after it."""
    async with pool.transaction(tenant):
        await write(pool, tenant, text)
        raise ArithmeticError


async def test_a_transaction_commits_at_its_end(pool: Pool) -> None:
    """What was written is there for the next."""
    await write(pool, "smile-dental", "one")
    assert await read(pool, "smile-dental") == ["one"]


async def test_an_error_rolls_back_everything(pool: Pool) -> None:
    """Also what a nested part had written, and the error comes through unchanged."""
    with pytest.raises(ArithmeticError):
        await write_and_fail(pool, "smile-dental", "one")
    assert await read(pool, "smile-dental") == []


async def test_a_nested_transaction_joins_the_open_one(pool: Pool) -> None:
    """It sees what is not committed yet, on the same connection."""
    async with pool.transaction("smile-dental") as outer:
        await outer.execute("insert into hayai.note values ('smile-dental', 'one')")
        assert await read(pool, "smile-dental") == ["one"]
        async with pool.transaction("smile-dental") as inner:
            assert inner is outer


async def test_a_nested_failure_undoes_its_own_part_alone(pool: Pool) -> None:
    """The outer part may answer the error and go on, even an error of the database."""
    async with pool.transaction("smile-dental"):
        await write(pool, "smile-dental", "before")
        with pytest.raises(ArithmeticError):
            await write_and_fail(pool, "smile-dental", "undone")
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with pool.transaction("smile-dental") as connection:
                await connection.execute("select 1 / 0")
        await write(pool, "smile-dental", "after")
    assert await read(pool, "smile-dental") == ["after", "before"]


async def test_another_tenant_inside_is_refused(pool: Pool) -> None:
    """One transaction never sees two tenants, nor none and one."""
    async with pool.transaction("smile-dental"):
        with pytest.raises(TenantWrong):
            await read(pool, "bright-remodel")
        with pytest.raises(TenantWrong):
            async with pool.unbound():
                pass


async def test_a_task_started_inside_opens_its_own(pool: Pool) -> None:
    """Two tasks never share a connection, so a child sees only what is committed."""
    async with pool.transaction("smile-dental"):
        await write(pool, "smile-dental", "one")
        assert await asyncio.create_task(read(pool, "smile-dental")) == []
        assert await asyncio.create_task(read(pool, "bright-remodel")) == []


async def test_the_tenant_ends_with_the_transaction(pool: Pool) -> None:
    """The next one on the same connection sees nothing that it was not given."""
    await write(pool, "smile-dental", "one")
    assert await read(pool, "bright-remodel") == []
    async with pool.unbound() as connection:
        assert await connection.fetchval("select count(*) from hayai.note") == 0


@pytest.mark.parametrize("tenant", ["", "Smile Dental", "+15550100", "a'; drop table hayai.note; --"])
async def test_a_tenant_must_be_a_token(pool: Pool, tenant: str) -> None:
    """No text reaches the database as a tenant."""
    with pytest.raises(KeyNotOpaque):
        await read(pool, tenant)


async def test_two_pools_nest_without_seeing_each_other(pool: Pool, database: ServedDatabase) -> None:
    """A transaction of one is none of the other."""
    other = Pool(database)
    await other.start()
    try:
        async with pool.transaction("smile-dental"), other.transaction("bright-remodel"):
            await write(pool, "smile-dental", "one")
            await write(other, "bright-remodel", "two")
    finally:
        await other.stop()
    assert await read(pool, "smile-dental") == ["one"]


async def test_starting_and_stopping_twice_is_no_error(database: ServedDatabase) -> None:
    """And a pool that is not open says so."""
    pool = Pool(database)
    await pool.start()
    await pool.start()
    await pool.check()
    await pool.stop()
    await pool.stop()
    with pytest.raises(RuntimeError, match="start"):
        await read(pool, "smile-dental")


async def test_stopping_waits_for_an_open_transaction(pool: Pool, database: ServedDatabase) -> None:
    """It may commit; nobody new gets in, and a process that hurries does not lose what is at work."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with pool.transaction("smile-dental") as connection:
            inside.set()
            await go_on.wait()
            await connection.execute("insert into hayai.note values ('smile-dental', 'one')")

    worker = asyncio.create_task(work())
    await inside.wait()
    stopping = asyncio.create_task(pool.stop())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="not open"):
        await read(pool, "smile-dental")
    go_on.set()
    await asyncio.gather(worker, stopping)
    assert database.server.sql("select text from hayai.note", database.name) == "one"


async def test_a_lost_race_is_unavailable_inside_too(pool: Pool) -> None:
    """The outer part of a transaction sees the same class of error as anybody else."""
    async with pool.transaction("smile-dental"):
        with pytest.raises(Unavailable, match="faster"):
            async with pool.transaction("smile-dental") as connection:
                await connection.execute("do $$ begin raise sqlstate '40001'; end $$")


async def test_a_busy_pool_says_so(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a connection ends, with the number of them."""
    monkeypatch.setattr(hayai.pools, "ACQUIRE_SECONDS", 0.05)
    async with pool.transaction("smile-dental"):
        first = asyncio.create_task(_hold(pool))
        with pytest.raises(Unavailable, match="All 2 connections"):
            await asyncio.gather(first, asyncio.create_task(_hold(pool)))
        await asyncio.gather(first, return_exceptions=True)


async def _hold(pool: Pool) -> None:
    async with pool.transaction("smile-dental"):
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ("superuser", "superuser"),
        ("bypassrls", "BYPASSRLS"),
        ("in role postgres", "BYPASSRLS"),
        ("in role pg_monitor", None),
    ],
)
async def test_a_role_that_sees_every_tenant_is_refused(
    database: ServedDatabase, attributes: str, sentence: str | None
) -> None:
    """Superuser, BYPASSRLS, or a member of such a role; an ordinary membership is none of our business."""
    server = database.server
    server.sql(f"create role tried login password 'secret' {attributes}; grant {APPLICATION} to tried")
    pool = Pool(Elsewhere(database, user="tried", password=SecretStr("secret")))
    try:
        if sentence is None:
            await pool.start()
        else:
            with pytest.raises(DatabaseUnfit, match=f"tried .*{sentence}"):
                await pool.start()
    finally:
        await pool.stop()
        server.sql("drop role tried")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (f"alter table hayai.note owner to {APPLICATION}", "owns note"),
        ("alter table hayai.note disable row level security", "No row-level security on note"),
        ("drop schema hayai cascade", "run `hayai migrate` first"),
    ],
)
async def test_a_database_that_cannot_keep_tenants_apart_is_refused(
    spare: ServedDatabase, statement: str, sentence: str
) -> None:
    """The application as an owner, a tenant's table without security, and no schema at all."""
    spare.server.sql(statement, spare.name)
    with pytest.raises(DatabaseUnfit, match=sentence):
        await Pool(spare).start()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"port": 1}, r"hayai_application at 127\.0\.0\.1:1/.*does not answer"),
        ({"host": "no-such-host.invalid"}, "does not answer"),
        ({"database": "no_such_database"}, "no database of that name"),
        ({"user": "no_such_role"}, "refuses the password"),
        ({"password": SecretStr("wrong-password")}, "refuses the password"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_one_sentence(
    database: ServedDatabase, changed: dict[str, object], sentence: str
) -> None:
    """Which address, what is wrong and what to look at, and no password."""
    with pytest.raises(Unavailable, match=sentence) as said:
        await Pool(Elsewhere(database, **changed)).start()
    assert "wrong-password" not in str(said.value)
    assert database.server.application_password not in str(said.value)


@pytest.mark.parametrize(
    "state", ["40001", "40P01", "53100", "53300", "55P03", "57014", "57P01", "57P03", "58030", "08006"]
)
async def test_what_another_try_may_mend_is_unavailable(pool: Pool, state: str) -> None:
    """Lost races, a full disk or server, and a server that comes or goes."""
    with pytest.raises(Unavailable):
        async with pool.transaction("smile-dental") as connection:
            await connection.execute(f"do $$ begin raise sqlstate '{state}'; end $$")
    assert await read(pool, "smile-dental") == []


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.CannotConnectNowError("the database system is in recovery mode"),
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        asyncpg.InterfaceError("cannot call Transaction.rollback(): the underlying connection is closed"),
        ConnectionResetError(),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_dying_server_looks_like_is_unavailable(error: Exception) -> None:
    """The classes that were seen when a real one was killed under load, and those of the network."""
    assert isinstance(unavailable(error), Unavailable)


async def test_a_real_deadlock_is_unavailable_for_one_of_the_two(pool: Pool) -> None:
    """The other goes through; the one that lost may try again."""
    for text in ("one", "two"):
        await write(pool, "smile-dental", text)
    both_hold = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        async with pool.transaction("smile-dental") as connection:
            await connection.execute("update hayai.note set text = text where text = $1", first)
            await both_hold.wait()
            await connection.execute("update hayai.note set text = text where text = $1", second)

    outcomes = await asyncio.gather(cross("one", "two"), cross("two", "one"), return_exceptions=True)
    assert [type(each) for each in outcomes if each] == [Unavailable]


async def test_a_slow_query_ends_as_unavailable(pool: Pool) -> None:
    """The server's own timeout, set in the transaction."""
    with pytest.raises(Unavailable, match="took too long"):
        async with pool.transaction("smile-dental") as connection:
            await connection.execute("set local statement_timeout = '20ms'; select pg_sleep(5)")


async def test_a_defect_stays_what_it_is(pool: Pool) -> None:
    """A wrong query, a wrong call and a caller's own socket are not blamed on the server."""
    with pytest.raises(asyncpg.UndefinedTableError):
        async with pool.transaction("smile-dental") as connection:
            await connection.execute("select * from no_such_table")
    with pytest.raises(asyncpg.InterfaceError):
        async with pool.transaction("smile-dental") as connection:
            await connection.execute("select $1::int", "text", "too many")
    with pytest.raises(ConnectionRefusedError):
        async with pool.transaction("smile-dental"):
            raise ConnectionRefusedError
    assert unavailable(ValueError()) is None


@pytest.mark.fault
async def test_a_connection_that_is_cut_is_unavailable_and_replaced(pool: Pool, database: ServedDatabase) -> None:
    """In the middle of a transaction, and idle in the pool."""
    cut = f"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{APPLICATION}'"

    async def cut_and_ask() -> None:
        async with pool.transaction("smile-dental") as connection:
            database.server.sql(cut)
            await connection.execute("select 1")

    with pytest.raises(Unavailable):
        await cut_and_ask()
    await write(pool, "smile-dental", "one")
    database.server.sql(cut)
    await asyncio.sleep(0.1)
    assert await read(pool, "smile-dental") == ["one"]


@pytest.mark.fault
async def test_a_server_that_hangs_fails_the_check_and_comes_back(
    pool: Pool, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check ends by itself while the server takes connections and answers none."""
    assert postgres_server.pid is not None
    monkeypatch.setattr(hayai.pools, "CHECK_SECONDS", 0.2)
    os.kill(postgres_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="did not answer within"):
            await pool.check()
    finally:
        os.kill(postgres_server.pid, signal.SIGCONT)
    monkeypatch.setattr(hayai.pools, "CHECK_SECONDS", 10)
    await pool.check()
