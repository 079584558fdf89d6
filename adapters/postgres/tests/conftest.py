"""A real Postgres for these tests: one server a session, a migrated copy of one template for each test."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from hayai.migrations import migrate
from hayai.pools import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

COMPONENTS = {
    "ground": files("hayai_postgres.migrations.ground"),
    "calendar": files("hayai_postgres.migrations.calendar"),
}


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database to copy; nobody may stay connected to it."""
    name = postgres_server.create()
    asyncio.run(migrate(postgres_server.database(name), COMPONENTS))
    return name


@pytest.fixture
def database(postgres_server: PostgresServer, migrated_template: str) -> Iterator[ServedDatabase]:
    """A migrated database of the test's own."""
    name = postgres_server.create(migrated_template)
    yield postgres_server.database(name)
    postgres_server.drop(name)


@pytest.fixture
async def pool(database: ServedDatabase) -> AsyncIterator[Pool]:
    """A pool in the application's role on that database."""
    pool = Pool(database)
    await pool.start()
    yield pool
    await pool.stop()
