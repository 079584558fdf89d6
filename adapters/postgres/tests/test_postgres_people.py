"""People on a real Postgres: the contract, and tenants kept apart by the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.ports.base import Settings
from hayai.testing.people import OURS, THEIRS, PeopleContract
from hayai_postgres.people import PostgresPeople

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.pools import Pool


@pytest.fixture
def people(pool: Pool) -> PostgresPeople:
    """On a database of the test's own."""
    return PostgresPeople(Settings(), pool=pool)


class TestPostgresPeople(PeopleContract):
    """Held to the contract."""


async def test_another_tenant_sees_nobody_even_without_a_where(
    rows_seen: Callable[[str], Awaitable[list[int]]], people: PostgresPeople
) -> None:
    """Row-level security shows a transaction its tenant's rows alone, and one without a tenant none."""
    await people.met("smile-dental", "phone", THEIRS, via=OURS)
    assert await rows_seen("contact") == [1, 0, 0]
