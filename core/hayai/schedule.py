"""What a business offers and when: services, resources, hours, exceptions. Pure data, no clock and no database."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterable

_MIDNIGHT = time(0)
_NOTHING = timedelta()


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Opening(_Frozen):
    """Open from `opens` to `closes`, wall time in the business's zone; `closes` may be "24:00", kept as 00:00."""

    opens: time
    closes: time

    @field_validator("closes", mode="before")
    @classmethod
    def _midnight(cls, closes: Any) -> Any:
        return _MIDNIGHT if isinstance(closes, str) and closes in {"24:00", "24:00:00"} else closes

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens.tzinfo is not None or self.closes.tzinfo is not None:
            raise ValueError("opening hours are wall time in the business's zone: write them without an offset")
        if self.opens >= self.closes != _MIDNIGHT:
            raise ValueError(
                f"an opening from {self.opens:%H:%M} to {self.closes:%H:%M} ends before it begins: "
                "for a night, open until 24:00 and, on the next day, from 00:00"
            )
        return self


Hours = dict[int, tuple[Opening, ...]]
"""Openings by weekday, Monday 0; a missing weekday has none."""


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
    hours: Hours | None = None
    """Within the business's hours and exceptions; absent: all of them."""

    @field_validator("hours")
    @classmethod
    def _weekdays(cls, hours: Hours | None) -> Hours | None:
        return None if hours is None else _known_weekdays(hours)


class Service(_Frozen):
    """What can be booked; buffers are kept free before and after, and buffers of neighbours stack.

    The buffers keep resources free, but need not lie within the hours: setting up may begin before the door opens.
    """

    id: str
    name: str
    also: tuple[str, ...] = ()
    """Other words that customers use for it."""
    duration: timedelta = Field(gt=_NOTHING)
    """Real time: an appointment over a change of the clocks is as long as any other."""
    before: timedelta = Field(default=_NOTHING, ge=_NOTHING)
    after: timedelta = Field(default=_NOTHING, ge=_NOTHING)
    needs: tuple[str, ...] = ()
    """Kinds of resource, one of each; a kind named twice means two of it."""
    price: str = ""


class Schedule(_Frozen):
    """Everything that decides which starts are free, apart from what is booked."""

    tenant: str
    timezone: str
    hours: Hours
    exceptions: tuple[DayException, ...] = ()
    services: tuple[Service, ...]
    resources: tuple[Resource, ...]
    step: timedelta = Field(default=timedelta(minutes=15), ge=timedelta(minutes=1))
    """Offered starts are this far apart, counted from each opening by the wall clock."""
    minimum_notice: timedelta = Field(default=timedelta(hours=2), ge=_NOTHING)
    horizon: timedelta = Field(default=timedelta(days=90), gt=_NOTHING)
    hold: timedelta = Field(default=timedelta(minutes=5), gt=_NOTHING)
    """How long a hold keeps a slot while the customer decides."""

    @property
    def zone(self) -> ZoneInfo:
        """The business's time zone."""
        return _zone(self.timezone)

    @field_validator("timezone")
    @classmethod
    def _zone_known(cls, timezone: str) -> str:
        try:
            _zone(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone {timezone!r}: write it as in 'America/New_York'") from None
        return timezone

    @field_validator("hours")
    @classmethod
    def _weekdays(cls, hours: Hours) -> Hours:
        return _known_weekdays(hours)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _once("service", (each.id for each in self.services))
        _once("resource", (each.id for each in self.resources))
        _once("exception", (each.day.isoformat() for each in self.exceptions))
        there = Counter(each.kind for each in self.resources)
        for service in self.services:
            _can_be_served(service, there)
        return self


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


@cache
def _zone(timezone: str) -> ZoneInfo:
    """Read from disk once and kept: ZoneInfo itself forgets, and would read again in the middle of a conversation."""
    return ZoneInfo(timezone)


def _known_weekdays(hours: Hours) -> Hours:
    if strange := sorted(set(hours) - set(range(7))):
        raise ValueError(f"no weekday {strange[0]}: weekdays go from 0 (Monday) to 6 (Sunday)")
    return hours


def _once(what: str, ids: Iterable[str]) -> None:
    if twice := [each for each, count in Counter(ids).items() if count > 1]:
        raise ValueError(f"the {what} {twice[0]!r} is there twice: give each one an id of its own")


def _can_be_served(service: Service, there: Counter[str]) -> None:
    if not service.needs:
        raise ValueError(
            f"the service {service.id!r} needs no resource, so nothing would keep two customers apart: "
            "name at least one kind under `needs`"
        )
    for kind, count in Counter(service.needs).items():
        if there[kind] < count:
            raise ValueError(
                f"the service {service.id!r} needs {count} of the kind {kind!r} and there are {there[kind]}: "
                "add a resource of that kind"
            )
