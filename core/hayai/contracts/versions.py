"""Which versions of an event a class can read: its own, and those that its upcast() leads from."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hayai.errors import VersionUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hayai.event import Event


@cache
def reads(event: type[Event]) -> tuple[int, ...]:
    """The versions that `event` reads, oldest first.

    Its upcast() is asked with no data at all: only a VersionUnknown says that no way leads from there.
    """
    return (*(version for version in range(1, event.version) if _has_a_way(event, version)), event.version)


def told(versions: Iterable[int]) -> str:
    """`v1, v2`."""
    return ", ".join(f"v{each}" for each in versions)


def _has_a_way(event: type[Event], version: int) -> bool:
    try:
        event.upcast({}, version)
    except VersionUnknown:
        return False
    except Exception:  # noqa: BLE001 - it misses the data, so it would have read them
        return True
    return True
