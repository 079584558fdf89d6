"""Effects: the protocol that an outward act goes through (a text sent, a model asked); the ledger keeps it.

An act is keyed by event, handler, kind and meaning. It is claimed before it is done and recorded after, so a second
delivery of the event finds what the first one did. Where nobody can say what became of a claimed act, the outcome is
unknown, and its kind declares what that means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Act = Callable[[], Awaitable[Any]]
"""Does it and returns what is worth keeping, a JSON value.

Raises what the provider's refusal means for delivery. A HayaiError says that nothing was done, so the act is free to be
tried again, with two exceptions: EffectUnknown, and OutcomeUnclear, after which the event is tried again. These, and
whatever is no HayaiError (a read that timed out, a cancellation), leave the outcome unknown."""
Reconcile = Callable[[], Awaitable[Any]]
"""What the provider says became of an unknown act: the value that `Act` would have returned, or None if it was never
done. Raises Unavailable where the provider does not say."""


@dataclass(frozen=True)
class EffectKind:
    """A kind of outward act and what its unknown outcome means.

    `reconcile` asks the provider; `again` does it once more, for acts that may be repeated; `ask` leaves it to a
    person: the event becomes a dead letter.
    """

    name: str
    unknown: Literal["reconcile", "again", "ask"]
    reaches_a_person: bool = False
    """Whether it needs the person's consent: a text, a call, a mail."""


class Effects(Protocol):
    """The outward acts of one handler for one event."""

    async def once(self, kind: EffectKind, meaning: str, act: Act, reconcile: Reconcile | None = None) -> Any:
        """What `act` returned, now or when it was first done; it is done at most once where `kind` can tell.

        `meaning` tells several acts of one kind apart and is the same whenever the event is handled again.
        Raises EffectUnknown where a person must decide, Fenced where this process no longer holds the event's
        partition, Unavailable where somebody else is at it just now, TypeError where `act` returned no JSON value
        (it was done; the next time null is returned), and whatever `act` or `reconcile` raises.
        """
        ...
