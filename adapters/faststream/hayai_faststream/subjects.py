"""Subjects of FastStream routes: which event each names, and an event for those who have no class for it."""

from __future__ import annotations

import re
from functools import cache
from types import new_class
from typing import Any

from hayai.errors import HandlerMisdeclared
from hayai.event import Event

_SUBJECT = re.compile(
    r"(?:ev\.[^.]+\.[^.]+\.[^.]+\.)?(?P<name>[a-z][a-z0-9]*(?:\.[a-z][a-z0-9]*)+?)(?:\.v(?P<version>[1-9][0-9]*)|\.\*|\.\{\w+\})?"
)


class OpenEvent(Event, type="event.open", version=1, extra="allow"):
    """An event whose fields nobody declared: it takes any, and none of them is marked as a person's data."""


def event_of(subject: str, *, where: str) -> tuple[str, int | None]:
    """The event's name and version that a subject says: `noun.verbed`, `noun.verbed.vN`, or the bus's own subject.

    Raises HandlerMisdeclared, which tells `where`, for any other.
    """
    found = _SUBJECT.fullmatch(subject)
    if found is None:
        raise HandlerMisdeclared(
            f"{where} has the subject {subject!r}, which names no event: write noun.verbed, as appointment.booked, or "
            "noun.verbed.vN; who may read what is not in the subject here."
        )
    return found["name"], int(found["version"]) if found["version"] else None


@cache
def open_event(name: str, version: int) -> type[Event]:
    """The event `name` in that version, with any fields."""
    written = name.title().replace(".", "")
    options: dict[str, Any] = {"type": name, "version": version}
    return new_class(written, (OpenEvent,), options, lambda space: space.update(__module__=__name__))
