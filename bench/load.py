"""Load: the one event that every side publishes and consumes, 450 bytes as a structured CloudEvent, over 200 keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.envelope import PlainCodec, encode, wrap
from hayai.event import Event

if TYPE_CHECKING:
    from hayai.envelope import Envelope

KEYS = 200
TENANT = "acme"
STREAM = "EVENTS"
FILTER = "ev.*.*.*.appointment.booked.*"
"""The stored subjects of the event: ev.PARTITION.TENANT.KEY.appointment.booked.vN."""

_FIELDS = {
    "person": "p" * 24,
    "service": "checkup",
    "starts_at": "2026-12-01T10:00:00+00:00",
    "note": "n" * 118,
}


class Booked(Event, type="appointment.booked", version=1):
    """What is published."""

    person: str
    service: str
    starts_at: str
    note: str


class Confirmed(Event, type="appointment.confirmed", version=1):
    """What a handler that has a follow-up returns."""

    person: str
    service: str
    starts_at: str
    note: str


def booked() -> Booked:
    """One event, made anew as an application would make it."""
    return Booked(**_FIELDS)


def confirmed() -> Confirmed:
    """One follow-up."""
    return Confirmed(**_FIELDS)


def key(number: int, keys: int = KEYS) -> str:
    """The ordering key of the event of that number, out of so many."""
    return f"key{number % keys}"


def subject(number: int) -> str:
    """The subject that the event of that number is published on."""
    return f"ev.{TENANT}.{key(number)}.appointment.booked.v1"


def envelope(number: int, *, id: str | None = None) -> Envelope:  # noqa: A002 - CloudEvents' word
    """The event of that number in its envelope."""
    return wrap(booked(), tenant=TENANT, source="/bench", codec=PlainCodec(), key=key(number), id=id)


def body(number: int, *, id: str | None = None) -> bytes:  # noqa: A002 - CloudEvents' word
    """The same as it travels, for a side that publishes bytes."""
    return encode(envelope(number, id=id))
