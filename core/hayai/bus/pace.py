"""Pace and Claim: how much of one handler a process does, and what makes that its own to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.ledger.outcome import Fence


PARKED_WINDOWS = 19
"""Of so many windows beyond the one in hand a consumer keeps stubs: some 500 bytes each, 5 MB with 512 in a window."""


@dataclass(frozen=True)
class Pace:
    """How much of one handler a process does at once, and what it tells the server; times in seconds."""

    concurrency: int
    """How many keys are worked on at once."""
    window: int
    """The most messages in hand with their bodies."""
    parked: int
    """The most messages beyond these of which only stubs are kept."""
    ack_wait: float
    """After this silence the server takes a message to be lost."""
    heartbeat: float
    """How often the server says that it is there."""
    ordered: bool = True
    """Whether events of one key come one at a time."""
    most_of_one: Callable[[str], int] | None = None
    """How many keys of that tenant are worked on at once, where that is limited."""


@dataclass(frozen=True)
class Claim:
    """What makes the partition this process's."""

    fence: Fence | None
    is_ours: Callable[[], bool]
    """Whether it is now, as far as we know: nothing is asked for where it is not."""
    confirm: Callable[[], Awaitable[bool]]
    """Whether it is ours alone, for certain. Raises Unavailable."""
