"""API keys on a real Postgres: the contract, what is stored of a key, and who can list keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from hayai.ports.base import Settings
from hayai.testing.identity import IdentityContract
from hayai_postgres.identity import PostgresIdentity

if TYPE_CHECKING:
    from hayai.pools import Pool
    from hayai.testing.postgres_server import ServedDatabase


@pytest.fixture
def identity(pool: Pool) -> PostgresIdentity:
    """On a database of the test's own."""
    return PostgresIdentity(Settings(), pool=pool)


class TestPostgresIdentity(IdentityContract):
    """Held to the contract."""


async def test_the_database_holds_no_key(identity: PostgresIdentity, database: ServedDatabase) -> None:
    """Whoever reads the table, backups included, finds a digest and no secret."""
    key = (await identity.issue(tenant="smile-dental", role="owner", label="front desk")).get_secret_value()
    table = database.server.sql("select k::text from hayai.api_key k", database.name)
    assert "front desk" in table
    assert key.split("_")[2] not in table


async def test_the_application_cannot_list_keys_of_others(identity: PostgresIdentity, pool: Pool) -> None:
    """A transaction sees its own tenant's keys, one without a tenant sees none."""
    await identity.issue(tenant="smile-dental", role="owner", label="")
    for tenant, seen in (("smile-dental", 1), ("bright-remodel", 0)):
        async with pool.transaction(tenant) as connection:
            assert await connection.fetchval("select count(*) from hayai.api_key") == seen
    async with pool.unbound() as connection:
        assert await connection.fetchval("select count(*) from hayai.api_key") == 0


async def test_the_application_cannot_rewrite_a_key(identity: PostgresIdentity, pool: Pool) -> None:
    """No role is raised and no key brought back to life from inside the application."""
    await identity.issue(tenant="smile-dental", role="staff", label="")
    for change in ("role = 'owner'", "revoked_at = null", "digest = ''"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with pool.transaction("smile-dental") as connection:
                await connection.execute(f"update hayai.api_key set {change}")


async def test_the_functions_past_the_policy_are_the_applications_alone(
    identity: PostgresIdentity, database: ServedDatabase
) -> None:
    """Any other role of the server may call neither."""
    who = "select count(*) from pg_proc p where p.pronamespace = 'hayai'::regnamespace and p.prosecdef"
    public = f"{who} and exists (select from aclexplode(p.proacl) a where a.grantee = 0)"
    assert int(database.server.sql(who, database.name)) >= 2
    assert database.server.sql(public, database.name) == "0"
