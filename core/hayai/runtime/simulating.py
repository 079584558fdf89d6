"""Simulating: the far end of a channel, as the tier file has set the channel up."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from hayai.clock import system_clock
from hayai.errors import SettingsError
from hayai.runtime.workshop import Workshop
from hayai.sentences import nearest
from hayai.simulators import simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hayai.settings import InstallSettings


async def simulate(settings: InstallSettings, channel: str, *, door: str | None, say: Callable[[str], None]) -> None:
    """Play the far end of `channel` until standard input ends; `door` is where Hayai serves, if not at [web].

    Raises SettingsError, PluginError, Unavailable.
    """
    if channel not in settings.channels:
        raise SettingsError(f"{settings.source} names no channel {channel!r}{nearest(channel, settings.channels)}")
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": system_clock})
        await shop.prepare(settings, [], channels=True)
        if shop.problems:
            raise shop.problems[0]
        played = await asyncio.to_thread(simulator, channel, shop.settings(f"channel.{channel}"))
        await played.run(door or f"http://{settings.web.host}:{settings.web.port}", say=say, typed=_typed())


async def _typed() -> AsyncIterator[str]:
    """The lines of standard input."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            yield line.strip()
