"""Books: what a calendar that decides by Hayai's rules keeps, and the few acts in which it keeps it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.ports.calendar import Appointment, Calendar
from hayai.tokens import derived

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from hayai.availability.slots import Busy
    from hayai.schedule import Schedule, Window


@dataclass(frozen=True)
class Request:
    """What was asked under a caller's idempotency key; both are digests, since a caller may put anything in a key."""

    key: str
    asked: str

    @classmethod
    def of(cls, key: str, *asked: str) -> Request:
        """The request for `asked` under `key`."""
        return cls(derived("request", key), derived("asked", *asked))


@dataclass(frozen=True)
class Placement:
    """An appointment as it would be, and the stretch that it keeps of each of its resources."""

    appointment: Appointment
    blocked: Window
    request: Request
    now: datetime
    """Holds that have run out by then give way."""
    was: Appointment | None = None
    """The appointment that moves, as it was read; absent for a new one."""


class Books(Calendar):
    """The acts that an adapter brings; it judges nothing but who was first. All instants come and go in UTC.

    Every act runs inside `_unit` and is whole or not at all. Two placements that would keep one resource at one
    instant must never both succeed, whatever else runs at the same time.
    """

    @abstractmethod
    def _unit(self, tenant: str) -> AbstractAsyncContextManager[object]:
        """One transaction for everything inside; joins the caller's, if there is one."""

    @abstractmethod
    async def _schedule(self, tenant: str) -> Schedule | None:
        """What install() took over last."""

    @abstractmethod
    async def _busy(self, tenant: str, resources: Sequence[str], window: Window, now: datetime) -> list[Busy]:
        """What keeps those resources anywhere in the window, but for holds that have run out by `now`."""

    @abstractmethod
    async def _asked(self, tenant: str, key: str) -> tuple[Request, Appointment] | None:
        """What was asked under that (digested) key before, and the appointment that came of it, as it is now."""

    @abstractmethod
    async def _place(self, placement: Placement) -> bool:
        """Keep the appointment under its request's key, in place of what it was; False if anything is in the way.

        In the way are: another live appointment on one of the resources, the key in use, `was` not what is stored.
        Holds that have run out are marked expired first, in the same act.
        """

    @abstractmethod
    async def _change(self, appointment: Appointment, was: Appointment) -> bool:
        """Keep another status or customer of an appointment; False where what is stored is not `was` any more.

        One that is cancelled keeps no resource any longer.
        """

    @abstractmethod
    async def _known(self, tenant: str, appointment: str) -> Appointment | None:
        """The appointment of that id, as it was kept last."""

    @abstractmethod
    async def _listed(
        self, tenant: str, window: Window, *, person: str | None, resource: str | None
    ) -> list[Appointment]:
        """Appointments kept as held or confirmed that touch the window, in order of start and then id."""
