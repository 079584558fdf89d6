"""Retry: how long to wait before an event is tried again."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from hayai.errors import RateLimited

if TYPE_CHECKING:
    from hayai.handlers import Policy

_LONGEST_ASKED = 86_400.0


def backoff(policy: Policy, failures: int, wrong: BaseException | None = None) -> float:
    """Seconds to wait after that many `failures` (1 or more).

    Doubles from the policy's first delay up to its longest, and draws from the upper half of that, so that handlers
    which failed together do not come back together. Never shorter than a RateLimited asked for, up to a day.
    """
    # 2.0**1024 overflows; no policy's longest delay is that long
    whole = min(policy.longest_delay, policy.first_delay * 2.0 ** min(failures - 1, 64))
    return max(_asked(wrong), random.uniform(whole / 2, whole))  # noqa: S311 - spreads load, guards no secret


def _asked(wrong: BaseException | None) -> float:
    """Seconds that a RateLimited names; what is no length of time is not kept to."""
    after = wrong.after if isinstance(wrong, RateLimited) else None
    return min(after, _LONGEST_ASKED) if after is not None and math.isfinite(after) else 0.0
