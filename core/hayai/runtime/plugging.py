"""Plugging: a plugin that the tier file names, its handlers, and the switch that pauses and resumes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai import plugins
from hayai.bus.switch import Switch
from hayai.channel import Channel
from hayai.errors import SettingsError, Unavailable
from hayai.runtime.cells import RELOAD, RESUME
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
    """Hand the plugin `name` its events again, and let it out of quarantine; its handlers."""
    handlers = [each.name for each in await subscriptions_of(settings, name)]
    async with overseen_bus(settings, Switch) as switch:
        await switch.resume(handlers)
        if name in settings.agents and settings.agent_settings[name].isolation == "process":
            await switch.tell(name, RESUME)
    return handlers


async def reload(settings: InstallSettings, name: str) -> str:
    """Start the process of the isolated plugin `name` anew; what its keeper says of it.

    Raises SettingsError where it has no process of its own, Unavailable where no running Hayai keeps one.
    """
    if name in settings.channels or (name in settings.agents and settings.agent_settings[name].isolation == "none"):
        raise SettingsError(
            f"{name} runs within Hayai's own process, where Python cannot take a module back: restart Hayai"
            + (f', or set isolation = "process" under [agent.{name}].' if name in settings.agents else ".")
        )
    if name not in settings.agents:
        known = (*settings.agents, *settings.channels)
        raise SettingsError(f"{settings.source} names no agent and no channel {name!r}{nearest(name, known)}")
    async with overseen_bus(settings, Switch) as switch:
        if (told := await switch.tell(name, RELOAD)) is None:
            raise Unavailable(f"No running Hayai keeps {name}: start it, and it takes the code that is installed then.")
    return told
