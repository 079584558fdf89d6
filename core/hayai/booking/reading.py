"""Reading: what is free and what is booked, by Hayai's rules, out of an adapter's books."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from hayai.availability.rota import Rota
from hayai.availability.rules import check_asked, offered
from hayai.availability.slots import (
    Visit,
    allowed,
    by_resource,
    choose,
    free_slots,
    in_utc,
    nearest,
    pages,
    reach,
    rings,
    whole,
)
from hayai.clock import Clock, system_clock
from hayai.errors import AppointmentGone, SettingsError
from hayai.ports.calendar import Calendar
from hayai.schedule import Slot, Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from hayai.booking.books import Books
    from hayai.ports.calendar import Appointment

_ALTERNATIVES = 3
_PAGE = timedelta(days=60)
"""How much of the books is read at a time."""


class ReadCalendar(Calendar):
    """The questions of a Calendar, answered."""

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock

    @abstractmethod
    def _books(self, tenant: str) -> AbstractAsyncContextManager[Books]:
        """The tenant's books, open in one transaction that ends with the block, or in the caller's."""

    async def open_slots(
        self, tenant: str, service: str, window: Window, *, limit: int = 50, resources: Sequence[str] = ()
    ) -> list[Slot]:
        """See Calendar."""
        async with self._books(tenant) as books:
            return await self._free(books, await self._visit(books, tenant, service, resources), _utc(window), limit)

    async def find(self, tenant: str, appointment: str) -> Appointment:
        """See Calendar."""
        async with self._books(tenant) as books:
            return await self._found(books, appointment)

    async def appointments(
        self, tenant: str, window: Window, *, person: str | None = None, resource: str | None = None
    ) -> list[Appointment]:
        """See Calendar."""
        async with self._books(tenant) as books:
            listed = await books.listed(_utc(window), person=person, resource=resource)
        return [each for each in map(self._as_of_now, listed) if each.status != "expired"]

    async def _visit(
        self, books: Books, tenant: str, service: str, asked: Sequence[str] = (), *, kept: Sequence[str] = ()
    ) -> Visit:
        """A service of the tenant's schedule. Raises ServiceUnknown, ResourceUnknown, SettingsError."""
        if (schedule := await books.schedule()) is None:
            raise SettingsError(
                f"No schedule is installed for the tenant {tenant!r}: install() the one of its business file first."
            )
        found = offered(schedule, service)
        check_asked(schedule, found, asked)
        return Visit(schedule, found, frozenset(asked), frozenset(kept))

    async def _free(
        self, books: Books, visit: Visit, window: Window, limit: int | None = None, *, was: Appointment | None = None
    ) -> list[Slot]:
        """The free starts of the window, in order; only as much of the books is read as the limit asks for.

        `was` is an appointment that would move, and is in nobody's way.
        """
        now, slots, but = self._clock(), list[Slot](), was.id if was else None
        for page in pages(allowed(visit.schedule, window, now), _PAGE):
            busy = await books.busy(visit.resources(), reach(visit, page), now, but=but, room=visit.room)
            left = None if limit is None else max(0, limit - len(slots))
            slots += islice(free_slots(visit, page, busy), left)
            if limit is not None and len(slots) >= limit:
                break
        return slots

    async def _choice(
        self, books: Books, visit: Visit, start: datetime, was: Appointment | None = None
    ) -> tuple[str, ...] | None:
        """The resources that are free for a visit at `start`, on the grid or not; None where too few are."""
        blocked = reach(visit, Window(start=start, end=start))
        busy = await books.busy(visit.resources(), blocked, self._clock(), but=was.id if was else None)
        return choose(visit, start, Rota(visit.schedule, *visit.span(start)), by_resource(busy))

    async def _alternatives(
        self, books: Books, visit: Visit, wanted: datetime, *, was: Appointment | None, also: Sequence[datetime]
    ) -> list[datetime]:
        """The starts nearest to `wanted` that are free, or among `also`, in order.

        Any resources will do where those asked for offer too few.
        """
        found = await self._around(books, visit, wanted, was)
        if len(found) < _ALTERNATIVES and visit.asked:
            found += await self._around(books, Visit(visit.schedule, visit.service), wanted, was)
        return nearest({*also, *found}, wanted, _ALTERNATIVES)

    async def _around(self, books: Books, visit: Visit, wanted: datetime, was: Appointment | None) -> list[datetime]:
        found: list[datetime] = []
        for ring in rings(wanted, whole(visit.schedule, self._clock())):
            for window in ring:
                # What is behind `wanted` comes nearest first.
                enough = _ALTERNATIVES if window.start >= wanted else None
                slots = await self._free(books, visit, window, enough, was=was)
                found += [each.starts_at for each in slots if was is None or each.starts_at != was.starts_at]
            if len(found) >= _ALTERNATIVES:
                break
        return found

    async def _found(self, books: Books, appointment: str) -> Appointment:
        if (found := await books.known(appointment)) is None:
            raise AppointmentGone("There is no such appointment here: look it up again, or book a new one.")
        return self._as_of_now(found)

    def _as_of_now(self, appointment: Appointment) -> Appointment:
        """The appointment as it is by now: a hold that has run out is expired, whether or not the books say so yet."""
        ran_out = appointment.status == "held" and appointment.expires_at and appointment.expires_at <= self._clock()
        return appointment.model_copy(update={"status": "expired"}) if ran_out else appointment


def _utc(window: Window) -> Window:
    return Window(start=in_utc(window.start, what="start of a window"), end=in_utc(window.end, what="end of a window"))
