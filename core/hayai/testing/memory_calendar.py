"""MemoryCalendar: the calendar's twin, with the very rules of the real one and its books in this process.

It knows no transaction: what a test's handler does before it fails is not undone.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.availability.slots import Busy
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


class MemoryCalendar(BookedCalendar):
    """Keeps everything in this process; each act is atomic because nothing in it awaits."""

    def __init__(self, settings: Settings = _NOTHING, *, clock: Clock = system_clock) -> None:
        super().__init__(clock=clock)
        self.settings = settings
        self._schedules: dict[str, Schedule] = {}
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._requests: dict[tuple[str, str], tuple[Request, str]] = {}

    async def install(self, schedule: Schedule) -> None:
        """See Calendar."""
        self._schedules[schedule.tenant] = schedule

    def _unit(self, tenant: str) -> AbstractAsyncContextManager[object]:
        del tenant
        return nullcontext()

    async def _schedule(self, tenant: str) -> Schedule | None:
        return self._schedules.get(tenant)

    async def _busy(self, tenant: str, resources: Sequence[str], window: Window, now: datetime) -> list[Busy]:
        return [
            Busy(resource, each.blocked.start, each.blocked.end, each.appointment.id)
            for each in self._live(tenant, window, now)
            for resource in each.appointment.resources
            if resource in resources
        ]

    async def _asked(self, tenant: str, key: str) -> tuple[Request, Appointment] | None:
        if (found := self._requests.get((tenant, key))) is None:
            return None
        request, appointment = found
        return request, self._entries[tenant, appointment].appointment

    async def _place(self, placement: Placement) -> bool:
        new, tenant = placement.appointment, placement.appointment.tenant
        if (tenant, placement.request.key) in self._requests or not self._stands(tenant, new.id, placement.was):
            return False
        for each in self._live(tenant, placement.blocked, placement.now):
            if each.appointment.id != new.id and set(each.appointment.resources) & set(new.resources):
                return False
        self._entries[tenant, new.id] = _Entry(new, placement.blocked)
        self._requests[tenant, placement.request.key] = placement.request, new.id
        return True

    async def _change(self, appointment: Appointment, was: Appointment) -> bool:
        tenant = appointment.tenant
        if not self._stands(tenant, appointment.id, was):
            return False
        self._entries[tenant, appointment.id] = _Entry(appointment, self._entries[tenant, appointment.id].blocked)
        return True

    async def _known(self, tenant: str, appointment: str) -> Appointment | None:
        found = self._entries.get((tenant, appointment))
        return None if found is None else found.appointment

    async def _listed(
        self, tenant: str, window: Window, *, person: str | None, resource: str | None
    ) -> list[Appointment]:
        found = [
            each.appointment
            for (owner, _), each in self._entries.items()
            if owner == tenant
            and each.appointment.status in {"held", "confirmed"}
            and _meet(Window(start=each.appointment.starts_at, end=each.appointment.ends_at), window)
            and (person is None or each.appointment.customer.person == person)
            and (resource is None or resource in each.appointment.resources)
        ]
        return sorted(found, key=lambda each: (each.starts_at, each.id))

    def _stands(self, tenant: str, appointment: str, was: Appointment | None) -> bool:
        kept = self._entries.get((tenant, appointment))
        return (kept.appointment if kept else None) == was

    def _live(self, tenant: str, window: Window, now: datetime) -> Iterator[_Entry]:
        for (owner, _), each in self._entries.items():
            if owner == tenant and each.live(now) and _meet(each.blocked, window):
                yield each


def _meet(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end
