"""Plugging: a plugin that the tier file names, its handlers, and the switch that pauses and resumes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai import plugins
from hayai.bus.switch import Switch
from hayai.channel import Channel
from hayai.errors import SettingsError
from hayai.runtime.oversight import overseen_bus
from hayai.runtime.parts import CHANNELS, agent_parts, unbuilt
from hayai.sentences import nearest

if TYPE_CHECKING:
    from hayai.handlers import Subscription
    from hayai.settings import InstallSettings


async def subscriptions_of(settings: InstallSettings, name: str) -> list[Subscription]:
    """The handlers of the agent or the channel `name`. Raises SettingsError, PluginError."""
    if name in settings.agents:
        parts, problems = await asyncio.to_thread(agent_parts, [name])
        if problems:
            raise problems[0]
        found = list(parts[0].subscriptions)
    elif name in settings.channels:
        kind = await asyncio.to_thread(plugins.load, CHANNELS, name, Channel)
        found = list(unbuilt(kind).handlers())
    else:
        known = (*settings.agents, *settings.channels)
        raise SettingsError(f"{settings.source} names no agent and no channel {name!r}{nearest(name, known)}")
    if not found:
        raise SettingsError(f"{name} has no handlers: it takes no events that could wait.")
    return found


async def pause(settings: InstallSettings, name: str, *, seconds: float | None = None) -> list[str]:
    """Hand the plugin `name` no events for so long, or until it is resumed; its handlers."""
    handlers = [each.name for each in await subscriptions_of(settings, name)]
    async with overseen_bus(settings, Switch) as switch:
        await switch.pause(handlers, seconds=seconds)
    return handlers


async def resume(settings: InstallSettings, name: str) -> list[str]:
    """Hand the plugin `name` its events again; its handlers."""
    handlers = [each.name for each in await subscriptions_of(settings, name)]
    async with overseen_bus(settings, Switch) as switch:
        await switch.resume(handlers)
    return handlers
