"""A process that handles four events with telemetry as its environment says: python telemetry_process.py TIER."""

import asyncio
import os
import sys
from pathlib import Path

from hayai.bus.memory import MemoryBus
from hayai.errors import PermanentError
from hayai.handlers import Context
from hayai.runtime.exporting import exported
from hayai.settings import read_settings
from hayai.testing.bus_words import BellRung, Ears


async def hear(event: BellRung, context: Context) -> None:
    """Refuse one."""
    del context
    if event.number == 3:
        raise PermanentError("No.")


async def main() -> None:
    """Handle four events, give the looks at the servers a second, and leave."""
    settings, bus, ears = read_settings(Path(sys.argv[1]), {}), MemoryBus(), Ears(hear)
    async with exported(settings, bus, os.environ, every=0.2):
        ears.name = "ears"
        await ears.listen(bus)
        for number in range(4):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await bus.settle()
        await asyncio.sleep(2)
    await bus.stop()


asyncio.run(main())
