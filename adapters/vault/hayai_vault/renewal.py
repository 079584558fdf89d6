"""Renewal: a token that ends is renewed at half of its time, for as long as its maximum allows."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from hayai.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
_SHORTEST, _LONGEST = 1.0, 86_400.0
"""Seconds between two looks at the token."""
_AFTER_A_FAILURE = 5.0


class Lease(NamedTuple):
    """What the server tells of a token: seconds that are left, 0 for a token without an end."""

    seconds: float
    renewable: bool


async def keep_alive(look: Callable[[], Awaitable[Lease]], renew: Callable[[], Awaitable[object]], place: str) -> None:
    """Renew until the token needs it no more, or cannot be; says in the log where somebody has to issue another."""
    while True:
        try:
            lease = await look()
            if not lease.seconds:
                return
            if not lease.renewable:
                _log.warning(
                    "The token for %s ends in %.0f s and cannot be renewed: issue another.", place, lease.seconds
                )
                return
            await asyncio.sleep(min(max(lease.seconds / 2, _SHORTEST), _LONGEST))
            await renew()
        except TransientError:
            await asyncio.sleep(_AFTER_A_FAILURE)
        except PermanentError as wrong:
            _log.warning("The token is not renewed any more, and may end: %s", wrong)
            return
