"""Bus safety: where the tier file demands it, nothing starts on a server that may lose or double an event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai.bus.lookout import Lookout
from hayai.bus.nats import NatsSettings
from hayai.bus.streams import NANOSECONDS
from hayai.errors import BusUnsafe
from hayai.runtime.bus_checks import horizon, monitored, monitors_of, sync, version

if TYPE_CHECKING:
    from hayai.doctor import Finding
    from hayai.ports.base import Settings


async def refuse_unsafe(settings: Settings) -> None:
    """Look at the server and streams of [bus] with durability = "strict"; they are there already.

    How many replicas a stream has is seen by the bus itself as it starts. Of a cluster, the server is looked at that
    takes us. Raises BusUnsafe with everything that is unsafe, Unavailable.
    """
    if not isinstance(settings, NatsSettings) or settings.durability != "strict":
        return
    lookout = Lookout(settings)
    await lookout.start()
    try:
        findings = await _look(lookout, settings)
    finally:
        await lookout.stop()
    if wrong := [each.says for each in findings if not each.ok]:
        raise BusUnsafe(f'The tier file demands durability = "strict" under [bus]. {" ".join(wrong)}')


async def _look(lookout: Lookout, settings: NatsSettings) -> list[Finding]:
    server = await lookout.server()
    varz = await asyncio.to_thread(monitored, server, monitors_of(settings))
    found = [await lookout.stream(each["name"]) for each in lookout.declared()]
    windows = [each["config"]["duplicate_window"] / NANOSECONDS for each in found if each]
    return [
        version(str(server.get("ver", ""))),
        sync(varz, replicas=settings.replicas, strict=True),
        *(horizon(seconds, settings.outbox_horizon) for seconds in sorted(windows)[:1]),
    ]
