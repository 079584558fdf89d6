"""Assembly: from a tier file to a running install, one port after the other; everything opened is closed again."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from types import ModuleType
from typing import TYPE_CHECKING

from fastapi import FastAPI

from hayai import plugins
from hayai.bus.advisories import Advisories
from hayai.bus.base import Bus
from hayai.bus.indexing import Indexing
from hayai.bus.nats import NatsBus
from hayai.bus.pacing import Pacing
from hayai.bus.storing import Storing
from hayai.business import load_business
from hayai.channel import Channel
from hayai.clock import Clock, system_clock
from hayai.contracts import store
from hayai.contracts.registry import Registry
from hayai.errors import HandlerMisdeclared, PluginError
from hayai.ledger.index import EventIndex
from hayai.ledger.ledger import Ledger
from hayai.ledger.relay import Relay
from hayai.ledger.retention import Retention
from hayai.limits import Limits
from hayai.migrations import migrate, refuse_unapplied
from hayai.pools import Pool
from hayai.ports.database import Database
from hayai.ports.secrets import Secrets
from hayai.runtime.bus_safety import refuse_unsafe
from hayai.runtime.cells import Cells
from hayai.runtime.exporting import exported
from hayai.runtime.parts import agent_parts, channel_parts, installed_registry, interceptors, platform_part
from hayai.runtime.watch import Watch
from hayai.runtime.workshop import PORTS, Workshop
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from importlib.resources.abc import Traversable

    from hayai.contracts.registry import Part
    from hayai.errors import HayaiError
    from hayai.migrations import Migration
    from hayai.ports.base import Adapter
    from hayai.runtime.keeper import Grant
    from hayai.settings import InstallSettings

_ON_THE_DATABASE = ("calendar", "conversations", "identity", "people", "consents")


@dataclass
class Install:
    """A tier that stands: its adapters are started, its businesses are installed."""

    settings: InstallSettings
    tier: Tier
    pool: Pool
    clock: Clock


@dataclass
class Running:
    """An install with its bus: channels stand at their doors, handlers hear their events."""

    install: Install
    bus: Bus
    channels: list[Channel]
    contracts: Registry
    """Who publishes and who reads which event."""
    problems: list[HayaiError]
    """Channels, agents and handlers that the tier file names and that cannot run; the rest runs without them."""
    cells: Cells
    """The agents that have processes of their own."""

    async def drain(self, seconds: float) -> None:
        """Let what is at work finish, here and in the processes of plugins, for at most `seconds`."""
        await asyncio.gather(self.bus.drain(seconds), self.cells.stop())


@asynccontextmanager
async def standing_install(settings: InstallSettings) -> AsyncGenerator[Install]:
    """The tier of `settings`, started; stopped on leaving.

    Raises SettingsError, PluginError, DatabaseUnfit, Unavailable.
    """
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": system_clock})
        await shop.prepare(settings, ["database", *_ON_THE_DATABASE])
        yield await _standing(shop, settings, system_clock)


@asynccontextmanager
async def running_install(
    settings: InstallSettings, *, migrating: bool = False, clock: Clock = system_clock, grant: Grant | None = None
) -> AsyncGenerator[Running]:
    """The install with bus, channels and handlers at work, its tables brought up to date first when `migrating`.

    `grant` gives the processes of plugins users of the bus. Raises as standing_install does, ContractBroken and
    BusUnsafe.
    """
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": clock})
        await shop.prepare(settings, PORTS, channels=True)
        install = await _standing(shop, settings, clock, migrating=migrating)
        ledger_pool, bus = await _ledgered_bus(shop, install)
        await refuse_unsafe(shop.settings("bus"))
        await stack.enter_async_context(exported(settings, bus, os.environ))
        await shop.start(Relay(ledger_pool, bus.send_all))
        await shop.start(Retention(ledger_pool))
        if isinstance(bus, NatsBus):
            await shop.start(Indexing(bus, EventIndex(ledger_pool, install.pool)))
        isolated = [name for name, each in settings.agent_settings.items() if each.isolation == "process"]
        here = [name for name in settings.agents if name not in isolated]
        hearing, _ = await asyncio.to_thread(interceptors, here)  # what does not load is told with the agents
        shop.resources["interceptors"] = tuple(hearing.values())
        channels = await _standing_channels(shop)
        agents, problems = await asyncio.to_thread(agent_parts, here)
        shop.problems += problems
        registry = Registry([*await asyncio.to_thread(_house_parts, channels), *agents])
        await (store.install if migrating else store.check)(install.pool, registry)
        await _subscribed(shop, install, bus, registry)
        if isinstance(bus, NatsBus):
            versions = {each.name: each.version for part in registry.parts for each in part.subscriptions}
            await shop.start(Advisories(bus, versions=versions, ledger=Ledger(ledger_pool, install.pool)))
        cells = await shop.start(Cells(settings, isolated, bus, grant=grant, migrating=migrating))
        yield Running(install, bus, channels, registry, [*shop.problems, *cells.problems], cells)


@asynccontextmanager
async def isolated_install(settings: InstallSettings, part: Part, *, migrating: bool = False) -> AsyncGenerator[Bus]:
    """The bus with one agent at work, in a process of its own; what it commits is published by the parent's relay.

    Raises as running_install does.
    """
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": system_clock})
        await shop.prepare(settings, PORTS)
        install = await _standing(shop, settings, system_clock)
        _, bus = await _ledgered_bus(shop, install)
        await stack.enter_async_context(exported(settings, bus, os.environ, looking=False))
        registry = Registry([part])
        await (store.install if migrating else store.check)(install.pool, registry)
        await _subscribed(shop, install, bus, registry)
        if shop.problems:
            raise shop.problems[0]
        yield bus


def _house_parts(channels: list[Channel]) -> list[Part]:
    """What is told without an agent; reads what is installed, and so files."""
    return [platform_part(), *channel_parts(channels)]


async def _ledgered_bus(shop: Workshop, install: Install) -> tuple[Pool, Bus]:
    """The ledger's pool, and the bus on it."""
    pool = await shop.start(Pool(install.tier.database, role="ledger"))
    shop.resources |= {"ledger": Ledger(pool, install.pool), "limits": Limits(install.settings.limits)}
    bus = await shop.make("bus", Bus)
    await shop.start(Pacing(pool, bus))
    if isinstance(bus, NatsBus):
        await shop.start(Storing(bus, pool))
    shop.resources |= {"bus": bus, "tier": install.tier}
    return pool, bus


async def _subscribed(shop: Workshop, install: Install, bus: Bus, registry: Registry) -> None:
    """Let every handler run, and be watched."""
    subscriptions = [each for part in registry.parts for each in part.subscriptions]
    await shop.start(Watch(subscriptions))
    for subscription in subscriptions:
        try:
            await bus.subscribe(subscription, install.tier)
        except HandlerMisdeclared as problem:
            shop.problems.append(problem)


async def migrated(settings: InstallSettings) -> tuple[list[Migration], list[str]]:
    """Bring the tables up to date in the owner's role and keep the contracts of the installed plugins.

    What was applied, and the events that are new. Raises as hayai.migrations.migrate does, and ContractBroken.
    """
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": system_clock})
        await shop.prepare(settings, ["database"])
        migrations, problems = await asyncio.to_thread(components)
        if problems:
            raise problems[0]
        database = await shop.make("database", Database)
        applied = await migrate(database, migrations)
        registry, _ = await asyncio.to_thread(installed_registry, settings)
        return applied, await store.install(await shop.start(Pool(database)), registry)


def components() -> tuple[dict[str, Traversable], list[PluginError]]:
    """The numbered migrations of every installed package, by component: the entry points of hayai.migrations.

    And what is wrong with those that do not load.
    """
    names = sorted({found.name for found in plugins.names("hayai.migrations")})
    return plugins.load_all(names, lambda name: files(plugins.load_object("hayai.migrations", name, ModuleType)))


async def _standing(shop: Workshop, settings: InstallSettings, clock: Clock, *, migrating: bool = False) -> Install:
    database = await shop.make("database", Database)
    migrations, problems = await asyncio.to_thread(components)
    shop.problems += problems
    if migrating:
        await migrate(database, migrations)
    pool = await shop.start(Pool(database))
    await refuse_unapplied(pool, migrations)
    shop.resources["pool"] = pool
    adapters: dict[str, Adapter] = {port: await shop.make(port, PORTS[port]) for port in _ON_THE_DATABASE}
    adapters |= {port: await shop.make(port, PORTS[port]) for port in shop.optional}
    if isinstance(secrets := shop.resources.get("secrets"), Secrets):
        adapters["secrets"] = secrets
    businesses = [await asyncio.to_thread(load_business, each) for each in settings.businesses]
    tier = Tier({**adapters, "database": database}, businesses)
    for business in tier.businesses.values():
        await tier.calendar.install(business.schedule)
    return Install(settings, tier, pool, clock)


async def _standing_channels(shop: Workshop) -> list[Channel]:
    """Those that stand; what is wrong with the others is a problem and no obstacle."""
    standing: list[Channel] = []
    for where in shop.channels:
        try:
            channel = await shop.make(where, Channel)
            with shop.blaming(where, "has no door that can be opened"):
                FastAPI().include_router(channel.router(), prefix=f"/{channel.name}")
            standing.append(channel)
        except PluginError as problem:
            shop.problems.append(problem)
    return standing
