"""BookedCalendar: the rules of a calendar, once for every adapter that keeps its own books.

A booking reads what is busy, chooses free resources, and places itself in one act of the books, which alone decide who
was first. Whoever was not, reads again and tries the next combination, until really none is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from hayai.availability.rules import Refusal, refusal, said, taken
from hayai.availability.slots import Visit, in_utc, reach
from hayai.booking.books import Placement, Request
from hayai.booking.reading import ReadCalendar
from hayai.errors import AppointmentGone, BookingRefused, HoldExpired, InThePast, SlotTaken, Unavailable
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Window
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from hayai.booking.books import Books
    from hayai.schedule import Schedule

_TRIES = 40
"""How often something starts over because somebody was faster: each time, somebody else has got on."""
_LIVE = ("held", "confirmed")


@dataclass(frozen=True)
class _Refused:
    """A no, before the other starts have been looked up."""

    refusal: Refusal
    visit: Visit
    wanted: datetime
    was: Appointment | None = None
    """The appointment that was to move: it is not in the way of its own alternatives, and its own start is none."""


_Outcome = Appointment | _Refused | None
"""None: somebody was faster, and it is worth another try."""


class BookedCalendar(ReadCalendar):
    """A Calendar by Hayai's rules; an adapter brings install() and its books."""

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
        """See Calendar."""
        start = in_utc(starts_at, what="start of an appointment")
        request = Request.of(key, "hold", service, start.isoformat(), customer.person, *sorted(resources))

        async def attempt(books: Books) -> _Outcome:
            visit = await self._visit(books, tenant, service, resources)
            return await self._book(books, visit, _draft(visit, start, customer), request)

        return await self._settle(tenant, attempt, request)

    async def move(self, tenant: str, appointment: str, starts_at: datetime, *, key: str) -> Appointment:
        """See Calendar."""
        start = in_utc(starts_at, what="start of an appointment")
        request = Request.of(key, "move", appointment, start.isoformat())

        async def attempt(books: Books) -> _Outcome:
            was = await self._found(books, appointment)
            visit = await self._visit(books, tenant, was.service, kept=was.resources)
            if was.status not in _LIVE or self._begun(was):
                return _Refused(_over(was, visit.schedule), visit, start)
            return await self._book(books, visit, _moved(was, visit, start), request, was)

        return await self._settle(tenant, attempt, request)

    async def confirm(self, tenant: str, appointment: str, *, customer: Customer | None = None) -> Appointment:
        """See Calendar."""

        async def attempt(books: Books) -> _Outcome:
            was = await self._found(books, appointment)
            if was.status not in _LIVE:
                visit = await self._visit(books, tenant, was.service)
                return _Refused(_over(was, visit.schedule), visit, was.starts_at)
            return await self._kept(books, was, status="confirmed", expires_at=None, customer=_completed(was, customer))

        return await self._settle(tenant, attempt)

    async def cancel(self, tenant: str, appointment: str) -> Appointment:
        """See Calendar."""

        async def attempt(books: Books) -> _Outcome:
            was = await self._found(books, appointment)
            if was.status == "confirmed" and self._begun(was):
                visit = await self._visit(books, tenant, was.service)
                return _Refused(_over(was, visit.schedule), visit, was.starts_at)
            return was if was.status == "expired" else await self._kept(books, was, status="cancelled", expires_at=None)

        return await self._settle(tenant, attempt)

    def _begun(self, appointment: Appointment) -> bool:
        return appointment.starts_at <= self._clock()

    async def _settle(
        self, tenant: str, attempt: Callable[[Books], Awaitable[_Outcome]], request: Request | None = None
    ) -> Appointment:
        """What `request` brought before, or what comes of `attempt`, started over while somebody was faster."""
        async with self._books(tenant) as books:
            for _ in range(_TRIES):
                outcome = (await self._repeated(books, request)) or (await attempt(books))
                if isinstance(outcome, _Refused):
                    # Between those two, the very same request may have gone through elsewhere: then it is no refusal.
                    outcome = (await self._repeated(books, request)) or await self._refuse(books, outcome)
                if outcome is not None:
                    return outcome
        raise Unavailable("Too many others are booking at this moment: try again in a few seconds.")

    async def _refuse(self, books: Books, refused: _Refused) -> NoReturn:
        also = [refused.wanted] if await self._still_free(books, refused) else []
        found = await self._alternatives(books, refused.visit, refused.wanted, was=refused.was, also=also)
        raise refused.refusal.error(refused.refusal.sentence, alternatives=found)

    async def _still_free(self, books: Books, refused: _Refused) -> bool:
        """Whether the start could be had after all, on the grid or not: it was the appointment that is over."""
        if refused.refusal.error is SlotTaken or refusal(refused.visit, refused.wanted, self._clock()):
            return False
        return await self._choice(books, refused.visit, refused.wanted) is not None

    async def _repeated(self, books: Books, request: Request | None) -> Appointment | None:
        if request is None or (found := await books.asked(request.key)) is None:
            return None
        earlier, appointment = found
        if earlier.asked != request.asked:
            raise BookingRefused(
                "This idempotency key belongs to another request: give every request a key of its own."
            )
        return self._as_of_now(appointment)

    async def _book(
        self, books: Books, visit: Visit, draft: Appointment, request: Request, was: Appointment | None = None
    ) -> _Outcome:
        """Place `draft` with resources that are free; None where somebody took one of them in between."""
        start, now = draft.starts_at, self._clock()
        if broken := refusal(visit, start, now):
            return _Refused(broken, visit, start, was)
        if (chosen := await self._choice(books, visit, start, was)) is None:
            return _Refused(taken(visit, start), visit, start, was)
        blocked = reach(visit, Window(start=start, end=start))
        booked = draft.model_copy(update={"resources": chosen, "expires_at": _expiry(draft, visit.schedule, now)})
        placed = await books.place(Placement(booked, blocked, request, now, was))
        return booked if placed else None

    async def _kept(self, books: Books, was: Appointment, **changes: Any) -> _Outcome:
        """The appointment with those changes; as it was where they change nothing, None where it is not as read."""
        changed = was.model_copy(update=changes)
        if changed == was:
            return was
        changed = changed.model_copy(update={"version": was.version + 1})
        return changed if await books.change(changed, was) else None


def _draft(visit: Visit, start: datetime, customer: Customer) -> Appointment:
    return Appointment(
        id=fresh(),
        tenant=visit.schedule.tenant,
        service=visit.service.id,
        starts_at=start,
        ends_at=visit.span(start)[1],
        resources=(),
        status="held",
        customer=customer,
    )


def _moved(was: Appointment, visit: Visit, start: datetime) -> Appointment:
    update = {"starts_at": start, "ends_at": visit.span(start)[1], "version": was.version + 1}
    return was.model_copy(update=update)


def _expiry(draft: Appointment, schedule: Schedule, now: datetime) -> datetime | None:
    return now + schedule.hold if draft.status == "held" else None


def _completed(was: Appointment, customer: Customer | None) -> Customer:
    """Who it is for: what is new stands, what the new one leaves out stays."""
    if customer is None:
        return was.customer
    old = was.customer
    return Customer(person=customer.person, name=customer.name or old.name, contact=customer.contact or old.contact)


def _over(was: Appointment, schedule: Schedule) -> Refusal:
    """Why nothing can be done about an appointment any more."""
    when = said(schedule, was.starts_at)
    if was.status == "cancelled":
        return Refusal(AppointmentGone, f"The appointment on {when} was cancelled: book a new one.")
    if was.status == "expired":
        return Refusal(HoldExpired, f"The hold on {when} ran out: hold that start again, or another one.")
    return Refusal(InThePast, f"The appointment on {when} has begun and cannot be changed any more: book a new one.")
