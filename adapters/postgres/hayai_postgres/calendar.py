"""PostgresCalendar: Hayai's booking rules over books in Postgres."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hayai.booking.calendar import BookedCalendar
from hayai.clock import Clock, system_clock
from hayai_postgres.books import PostgresBooks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hayai.booking.books import Books
    from hayai.pools import Pool
    from hayai.ports.base import Settings
    from hayai.schedule import Schedule

# An equal schedule changes nothing, so that every process of an install may bring it again.
_INSTALL = """
insert into hayai.schedule (tenant, digest, body) values ($1, $2, $3)
on conflict (tenant) do update set digest = excluded.digest, body = excluded.body, installed_at = now()
 where hayai.schedule.digest <> excluded.digest
"""


class PostgresCalendar(BookedCalendar):
    """Tables hayai.schedule, appointment, occupancy and booking_request; joins the transaction open in the task."""

    def __init__(self, settings: Settings, *, pool: Pool, clock: Clock = system_clock) -> None:
        super().__init__(clock=clock)
        self._settings = settings
        self._pool = pool
        self._read: dict[str, tuple[str, Schedule]] = {}

    async def install(self, schedule: Schedule) -> None:
        """See Calendar. Raises Unavailable, KeyNotOpaque for the tenant."""
        body = schedule.model_dump_json()
        digest = hashlib.sha256(body.encode()).hexdigest()
        async with self._pool.transaction(schedule.tenant) as connection:
            await connection.execute(_INSTALL, schedule.tenant, digest, body)

    @asynccontextmanager
    async def _books(self, tenant: str) -> AsyncGenerator[Books]:
        async with self._pool.transaction(tenant) as connection:
            yield PostgresBooks(connection, tenant, self._read)
