"""ICS (RFC 5545): one appointment as a file for a customer, and a feed of what a resource is booked for.

Instants are written in UTC, so no time zone has to travel along and none can be read wrong. There is no METHOD: these
are calendars to import or to subscribe to, not messages of an invitation (RFC 5546).
"""

# icalendar leaves the values that it takes untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import unicodedata
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import icalendar

from hayai.errors import ResourceUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from hayai.ports.calendar import Appointment
    from hayai.schedule import Schedule

_PRODUCT = "-//Hayai//Hayai 1//EN"
_STATUS = {"held": "TENTATIVE", "confirmed": "CONFIRMED", "cancelled": "CANCELLED", "expired": "CANCELLED"}
_REFRESH = timedelta(minutes=15)


def booking(appointment: Appointment, schedule: Schedule, *, business: str, address: str = "", now: datetime) -> bytes:
    """A calendar with this one appointment, for its customer: which service, at which business, where.

    Imported again after a change it replaces what was there: the same UID, a higher SEQUENCE, and STATUS:CANCELLED
    once it is off. `now` is when the file is made. Names of customers are not in it.
    """
    calendar = _calendar()
    event = _event(appointment, now)
    event.add("summary", _text(f"{_service(appointment, schedule)}, {business}"))
    if address:
        event.add("location", _text(address))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def feed(
    appointments: Iterable[Appointment], schedule: Schedule, resource: str, *, now: datetime, names: bool = False
) -> bytes:
    """A calendar to subscribe to: the appointments that need `resource` (an id), in the order given.

    With `names`, each says who it is for: for a feed that only the business's own people can read. Raises
    ResourceUnknown.
    """
    calendar = _calendar()
    title = next((each.name for each in schedule.resources if each.id == resource), None)
    if title is None:
        known = ", ".join(each.id for each in schedule.resources) or "none"
        raise ResourceUnknown(f"The business has no resource of that id: choose one of {known}.")
    calendar.add("name", _text(title))
    calendar.add("x-wr-calname", _text(title))
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for each in appointments:
        if resource in each.resources:
            event = _event(each, now)
            who = f": {each.customer.name}" if names and each.customer.name else ""
            event.add("summary", _text(f"{_service(each, schedule)}{who}"))
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _calendar() -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    return calendar


def _event(appointment: Appointment, now: datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{appointment.id}@{appointment.tenant}.hayai")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", appointment.starts_at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("sequence", appointment.version - 1)
    event.add("status", _STATUS[appointment.status])
    # What somebody sees a dentist for is nobody else's business, in a calendar that a family shares either.
    event.add("class", "PRIVATE")
    return event


def _service(appointment: Appointment, schedule: Schedule) -> str:
    return next((each.name for each in schedule.services if each.id == appointment.service), appointment.service)


def _text(value: str) -> str:
    """The value without what RFC 5545 (3.1, 3.3.11) cannot write: control characters but for tabs and line ends."""
    return "".join(each for each in value if each in "\t\r\n" or unicodedata.category(each) not in {"Cc", "Cs"})
