"""The pytest plugin that every install brings: contracts explain their assertions, and a clock to move.

pytest finds it by the entry point `hayai` of the group `pytest11`. Without it an assert inside an installed contract
would fail with a bare AssertionError.
"""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING

import pytest

import hayai.testing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.testing.clock import MovableClock
    from hayai.testing.postgres_server import PostgresServer

pytest.register_assert_rewrite(
    *(f"hayai.testing.{each.name}" for each in pkgutil.iter_modules(hayai.testing.__path__) if each.name != "fixtures")
)


@pytest.fixture
def clock() -> MovableClock:
    """A clock at Monday, 2 March 2026, 09:00 UTC, that only the test moves."""
    from hayai.testing.clock import MovableClock

    return MovableClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One real Postgres for all tests of the session; each takes databases of its own from it."""
    from hayai.testing.postgres_server import PostgresServer

    with PostgresServer() as server:
        yield server
