"""Asking: a question to the ledger from beside the engine, which a database without a ledger answers in a sentence."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg

from hayai.errors import DatabaseUnfit

if TYPE_CHECKING:
    from hayai.pools import Pool


async def asked(pool: Pool, query: str, *values: object) -> list[Any]:
    """The rows, by a pool of the role "ledger". Raises DatabaseUnfit where there is no ledger, Unavailable."""
    try:
        return await pool.fetch(query, *values)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError) as missing:
        raise DatabaseUnfit("The database has no ledger that can be read: run `hayai migrate`.") from missing
