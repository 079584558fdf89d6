"""Desk: what one turn may reach, bound to the one person and the one tenant that the envelope names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from hayai.availability.rota import Rota, exception, openings
from hayai.errors import AppointmentGone
from hayai.ports.calendar import Customer
from hayai.schedule import Window
from hayai.tokens import derived

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hayai.business import Business
    from hayai.ports.calendar import Appointment, Calendar
    from hayai.schedule import Opening, Resource, Service

_FAR = timedelta(days=800)


@dataclass(frozen=True)
class Desk:
    """Nothing that a customer writes can widen it: every call names this tenant and this person."""

    business: Business
    calendar: Calendar
    person: str
    channel: str
    now: datetime
    turn: tuple[str, str]
    """Conversation and event id: what makes idempotency keys repeat on a redelivery."""
    asked: str = ""
    """The resource that the customer asked for."""

    @property
    def tenant(self) -> str:
        """Whose calendar it is."""
        return self.business.tenant

    @property
    def zone(self) -> ZoneInfo:
        """The business's time zone."""
        return self.business.schedule.zone

    @property
    def services(self) -> tuple[Service, ...]:
        """What can be booked."""
        return self.business.schedule.services

    def service(self, id_: str) -> Service | None:
        """The service of that id, or None where the business offers it no more."""
        return next((each for each in self.services if each.id == id_), None)

    def title(self, id_: str) -> str:
        """The name of a service as it is said."""
        service = self.service(id_)
        return service.name if service else "Appointment"

    @property
    def staff(self) -> tuple[Resource, ...]:
        """All that a service may need, people among them."""
        return self.business.schedule.resources

    def chosen(self, service: str) -> tuple[str, ...]:
        """The one who is asked for, where the service needs one of their kind."""
        offered = self.service(service)
        needs = offered.needs if offered else ()
        return tuple(each.id for each in self.staff if each.id == self.asked and each.kind in needs)

    def wanted(self, id_: str) -> str:
        """The name of a service as it is booked now: `Cleaning with Mia` where she is asked for."""
        names = [each.name for each in self.staff if each.id in self.chosen(id_)]
        return " with ".join((self.title(id_), *names))

    def local(self, instant: datetime) -> datetime:
        """`instant` on the business's clocks."""
        return instant.astimezone(self.zone)

    def today(self) -> date:
        """The date at the business."""
        return self.local(self.now).date()

    def midnight(self, day: date) -> datetime:
        """The instant at which `day` begins at the business."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def openings(self, day: date) -> tuple[Opening, ...]:
        """When the business is open on `day`; empty when it is closed."""
        return openings(self.business.schedule, day)

    def on_grid(self, start: datetime) -> bool:
        """Whether `start` is one of those that the business gives out: steps from each opening."""
        return start in Rota(self.business.schedule, start, start).starts()

    def exception(self, day: date) -> str:
        """Why `day` differs from its weekday; empty when it does not, or nobody said why."""
        special = exception(self.business.schedule, day)
        return special.reason if special else ""

    def key(self, meaning: str) -> str:
        """An idempotency key that is the same whenever this message is handled again."""
        return derived("receptionist", *self.turn, meaning)

    def customer(self, name: str = "", contact: str = "") -> Customer:
        """Who a booking is for."""
        return Customer(person=self.person, name=name, contact=contact)

    async def free(self, service: str, start: datetime, end: datetime, limit: int = 300) -> list[datetime]:
        """Free starts from `start` up to before `end`, in order; never one that has gone by."""
        if end <= max(start, self.now):
            return []
        window = Window(start=max(start, self.now), end=end)
        slots = await self.calendar.open_slots(
            self.tenant, service, window, limit=limit, resources=self.chosen(service)
        )
        return [each.starts_at for each in slots]

    async def own(self) -> list[Appointment]:
        """This person's confirmed appointments to come, in order."""
        window = Window(start=self.now, end=self.now + _FAR)
        found = await self.calendar.appointments(self.tenant, window, person=self.person)
        return [each for each in found if each.status == "confirmed" and each.starts_at > self.now]

    async def mine(self, appointment: str) -> Appointment | None:
        """That appointment if it is this person's and still stands, else None."""
        found = await self.once_mine(appointment)
        return found if found and self._stands(found) else None

    async def once_mine(self, appointment: str) -> Appointment | None:
        """That appointment if it is or was this person's, whatever became of it, else None."""
        try:
            found = await self.calendar.find(self.tenant, appointment) if appointment else None
        except AppointmentGone:
            return None
        return found if found and found.customer.person == self.person else None

    def _stands(self, found: Appointment) -> bool:
        lapsed = found.status == "held" and found.expires_at is not None and found.expires_at <= self.now
        return found.status in {"held", "confirmed"} and not lapsed

    async def release(self, held: str) -> None:
        """Give a hold of this person back; nothing happens to an appointment that is confirmed."""
        found = await self.mine(held)
        if found is not None and found.status == "held":
            await self.calendar.cancel(self.tenant, held)
