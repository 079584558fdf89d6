"""The calendar in Postgres keeps the calendar's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.ports.base import Settings
from hayai.testing.calendar import CalendarContract
from hayai_postgres.calendar import PostgresCalendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.pools import Pool
    from hayai.testing.clock import MovableClock
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer, migrated_template: str) -> Iterator[ServedDatabase]:
    """One database for the whole contract: each of its tests brings a tenant of its own."""
    name = postgres_server.create(migrated_template)
    yield postgres_server.database(name)
    postgres_server.drop(name)


@pytest.fixture
def calendar(pool: Pool, clock: MovableClock) -> PostgresCalendar:
    """The adapter, by a clock that tests move."""
    return PostgresCalendar(Settings(), pool=pool, clock=clock)


class TestPostgresCalendar(CalendarContract):
    """The whole contract."""
