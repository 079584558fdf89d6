"""Storms: many attempts on one calendar at once, and how long the slowest answer took."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from hayai.errors import BookingRefused
from hayai.ports.calendar import Appointment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

SECONDS = 2.0
"""The bound that every answer keeps, on a machine that has nothing else to do."""
TRACED = 10
"""How much slower a tracer (coverage) may make it."""
Outcome = Appointment | BookingRefused
_log = logging.getLogger(__name__)


async def storm(attempts: Iterable[Awaitable[Appointment]]) -> list[Outcome]:
    """All outcomes; any that is no appointment and no refusal fails the test, as does one that takes too long."""
    outcomes, slowest = await timed(attempts)
    assert slowest < bound()
    return outcomes


async def timed(attempts: Iterable[Awaitable[Appointment]]) -> tuple[list[Outcome], float]:
    """All outcomes, in the order of the attempts, and the seconds that the slowest took."""
    answers = await asyncio.gather(*map(_timed, attempts))
    slowest = max(seconds for _, seconds in answers)
    counted = Counter(type(each).__name__ for each, _ in answers)
    _log.info("%s, slowest %.2f s", dict(counted), slowest)
    return [each for each, _ in answers], slowest


def bound() -> float:
    """The seconds that an answer may take here and now: the more, the more others compete for each processor."""
    crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return SECONDS * crowded * (TRACED if sys.gettrace() else 1)


def winners(outcomes: Iterable[Outcome]) -> list[Appointment]:
    """Those who got what they asked for."""
    return [each for each in outcomes if isinstance(each, Appointment)]


async def _timed(attempt: Awaitable[Appointment]) -> tuple[Outcome, float]:
    begun = time.perf_counter()
    try:
        outcome: Outcome = await attempt
    except BookingRefused as refused:
        outcome = refused
    return outcome, time.perf_counter() - begun
