"""Consent: whether we may reach a person, and now, asked in the path of every outward act that does; no answer is a no.

An answer, and word of what was booked, need no leave until somebody takes it back; what sells needs a yes. Taking it
back is told from the customer's own words by a plugin (hayai.interceptors): this gate stands with or without one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hayai.errors import ConsentMissing, PermanentError, QuietHours, Withheld
from hayai.quiet import next_waking

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.business import Business
    from hayai.ports.consents import Consents
    from hayai.vocabulary.consent import Purpose

_IMPLIED: frozenset[Purpose] = frozenset({"answer", "service"})


@dataclass(frozen=True)
class Recipient:
    """Whom an act reaches, by which channel, and why.

    The purpose "consent" is for the one answer to STOP, START or HELP themselves, which a stop does not stop
    (47 CFR 64.1200(a)(12) allows it within five minutes).
    """

    person: str
    channel: str
    purpose: Purpose | Literal["consent"]
    zones: tuple[str, ...] = ()
    """IANA names of the time zones in which the person may be; none where only the business's own is known."""
    goes_on: bool = False
    """A further part of what was begun by day: it is not torn apart by the evening."""

    @property
    def waits_for_day(self) -> bool:
        """Whether the person did not just write to us, so that it keeps to the hours of the day."""
        return self.purpose in {"service", "marketing"} and not self.goes_on


async def refuse_unwanted(consents: Consents, tenant: str, to: Recipient) -> None:
    """Raises ConsentMissing where the person does not want it, Unavailable where nobody can say."""
    if to.purpose == "consent":
        return
    standing = await consents.standing(tenant, to.person, to.channel)
    if not standing.get(to.purpose, to.purpose in _IMPLIED):
        said = "has taken back leave" if to.purpose in standing else "never gave leave"
        raise ConsentMissing(f"The customer {said} for {to.purpose} by {to.channel}: reach them another way.")


async def refuse_at_night(business: Business, to: Recipient, now: datetime) -> None:
    """Raises QuietHours where it is night for the person, Withheld where no hour is day in all of their zones.

    PermanentError where this machine knows no such zone.
    """
    # In a thread, since a time zone that is new to this process is read from the disk.
    zones = await asyncio.to_thread(_known, to.zones or (business.schedule.timezone,))
    day = next_waking(now, zones, business.contact_hours)
    if day is None:
        raise Withheld("No hour is day in all the zones in which the customer may be: widen `contact_hours`.")
    if day > now:
        raise QuietHours(f"It is night for the customer: reach them from {day:%Y-%m-%d %H:%M} UTC on.", until=day)


def _known(names: tuple[str, ...]) -> list[ZoneInfo]:
    try:
        return [ZoneInfo(each) for each in names]
    except ZoneInfoNotFoundError as strange:
        raise PermanentError(
            f"Nobody can say whether it is night there: {strange}. Update the tzdata package."
        ) from None
