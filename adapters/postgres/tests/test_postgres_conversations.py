"""Conversations on a real Postgres: the contract, and tenants kept apart by the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from hayai.ports.base import Settings
from hayai.ports.conversations import Memory
from hayai.testing.conversations import ConversationsContract, line
from hayai_postgres.conversations import PostgresConversations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.pools import Pool


@pytest.fixture
def conversations(pool: Pool) -> PostgresConversations:
    """On a database of the test's own."""
    return PostgresConversations(Settings(), pool=pool)


class TestPostgresConversations(ConversationsContract):
    """Held to the contract."""


@pytest.mark.parametrize("table", ["conversation", "line", "memory"])
async def test_another_tenant_sees_nothing_even_without_a_where(
    rows_seen: Callable[[str], Awaitable[list[int]]], conversations: PostgresConversations, table: str
) -> None:
    """Row-level security shows a transaction its tenant's rows alone, and one without a tenant none."""
    await conversations.append("smile-dental", "conversation-a", line(1))
    await conversations.remember("smile-dental", "conversation-a", "receptionist", Memory({}, "event-1", []))
    assert await rows_seen(table) == [1, 0, 0]


async def test_a_row_for_another_tenant_is_refused(pool: Pool) -> None:
    """Also a write is held to the tenant of the transaction."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pool.transaction("smile-dental") as connection:
            await connection.execute("insert into hayai.conversation (tenant, id) values ('bright-remodel', 'x')")


async def test_a_transcript_cannot_be_rewritten(pool: Pool, conversations: PostgresConversations) -> None:
    """The application's role may add lines, and neither change nor delete one."""
    await conversations.append("smile-dental", "conversation-a", line(1))
    for statement in ("update hayai.line set body = 'other'", "delete from hayai.line"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with pool.transaction("smile-dental") as connection:
                await connection.execute(statement)


async def test_a_line_joins_the_transaction_of_its_task(pool: Pool, conversations: PostgresConversations) -> None:
    """What a handler's transaction rolls back takes the line with it, and its position is used again."""

    async def append_and_fail() -> None:
        async with pool.transaction("smile-dental"):
            await conversations.append("smile-dental", "conversation-a", line(1))
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await append_and_fail()
    assert await conversations.lines("smile-dental", "conversation-a") == []
    assert (await conversations.append("smile-dental", "conversation-a", line(2))).position == 1
