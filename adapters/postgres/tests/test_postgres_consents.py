"""Consents on a real Postgres: the contract, tenants kept apart, and rows that nobody may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from hayai.ports.base import Settings
from hayai.testing.consents import TENANT, ConsentsContract, say
from hayai_postgres.consents import PostgresConsents

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.pools import Pool


@pytest.fixture
def consents(pool: Pool) -> PostgresConsents:
    """On a database of the test's own."""
    return PostgresConsents(Settings(), pool=pool)


class TestPostgresConsents(ConsentsContract):
    """Held to the contract."""


async def test_another_tenant_sees_nothing_even_without_a_where(
    rows_seen: Callable[[str], Awaitable[list[int]]], consents: PostgresConsents
) -> None:
    """Row-level security shows a transaction its tenant's rows alone, and one without a tenant none."""
    await say(consents, "m1", allowed=False)
    assert await rows_seen("consent") == [3, 0, 0]


@pytest.mark.parametrize("change", ["update hayai.consent set allowed = true", "delete from hayai.consent"])
async def test_what_was_said_is_there_to_stay(pool: Pool, consents: PostgresConsents, change: str) -> None:
    """The application's role may add to it, and no more."""
    await say(consents, "m1", allowed=False)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pool.transaction(TENANT) as connection:
            await connection.execute(change)
