"""Statuses: how far a message got, in an order that only goes up, so that reports may come in any.

Twilio promises no order between its reports (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status).
"""

from __future__ import annotations

from typing import Literal

STATUSES = (
    "accepted",
    "scheduled",
    "queued",
    "sending",
    "sent",
    "canceled",
    "failed",
    "undelivered",
    "partially_delivered",
    "delivered",
    "read",
)
"""From the first to the last that may be reported. That it arrived is believed before that it did not."""
_FAILED = frozenset({"canceled", "failed", "undelivered"})
_ARRIVED = frozenset({"delivered", "read"})
_RANKS = {status: rank for rank, status in enumerate(STATUSES, start=1)}

Turn = Literal["arrived", "failed"]


def rank(status: str) -> int:
    """Its place in the order; 0 for a word that is not known, which changes nothing."""
    return _RANKS.get(status, 0)


def turn(before: str | None, after: str) -> Turn | None:
    """What is new when a message goes up from `before` to `after`; None where that says nothing new."""
    if after in _ARRIVED and before not in _ARRIVED:
        return "arrived"
    if after in _FAILED and before not in _FAILED:
        return "failed"
    return None
