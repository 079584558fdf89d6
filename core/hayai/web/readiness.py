"""Readiness: which parts of the install work now, asked at most once a second however many want to know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.errors import HayaiError

if TYPE_CHECKING:
    from collections.abc import Mapping

Check = Callable[[], Awaitable[None]]
"""Returns when a part of the install works; raises a HayaiError with a sentence when it does not."""

_log = logging.getLogger(__name__)
_FRESH_SECONDS = 1.0
_PATIENCE = 5.0
"""Seconds for one part: what does not answer within them does not work, and holds up nobody who asks."""


class Readiness:
    """Whoever stands before the door may ask; why a part does not work names our servers, and goes to the log."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._sentences: dict[str, str] = {}
        self._asked = -_FRESH_SECONDS
        self._asking = asyncio.Lock()

    async def parts(self) -> dict[str, bool]:
        """Part -> whether it works, as it was within the last second."""
        async with self._asking:
            if time.monotonic() - self._asked >= _FRESH_SECONDS:
                await self._ask()
        return {name: name not in self._sentences for name in self._checks}

    async def _ask(self) -> None:
        found = {name: said for name, check in self._checks.items() if (said := await _outcome(check))}
        for name in found.keys() - self._sentences.keys():
            _log.warning("Not ready: %s: %s", name, found[name])
        self._sentences, self._asked = found, time.monotonic()


async def _outcome(check: Check) -> str:
    """What is wrong; empty where nothing is."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return f"It did not answer within {_PATIENCE:g} s."
    except HayaiError as wrong:
        return str(wrong)
    except Exception as broken:  # noqa: BLE001 - a check with a defect is a part that does not work, for one
        return f"Its check broke off: {explained(broken)}."
    return ""
