"""A real Postgres for these tests: one server and one migrated database a session, emptied after each test."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from hayai.migrations import migrate
from hayai.pools import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

COMPONENTS = {
    "ground": files("hayai_postgres.migrations.ground"),
    "calendar": files("hayai_postgres.migrations.calendar"),
}


# Quicker than a fresh copy for each test: the same tables, emptied.
EMPTY = """
do $$ begin
    execute (select 'truncate ' || string_agg(c.oid::regclass::text, ', ') || ' restart identity' from pg_class c
              where relnamespace = 'hayai'::regnamespace and relkind in ('r', 'p') and relname <> 'migration');
end $$
"""


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a database with every table of this package, to copy; nobody may stay connected to it."""
    name = postgres_server.create()
    asyncio.run(migrate(postgres_server.database(name), COMPONENTS))
    return name


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer, migrated_template: str) -> ServedDatabase:
    """One copy of it for all tests that leave its tables' shape alone."""
    return postgres_server.database(postgres_server.create(migrated_template))


@pytest.fixture
def database(shared_database: ServedDatabase) -> Iterator[ServedDatabase]:
    """A migrated database that holds nothing; a test that changes its tables' shape takes a copy of the template."""
    yield shared_database
    shared_database.server.sql(EMPTY, shared_database.name)


@pytest.fixture
async def pool(database: ServedDatabase) -> AsyncIterator[Pool]:
    """A pool in the application's role on that database."""
    pool = Pool(database)
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
def rows_seen(pool: Pool) -> Callable[[str], Awaitable[list[int]]]:
    """How many rows of a table smile-dental sees, another tenant, and a transaction of no tenant; with no `where`."""

    async def seen(table: str) -> list[int]:
        found = []
        for opening in (pool.transaction("smile-dental"), pool.transaction("bright-remodel"), pool.unbound()):
            async with opening as connection:
                found.append(await connection.fetchval(f"select count(*) from hayai.{table}"))
        return found

    return seen
