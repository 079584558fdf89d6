"""Store: the messages of one stream, by sequence, and how many bytes they take on the server's disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hayai.bus.sizes import size_of
from hayai.bus.twin.subjects import covers

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Stored:
    """One message as its stream keeps it."""

    sequence: int
    subject: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Store:
    """What one stream holds, in the order of its sequences; a sequence is never used again."""

    def __init__(self) -> None:
        self.messages: dict[int, Stored] = {}
        self.last = 0
        self.bytes = 0

    @property
    def first(self) -> int:
        """The lowest sequence that is held, or the next one to come."""
        return next(iter(self.messages), self.last + 1)

    def append(self, subject: str, body: bytes, headers: dict[str, str]) -> Stored:
        """Keep a message at the next sequence."""
        self.last += 1
        stored = self.messages[self.last] = Stored(self.last, subject, body, headers)
        self.bytes += size_of(subject, body, headers)
        return stored

    def remove(self, sequence: int) -> bool:
        """Forget one message; whether there was one."""
        gone = self.messages.pop(sequence, None)
        if gone is not None:
            self.bytes -= size_of(gone.subject, gone.body, gone.headers)
        return gone is not None

    def following(self, sequence: int, filters: Sequence[str]) -> Stored | None:
        """The first message at or behind `sequence` that one of the `filters` covers."""
        for place in range(max(sequence, self.first), self.last + 1):
            found = self.messages.get(place)
            if found is not None and any(covers(each, found.subject) for each in filters):
                return found
        return None

    def newest(self, subject: str) -> int:
        """The sequence of the newest message whose subject passes the filter `subject`; 0 where there is none."""
        return next((each.sequence for each in reversed(self.messages.values()) if covers(subject, each.subject)), 0)

    def covered(self, subject: str) -> list[Stored]:
        """The messages whose subject passes the filter `subject`."""
        return [each for each in self.messages.values() if covers(subject, each.subject)]
