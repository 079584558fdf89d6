"""Books: what a calendar that decides by Hayai's rules keeps, and the few acts in which it keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai.tokens import derived

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hayai.availability.slots import Busy
    from hayai.ports.calendar import Appointment
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


class Books(ABC):
    """One tenant's books, open in one transaction; judges nothing but who was first. All instants are in UTC.

    Every act is whole or not at all, and leaves the transaction usable when it says no. Two placements that would keep
    one resource at one instant must never both succeed, whatever else runs at the same time.
    """

    @abstractmethod
    async def schedule(self) -> Schedule | None:
        """What install() took over last."""

    @abstractmethod
    async def busy(
        self,
        resources: Sequence[str],
        window: Window,
        now: datetime,
        *,
        but: str | None = None,
        room: timedelta = timedelta.resolution,
    ) -> list[Busy]:
        """What keeps those resources anywhere in the window, but for holds that have run out by `now`.

        The appointment `but` is left out. Stretches with less than `room` between them may be told as one: nobody who
        asks needs to know of a gap that is too short, and a full calendar is read the quicker.
        """

    @abstractmethod
    async def asked(self, key: str) -> tuple[Request, Appointment] | None:
        """What was asked under that (digested) key before, and the appointment that came of it, as it is now."""

    @abstractmethod
    async def place(self, placement: Placement) -> bool:
        """Keep the appointment under its request's key, in place of what it was; False if anything is in the way.

        In the way are: another live appointment on one of the resources, the key in use, `was` not what is kept.
        """

    @abstractmethod
    async def change(self, appointment: Appointment, was: Appointment) -> bool:
        """Keep another status or customer of an appointment; False where what is kept is not `was` any more.

        One that is cancelled keeps no resource any longer.
        """

    @abstractmethod
    async def known(self, appointment: str) -> Appointment | None:
        """The appointment of that id, as it was kept last."""

    @abstractmethod
    async def listed(self, window: Window, *, person: str | None, resource: str | None) -> list[Appointment]:
        """Appointments kept as held or confirmed that touch the window, in order of start and then id."""
