"""Outcome: what one event came to, as the ledger commits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LIVE = "live"
"""The run of what happens now; a replay has a run of its own."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The lease under which an event is handled; its epoch is refused once somebody else holds the lease."""

    lease: str
    epoch: int


class Outgoing(NamedTuple):
    """One event on its way to the bus: its id, its subject there, its wire type, and its encoded envelope."""

    id: str
    subject: str
    type: str
    body: bytes

    @property
    def tenant(self) -> str:
        """Whose it is, by its subject."""
        return self.subject.split(".", 2)[1]


class Outcome(NamedTuple):
    """That `handler` is done with `event` (an envelope's id), and what follows from it."""

    tenant: str
    handler: str
    event: str
    outgoing: tuple[Outgoing, ...] = ()
    run: str = LIVE
    fence: Fence | None = None
