"""Complaints: a warning that strangers can cause as often as they like, and that is written down now and then."""

from __future__ import annotations

import logging
import time

_log = logging.getLogger(__name__)
_SECONDS = 60.0


class Complaints:
    """At most one line a minute; it tells how often the same happened since the one before."""

    def __init__(self) -> None:
        self._next = 0.0
        self._many = 0

    def tell(self, sentence: str) -> None:
        """Something was refused."""
        self._many += 1
        now = time.monotonic()
        if now >= self._next:
            _log.warning("Refused, %d in the last minute: %s", self._many, sentence)
            self._next, self._many = now + _SECONDS, 0
