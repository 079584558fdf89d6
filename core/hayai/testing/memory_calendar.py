"""MemoryCalendar: the calendar's twin, with the very rules of the real one and its books in this process.

It knows no transaction: what a test's handler does before it fails is not undone.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.availability.slots import Busy
from hayai.booking.books import Books
from hayai.booking.calendar import BookedCalendar
from hayai.clock import Clock, system_clock
from hayai.ports.base import Settings
from hayai.schedule import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from hayai.booking.books import Placement, Request
    from hayai.ports.calendar import Appointment
    from hayai.schedule import Schedule

_NOTHING = Settings()


@dataclass(frozen=True)
class _Entry:
    appointment: Appointment
    blocked: Window

    def live(self, now: datetime) -> bool:
        """Whether it keeps its resources: no hold that has run out does."""
        kept = self.appointment
        return kept.status == "confirmed" or (
            kept.status == "held" and kept.expires_at is not None and kept.expires_at > now
        )


class MemoryBooks(Books):
    """One tenant's books; each act is atomic because nothing in it awaits."""

    def __init__(self) -> None:
        self.installed: Schedule | None = None
        self._entries: dict[str, _Entry] = {}
        self._requests: dict[str, tuple[Request, str]] = {}

    async def schedule(self) -> Schedule | None:
        """See Books."""
        return self.installed

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
        del room
        return [
            Busy(resource, each.blocked.start, each.blocked.end)
            for each in self._live(window, now)
            for resource in each.appointment.resources
            if resource in resources and each.appointment.id != but
        ]

    async def asked(self, key: str) -> tuple[Request, Appointment] | None:
        """See Books."""
        if (found := self._requests.get(key)) is None:
            return None
        request, appointment = found
        return request, self._entries[appointment].appointment

    async def place(self, placement: Placement) -> bool:
        """See Books."""
        new, key = placement.appointment, placement.request.key
        if key in self._requests or not self._stands(new.id, placement.was):
            return False
        for each in self._live(placement.blocked, placement.now):
            if each.appointment.id != new.id and set(each.appointment.resources) & set(new.resources):
                return False
        self._entries[new.id] = _Entry(new, placement.blocked)
        self._requests[key] = placement.request, new.id
        return True

    async def change(self, appointment: Appointment, was: Appointment) -> bool:
        """See Books."""
        if not self._stands(appointment.id, was):
            return False
        self._entries[appointment.id] = replace(self._entries[appointment.id], appointment=appointment)
        return True

    async def known(self, appointment: str) -> Appointment | None:
        """See Books."""
        found = self._entries.get(appointment)
        return None if found is None else found.appointment

    async def listed(self, window: Window, *, person: str | None, resource: str | None) -> list[Appointment]:
        """See Books."""
        found = [
            each
            for each in (entry.appointment for entry in self._entries.values())
            if each.status in {"held", "confirmed"}
            and _meet(Window(start=each.starts_at, end=each.ends_at), window)
            and person in {None, each.customer.person}
            and (resource is None or resource in each.resources)
        ]
        return sorted(found, key=lambda each: (each.starts_at, each.id))

    def _stands(self, appointment: str, was: Appointment | None) -> bool:
        kept = self._entries.get(appointment)
        return (kept.appointment if kept else None) == was

    def _live(self, window: Window, now: datetime) -> Iterator[_Entry]:
        return (each for each in self._entries.values() if each.live(now) and _meet(each.blocked, window))


class MemoryCalendar(BookedCalendar):
    """Keeps everything in this process."""

    def __init__(self, settings: Settings = _NOTHING, *, clock: Clock = system_clock) -> None:
        super().__init__(clock=clock)
        self.settings = settings
        self._tenants: defaultdict[str, MemoryBooks] = defaultdict(MemoryBooks)

    async def install(self, schedule: Schedule) -> None:
        """See Calendar."""
        self._tenants[schedule.tenant].installed = schedule

    def _books(self, tenant: str) -> AbstractAsyncContextManager[Books]:
        return nullcontext(self._tenants[tenant])


def _meet(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end
