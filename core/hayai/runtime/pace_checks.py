"""Pace checks: what the doctor says of how long handlers take, beside what they are allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.doctor import Finding
from hayai.errors import HayaiError
from hayai.ledger.pace import read_paces
from hayai.runtime.oversight import overseen_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hayai.handlers import Subscription
    from hayai.ledger.pace import Pace
    from hayai.settings import InstallSettings

_MOST, _CLOSE = 0.99, 0.8
"""Of a hundred tries one may take longer than what is looked at; at four fifths of the timeout it is too near."""
_LEAST = 20
"""Fewer tries say nothing of one in a hundred."""
_PART = "handler times"


async def look_at_paces(settings: InstallSettings) -> dict[str, Pace]:
    """What the processes of the last hour have seen; nothing where the ledger cannot be read, which others say."""
    try:
        async with overseen_ledger(settings) as pool:
            return await read_paces(pool)
    except HayaiError:
        return {}


def handler_times(subscriptions: Iterable[Subscription], paces: Mapping[str, Pace], ack_wait: float) -> list[Finding]:
    """Whether handlers come near their timeout, and which outlast `ack_wait` (seconds).

    To outlast it is no fault: what is in work is told to be so three times within it.
    """
    known = [
        (each, pace, pace.within(_MOST) or 0.0)
        for each in subscriptions
        if (pace := paces.get(each.name)) and pace.attempts >= _LEAST
    ]
    slow = [
        Finding(_PART, ok=False, says=_too_slow(each, pace, seconds))
        for each, pace, seconds in known
        if seconds >= _CLOSE * each.policy.timeout
    ]
    return slow or [Finding(_PART, ok=True, says=_well([(each, seconds) for each, _, seconds in known], ack_wait))]


def _too_slow(each: Subscription, pace: Pace, seconds: float) -> str:
    return (
        f"{each.name} takes {_told(seconds)} at the 99th percentile of its {pace.attempts} tries of the last hour, and "
        f"is cancelled after {each.policy.timeout:g} s: raise the timeout of its policy, or let it do less at once."
    )


def _well(known: list[tuple[Subscription, float]], ack_wait: float) -> str:
    if not known:
        return f"no handler had {_LEAST} tries within the last hour"
    long = [f"{each.name} ({_told(seconds)})" for each, seconds in known if seconds > ack_wait]
    if long:
        return (
            f"far from their timeouts; {', '.join(long)} outlast the ack wait of {ack_wait:g} s, and are kept by a "
            f"sign of life every {ack_wait / 3:.1f} s, as long as nothing blocks the event loop"
        )
    return "far from their timeouts, and within the ack wait"


def _told(seconds: float) -> str:
    return f"{seconds:.3g} s"
