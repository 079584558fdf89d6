"""Assembly: from a tier file to a running install, one port after the other; everything opened is closed again."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from hayai import plugins
from hayai.bus.base import Bus
from hayai.business import load_business
from hayai.channel import Channel
from hayai.clock import Clock, system_clock
from hayai.handlers import Handlers
from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.ports.base import Adapter
from hayai.ports.calendar import Calendar
from hayai.ports.conversations import Conversations
from hayai.ports.database import Database
from hayai.ports.identity import Identity
from hayai.ports.secrets import Secrets
from hayai.settings import resolve, settings_for
from hayai.tier import Tier, build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from hayai.errors import PluginError
    from hayai.migrations import Migration
    from hayai.settings import InstallSettings, Table

_log = logging.getLogger(__name__)
_ON_THE_DATABASE: dict[str, type[Adapter]] = {
    "calendar": Calendar,
    "conversations": Conversations,
    "identity": Identity,
}
A = TypeVar("A", bound=Adapter)


@dataclass
class Install:
    """A tier that stands: its adapters are started, its tables are migrated, its businesses are installed."""

    settings: InstallSettings
    tier: Tier
    pool: Pool
    clock: Clock
    resources: dict[str, object]
    problems: list[PluginError] = field(default_factory=list)
    """Channels and agents that the tier file names and that do not load; the rest runs without them."""


@dataclass
class Running:
    """An install with its bus: channels stand at their doors, handlers hear their events."""

    install: Install
    bus: Bus
    channels: list[Channel]


@asynccontextmanager
async def standing_install(
    settings: InstallSettings, *, migrating: bool = False, clock: Clock = system_clock
) -> AsyncIterator[Install]:
    """The tier of `settings`, started, after its tables are `migrating`; stopped on leaving.

    Raises SettingsError, PluginError, DatabaseUnfit, Unavailable.
    """
    async with AsyncExitStack() as stack:
        resources: dict[str, object] = {"clock": clock}
        adapters: dict[str, Adapter] = {}
        if "secrets" in settings.ports:
            adapters["secrets"] = resources["secrets"] = await _adapter(
                settings.port("secrets"), Secrets, resources, stack
            )
        database = await _adapter(settings.port("database"), Database, resources, stack)
        if migrating:
            await migrate(database, await asyncio.to_thread(components))
        pool = Pool(database)
        await _started(pool, stack)
        resources["pool"] = pool
        for port, kind in _ON_THE_DATABASE.items():
            adapters[port] = await _adapter(settings.port(port), kind, resources, stack)
        businesses = [await asyncio.to_thread(load_business, each) for each in settings.businesses]
        tier = Tier({**adapters, "database": database}, businesses)
        for business in tier.businesses.values():
            await tier.calendar.install(business.schedule)
        yield Install(settings, tier, pool, clock, {**resources, "tier": tier})


@asynccontextmanager
async def running_install(
    settings: InstallSettings, *, migrating: bool = False, clock: Clock = system_clock
) -> AsyncIterator[Running]:
    """The install with bus, channels and handlers at work. Raises as standing_install does."""
    async with AsyncExitStack() as stack:
        install = await stack.enter_async_context(standing_install(settings, migrating=migrating, clock=clock))
        bus = await _adapter(settings.port("bus"), Bus, install.resources, stack)
        install.resources["bus"] = bus
        channels = await _channels(install, stack)
        groups = [
            *await _agents(install),
            *((channel.handlers(), _version("hayai.channels", channel.name)) for channel in channels),
        ]
        for group, version in groups:
            for subscription in group:
                await bus.subscribe(replace(subscription, version=version), install.tier)
        for problem in install.problems:
            _log.error("%s", problem)
        yield Running(install, bus, channels)


async def migrated(settings: InstallSettings) -> list[Migration]:
    """Bring the tables up to date in the owner's role; what was applied. Raises as hayai.migrations.migrate does."""
    async with AsyncExitStack() as stack:
        resources: dict[str, object] = {"clock": system_clock}
        if "secrets" in settings.ports:
            resources["secrets"] = await _adapter(settings.port("secrets"), Secrets, resources, stack)
        database = await _adapter(settings.port("database"), Database, resources, stack)
        return await migrate(database, await asyncio.to_thread(components))


def components() -> dict[str, Any]:
    """The numbered migrations of every installed package, by component: the entry points of hayai.migrations."""
    names = [found.name for found in plugins.names("hayai.migrations")]
    return {name: _folder(name) for name in names}


def _folder(component: str) -> Any:
    from importlib.resources import files
    from types import ModuleType

    return files(plugins.load_object("hayai.migrations", component, ModuleType))


async def _adapter(table: Table, kind: type[A], resources: dict[str, object], stack: AsyncExitStack) -> A:
    """The adapter that `table` names, built with what it asks for and started."""
    group = f"hayai.{table.where.partition('.')[0]}"
    loaded = await asyncio.to_thread(plugins.load, group, table.adapter, kind)  # an import reads files
    return await _built(loaded, table, resources, stack)


async def _built(adapter: type[A], table: Table, resources: dict[str, object], stack: AsyncExitStack) -> A:
    secrets = resources.get("secrets")
    if isinstance(secrets, Secrets):
        (table,) = await resolve([table], secrets)
    made = build(adapter, settings_for(adapter, table), resources)
    return await _started(made, stack)


S = TypeVar("S", bound="Adapter | Pool")


async def _started(part: S, stack: AsyncExitStack) -> S:
    stack.push_async_callback(part.stop)
    await part.start()
    return part


async def _channels(install: Install, stack: AsyncExitStack) -> list[Channel]:
    loaded, problems = await asyncio.to_thread(
        plugins.load_all, install.settings.channels, lambda name: plugins.load("hayai.channels", name, Channel)
    )
    install.problems += problems
    tables = install.settings.channel_tables
    return [await _built(kind, tables[name], install.resources, stack) for name, kind in loaded.items()]


async def _agents(install: Install) -> Iterable[tuple[Handlers, str]]:
    loaded, problems = await asyncio.to_thread(
        plugins.load_all, install.settings.agents, lambda name: plugins.load_object("hayai.agents", name, Handlers)
    )
    install.problems += problems
    return [(group, _version("hayai.agents", name)) for name, group in loaded.items()]


def _version(group: str, name: str) -> str:
    return next(found.version for found in plugins.names(group) if found.name == name)
