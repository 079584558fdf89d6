"""People on a real Postgres: the contract, and tenants kept apart by the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.ports.base import Settings
from hayai.testing.people import OURS, THEIRS, PeopleContract
from hayai_postgres.people import PostgresPeople

if TYPE_CHECKING:
    from hayai.pools import Pool


@pytest.fixture
def people(pool: Pool) -> PostgresPeople:
    """On a database of the test's own."""
    return PostgresPeople(Settings(), pool=pool)


class TestPostgresPeople(PeopleContract):
    """Held to the contract."""


async def test_another_tenant_sees_nobody_even_without_a_where(pool: Pool, people: PostgresPeople) -> None:
    """Row-level security shows a transaction its tenant's rows alone, and one without a tenant none."""
    await people.met("smile-dental", "phone", THEIRS, via=OURS)
    count = "select count(*) from hayai.contact"
    async with pool.transaction("smile-dental") as connection:
        assert await connection.fetchval(count) == 1
    async with pool.transaction("bright-remodel") as connection:
        assert await connection.fetchval(count) == 0
    async with pool.unbound() as connection:
        assert await connection.fetchval(count) == 0
