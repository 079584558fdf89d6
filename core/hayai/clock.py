"""What time it is: a function that hands out aware instants, so that a test can move time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns now as an aware instant."""


def system_clock() -> datetime:
    """Now, in UTC, by the machine's clock."""
    return datetime.now(UTC)
