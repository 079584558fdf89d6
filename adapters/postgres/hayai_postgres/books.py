"""PostgresBooks: one tenant's schedule and appointments, inside one transaction."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from hayai.availability.slots import Busy
from hayai.booking.books import Books, Request
from hayai.errors import Unavailable
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Schedule
from hayai_postgres.conversations import storable
from hayai_postgres.occupancy import occupy, personal

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence
    from datetime import datetime

    from hayai.booking.books import Placement
    from hayai.schedule import Window

_LOST_RACES = 1
# The body comes only when it is another than the one that was read before: reading it costs more than all the rest.
_SCHEDULE = """
select digest, case when digest is distinct from $2 then body::text end as body from hayai.schedule where tenant = $1
"""
# Joined in the database: a calendar that is full for months comes as a few long stretches. Seconds, since an interval
# of a day is as long as the day of the session's time zone.
_BUSY = """
select resource, lower(kept), upper(kept) - make_interval(secs => $7)
  from (select resource, unnest(range_agg(tstzrange(kept_from, kept_until + make_interval(secs => $7)))) as kept
          from hayai.occupancy
         where tenant = $1 and resource = any($2::text[]) and kept_until > $3 and kept_from < $4
           and (expires_at is null or expires_at > $5) and appointment is distinct from $6
         group by resource) joined
"""
_ASKED = """
select r.key, r.asked, a.* from hayai.booking_request r
  join hayai.appointment a on a.tenant = r.tenant and a.id = r.appointment
 where r.tenant = $1 and r.key = $2
"""
_CHANGE = """
update hayai.appointment
   set status = $5, expires_at = $6, version = $7, person = $8, name = $9, contact = $10
 where tenant = $1 and id = $2 and version = $3 and status = $4
returning id
"""
_KEEP = "update hayai.occupancy set expires_at = null where tenant = $1 and appointment = $2"
_FREE = "delete from hayai.occupancy where tenant = $1 and appointment = $2"
_KNOWN = "select * from hayai.appointment where tenant = $1 and id = $2"
_LISTED = """
select * from hayai.appointment
 where tenant = $1 and status in ('held', 'confirmed') and starts_at < $3 and ends_at > $2
   and ($4::text is null or person = $4) and ($5::text is null or $5 = any(resources))
 order by starts_at, id
"""


class PostgresBooks(Books):
    """See Books. `read` remembers schedules by tenant, with their digest, for all books of a calendar."""

    def __init__(
        self, connection: asyncpg.Connection, tenant: str, read: MutableMapping[str, tuple[str, Schedule]]
    ) -> None:
        self._connection = connection
        self._tenant = tenant
        self._read = read
        self._lost = 0

    async def schedule(self) -> Schedule | None:
        """See Books."""
        digest, schedule = self._read.get(self._tenant, (None, None))
        row = await self._connection.fetchrow(_SCHEDULE, self._tenant, digest)
        if row is not None and row["body"] is not None:
            # In a thread, since a time zone that is new to this process is read from the disk.
            schedule = await asyncio.to_thread(Schedule.model_validate_json, row["body"])
            self._read[self._tenant] = row["digest"], schedule
        return schedule if row is not None else None

    async def busy(
        self,
        resources: Sequence[str],
        window: Window,
        now: datetime,
        *,
        but: str | None = None,
        room: timedelta = timedelta.resolution,
    ) -> list[Busy]:
        """See Books."""
        # Ranges that touch are joined too, and a gap of just `room` is to stay.
        gap = (room - timedelta.resolution).total_seconds()
        asked = (self._tenant, list(resources), window.start, window.end, now, but, gap)
        return [Busy(*row) for row in await self._connection.fetch(_BUSY, *asked)]

    async def asked(self, key: str) -> tuple[Request, Appointment] | None:
        """See Books."""
        row = await self._connection.fetchrow(_ASKED, self._tenant, key)
        return None if row is None else (Request(row["key"], row["asked"]), _appointment(row))

    async def place(self, placement: Placement) -> bool:
        """See Books. Raises Unavailable where an outer transaction holds what somebody needs who holds what this needs.

        Whoever books once in a transaction cannot meet that, by the order of the locks; who books twice can, and must
        begin again from the start: the locks of the first booking stay while the transaction does.
        """
        try:
            return await occupy(self._connection, placement)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
            self._lost += 1
            if self._lost > _LOST_RACES:
                raise Unavailable("Another booking holds what this one needs: try the whole of it again.") from error
            return False

    async def change(self, appointment: Appointment, was: Appointment) -> bool:
        """See Books."""
        changed = await self._connection.fetchval(
            _CHANGE,
            self._tenant,
            appointment.id,
            was.version,
            was.status,
            appointment.status,
            appointment.expires_at,
            appointment.version,
            *personal(appointment.customer),
        )
        if changed and appointment.status != was.status:
            places = _KEEP if appointment.status == "confirmed" else _FREE
            await self._connection.execute(places, self._tenant, appointment.id)
        return changed is not None

    async def known(self, appointment: str) -> Appointment | None:
        """See Books."""
        row = await self._connection.fetchrow(_KNOWN, self._tenant, storable(appointment))
        return None if row is None else _appointment(row)

    async def listed(self, window: Window, *, person: str | None, resource: str | None) -> list[Appointment]:
        """See Books."""
        rows = await self._connection.fetch(
            _LISTED, self._tenant, window.start, window.end, storable(person), storable(resource)
        )
        return [_appointment(row) for row in rows]


def _appointment(row: asyncpg.Record) -> Appointment:
    return Appointment(
        id=row["id"],
        tenant=row["tenant"],
        service=row["service"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        resources=tuple(row["resources"]),
        status=row["status"],
        customer=Customer(person=row["person"], name=row["name"], contact=row["contact"]),
        expires_at=row["expires_at"],
        version=row["version"],
    )
