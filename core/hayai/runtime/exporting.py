"""Exporting: while an install runs, its traces and metrics leave for a collector, where the environment names one."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.errors import SettingsError
from hayai.ledger.overview import ledger_state
from hayai.runtime.oversight import overseen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from hayai.bus.base import Bus
    from hayai.runtime.oversight import Oversight
    from hayai.settings import InstallSettings
    from hayai.telemetry.instruments import Waiting

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 15.0
_SWITCH = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")


@asynccontextmanager
async def exported(
    settings: InstallSettings,
    bus: Bus,
    environment: Mapping[str, str],
    *,
    looking: bool = True,
    every: float = _EVERY_SECONDS,
) -> AsyncGenerator[None]:
    """What `bus` counts and traces; and, where `looking`, what waits at its server and in its ledger.

    The latter is looked at `every` few seconds; a plugin's own process has not the rights to.
    Raises what hayai.telemetry.otlp.begin raises.
    """
    if not any(environment.get(name) for name in _SWITCH):  # the SDK takes its time to import
        yield
        return
    from hayai.telemetry.otlp import begin

    export = begin(bus.meters, environment)
    if export is None:
        yield
        return
    looks = [asyncio.create_task(_look(settings, export.waiting, every))] if looking else []
    try:
        yield
    finally:
        for each in looks:
            each.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
        await asyncio.to_thread(export.stop)


async def _look(settings: InstallSettings, waiting: Waiting, every: float) -> None:
    """Put into `waiting` what is seen, again and again."""
    while True:
        try:
            async with overseen(settings) as oversight:
                while True:
                    await _glance(oversight, waiting)
                    await asyncio.sleep(every)
        except SettingsError as wrong:  # no bus on NATS: there is nothing to look at
            _log.info("Lag and outbox are not exported: %s", wrong)
            return
        except Exception as wrong:  # noqa: BLE001 - whatever it is, the next look may do better
            _log.warning("Lag and outbox cannot be looked at: %s", explained(wrong))
            await asyncio.sleep(every)


async def _glance(oversight: Oversight, waiting: Waiting) -> None:
    places, ledger = await oversight.lookout.places(), await ledger_state(oversight.pool)
    waiting.lag = {name: place.lag for name, place in places.items()}
    waiting.in_flight = {name: place.in_flight for name, place in places.items()}
    waiting.outbox, waiting.outbox_age = ledger.waiting, ledger.oldest or 0.0
