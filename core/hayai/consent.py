"""Consent: whether we may reach a person, asked in the path of every outward act that does; no answer is a no.

An answer, and word of what was booked, need no leave until somebody takes it back; what sells needs a yes. Taking it
back is told from the customer's own words by a plugin (hayai.interceptors): this gate stands with or without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hayai.errors import ConsentMissing

if TYPE_CHECKING:
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


async def refuse_unwanted(consents: Consents, tenant: str, to: Recipient) -> None:
    """Raises ConsentMissing where the person does not want it, Unavailable where nobody can say."""
    if to.purpose == "consent":
        return
    standing = await consents.standing(tenant, to.person, to.channel)
    if not standing.get(to.purpose, to.purpose in _IMPLIED):
        said = "has taken back leave" if to.purpose in standing else "never gave leave"
        raise ConsentMissing(f"The customer {said} for {to.purpose} by {to.channel}: reach them another way.")
