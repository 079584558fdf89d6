"""The staff API: a business's appointments, its calendar feeds, and the dead letters of its events."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, Field

from hayai import ics
from hayai.availability.slots import in_utc
from hayai.bus.base import Bus
from hayai.clock import Clock
from hayai.errors import WindowEmpty
from hayai.ports.calendar import Appointment
from hayai.ports.identity import Caller, CallerRole
from hayai.schedule import Window
from hayai.tier import Tier
from hayai.web.callers import admit

Tenant = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""Far from where dates end: a month more, or another zone, is still a date."""
_DESK: frozenset[CallerRole] = frozenset({"owner", "staff"})
_OPERATIONS: frozenset[CallerRole] = frozenset({"owner", "operator", "auditor"})
_CALENDAR_TYPE = "text/calendar; charset=utf-8"


def api(tier: Tier, bus: Bus, clock: Clock) -> APIRouter:
    """The routes under /v1; each asks for an API key of its tenant."""
    router = APIRouter(prefix="/v1/tenants/{tenant}", tags=["staff"])
    desk, operations = Depends(_door(tier, _DESK)), Depends(_door(tier, _OPERATIONS))

    @router.get("/appointments", dependencies=[desk])
    async def appointments(
        tenant: Tenant,
        start: Annotated[Instant | None, Query(description="from this instant; default: now")] = None,
        end: Annotated[Instant | None, Query(description="up to this instant; default: 30 days on")] = None,
    ) -> list[Appointment]:
        """Held and confirmed appointments that touch the window, in order of their start."""
        return await tier.calendar.appointments(tenant, _window(clock(), start, end))

    @router.get("/appointments/{appointment}.ics", dependencies=[desk])
    async def invitation(tenant: Tenant, appointment: Id) -> Response:
        """One appointment as an iCalendar file."""
        found, at = await tier.calendar.find(tenant, appointment), tier.business(tenant)
        file = ics.booking(found, at.schedule, business=at.name, address=at.address, now=clock())
        return Response(file, media_type=_CALENDAR_TYPE)

    @router.get("/resources/{resource}.ics", dependencies=[desk])
    async def feed(tenant: Tenant, resource: str) -> Response:
        """The appointments of one chair, room or person as a feed that a calendar program can subscribe to."""
        schedule, now = tier.business(tenant).schedule, clock()
        around = Window(start=now - timedelta(days=30), end=now + schedule.horizon)
        booked = await tier.calendar.appointments(tenant, around, resource=resource)
        return Response(ics.feed(booked, schedule, resource, now=now, names=True), media_type=_CALENDAR_TYPE)

    @router.get("/dead-letters", dependencies=[operations])
    async def dead_letters(tenant: Tenant, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[dict[str, Any]]:
        """The newest dead letters of this tenant's events: pointer, handler, error and attempts."""
        found = await bus.dead_letters(tenant=tenant, limit=limit)
        return [{"event": envelope.cause, "at": envelope.time, **letter.model_dump()} for envelope, letter in found]

    return router


def _door(tier: Tier, roles: frozenset[CallerRole]) -> Callable[..., Awaitable[Caller]]:
    async def check(request: Request, tenant: Tenant) -> Caller:
        return await admit(request, tier.identity, tenant=tenant, roles=roles)

    return check


def _window(now: datetime, start: datetime | None, end: datetime | None) -> Window:
    start = in_utc(start or now, what="start of the window")
    end = in_utc(end, what="end of the window") if end else start + timedelta(days=30)
    if end <= start:
        raise WindowEmpty("The window is empty: give an `end` that is later than `start`.")
    return Window(start=start, end=end)
