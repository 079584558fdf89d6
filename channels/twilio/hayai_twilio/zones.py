"""Zones: where the owner of a telephone number may be, told from its prefix."""

from __future__ import annotations

from phonenumbers import NumberParseException, parse
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number


def zones_of(address: str) -> tuple[str, ...]:
    """The IANA time zones of the region of an E.164 number, also of WhatsApp's; none where its prefix tells nothing.

    A mobile keeps its number when its owner moves: this is where they are likely to be, and all that can be known.
    """
    try:
        found = time_zones_for_number(parse(address.rpartition(":")[2]))
    except NumberParseException:
        return ()
    return tuple(each for each in found if each != UNKNOWN_TIMEZONE)
