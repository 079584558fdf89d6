"""Calendar: open slots, hold, confirm, move, cancel; no two appointments ever share a resource."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from hayai.ports.base import Adapter
from hayai.schedule import Schedule, Slot, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

_END = datetime.max.replace(tzinfo=UTC)
"""Beyond every horizon, which ends the search."""

Status = Literal["held", "confirmed", "cancelled", "expired"]


class Customer(BaseModel):
    """Who an appointment is for; `person` is opaque, the rest is personal and stays in the calendar."""

    model_config = ConfigDict(frozen=True)

    person: str
    name: str = Field(default="", repr=False)
    contact: str = Field(default="", repr=False)


class Appointment(BaseModel):
    """One booking. `version` grows with every change (an ICS SEQUENCE)."""

    model_config = ConfigDict(frozen=True)

    id: str
    tenant: str
    service: str
    starts_at: datetime
    ends_at: datetime
    resources: tuple[str, ...]
    status: Status
    customer: Customer
    expires_at: datetime | None = None
    version: int = 1


class Calendar(Adapter):
    """Instants are aware; every method raises Unavailable where the store does not answer.

    Writes join the transaction that is open in the calling task, if one is (see hayai.pools). The rules stand in
    hayai.booking, for every adapter that keeps its own books; an adapter for a foreign calendar brings its own.
    A tenant without a schedule raises SettingsError.
    """

    @abstractmethod
    async def install(self, schedule: Schedule) -> None:
        """Take over what a business offers and when; what is booked already stays."""

    @abstractmethod
    async def open_slots(
        self, tenant: str, service: str, window: Window, *, limit: int = 50, resources: Sequence[str] = ()
    ) -> list[Slot]:
        """The first `limit` free starts of the window, in order: within hours, notice and horizon.

        `resources` asks for these very ones, as far as given. Raises ServiceUnknown, ResourceUnknown.
        """

    async def next_open(
        self, tenant: str, service: str, after: datetime, count: int = 3, *, resources: Sequence[str] = ()
    ) -> list[Slot]:
        """The next `count` free starts from `after` on, however far off they are. Raises as open_slots() does."""
        window = Window(start=after, end=_END)
        return await self.open_slots(tenant, service, window, limit=count, resources=resources)

    @abstractmethod
    async def hold(
        self,
        tenant: str,
        service: str,
        starts_at: datetime,
        *,
        customer: Customer,
        key: str,
        resources: Sequence[str] = (),
    ) -> Appointment:
        """Keep a slot for the schedule's hold time; the same idempotency `key` gets the same appointment.

        That appointment may be confirmed, cancelled or expired by then: look at its status. A start need not be one
        that open_slots() offers, only free and within the rules. `resources` asks for these very ones, as far as given.
        Raises a BookingRefused, with at least two alternatives where the horizon has them; its plain class where a
        key comes back with another request.
        """

    @abstractmethod
    async def confirm(self, tenant: str, appointment: str, *, customer: Customer | None = None) -> Appointment:
        """Make a hold an appointment; what `customer` gives completes who it is for. Confirming twice is no error.

        Raises HoldExpired (its slot is among the alternatives where it is free still), AppointmentGone.
        """

    @abstractmethod
    async def move(self, tenant: str, appointment: str, starts_at: datetime, *, key: str) -> Appointment:
        """Another start for the same appointment, or nothing changes at all.

        It may overlap its own old slot, keeps its resources where they are free, and stays held (for a whole hold
        time again) or confirmed. Raises a BookingRefused.
        """

    @abstractmethod
    async def cancel(self, tenant: str, appointment: str) -> Appointment:
        """Free the slot; cancelling twice is no error.

        Raises AppointmentGone where there never was one, InThePast where a confirmed one has begun: it took place, or
        was missed, and stays on record.
        """

    @abstractmethod
    async def find(self, tenant: str, appointment: str) -> Appointment:
        """One appointment. Raises AppointmentGone where this tenant has none of that id."""

    @abstractmethod
    async def appointments(
        self, tenant: str, window: Window, *, person: str | None = None, resource: str | None = None
    ) -> list[Appointment]:
        """Held and confirmed appointments that touch the window, in order of their start."""
