"""What a business offers and when: services, resources, hours, exceptions. Pure data, no clock and no database."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Opening(_Frozen):
    """Open from `opens` to `closes`, wall time in the business's zone; `closes` may be 24:00 written 00:00."""

    opens: time
    closes: time


class DayException(_Frozen):
    """A day that differs from its weekday: a holiday (no openings) or other hours."""

    day: date
    openings: tuple[Opening, ...] = ()
    reason: str = ""


class Resource(_Frozen):
    """Somebody or something that one appointment at a time needs: a chair, a hygienist, a room."""

    id: str
    name: str
    kind: str
    hours: dict[int, tuple[Opening, ...]] | None = None
    """By weekday, Monday 0; absent: the business's hours."""


class Service(_Frozen):
    """What can be booked; buffers are kept free before and after, and buffers of neighbours stack."""

    id: str
    name: str
    also: tuple[str, ...] = ()
    """Other words that customers use for it."""
    duration: timedelta
    before: timedelta = timedelta()
    after: timedelta = timedelta()
    needs: tuple[str, ...] = ()
    """Kinds of resource, one of each."""
    price: str = ""


class Schedule(_Frozen):
    """Everything that decides which starts are free, apart from what is booked."""

    tenant: str
    timezone: str
    hours: dict[int, tuple[Opening, ...]]
    """By weekday, Monday 0; a missing weekday is closed."""
    exceptions: tuple[DayException, ...] = ()
    services: tuple[Service, ...]
    resources: tuple[Resource, ...]
    step: timedelta = timedelta(minutes=15)
    minimum_notice: timedelta = timedelta(hours=2)
    horizon: timedelta = timedelta(days=90)
    hold: timedelta = timedelta(minutes=5)
    """How long a hold keeps a slot while the customer decides."""

    @property
    def zone(self) -> ZoneInfo:
        """The business's time zone."""
        return ZoneInfo(self.timezone)


class Window(_Frozen):
    """From `start` up to but without `end`, aware instants."""

    start: datetime
    end: datetime


class Slot(_Frozen):
    """A free start, and the resources that would serve it."""

    service: str
    starts_at: datetime
    ends_at: datetime
    resources: tuple[str, ...] = Field(default=())
