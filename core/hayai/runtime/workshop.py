"""Workshop: loads what the tier file names, checks all settings at once, builds and starts one adapter at a time."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

from hayai import plugins
from hayai.bus.base import Bus
from hayai.bus.explain import explained
from hayai.channel import Channel
from hayai.errors import HayaiError, PluginError
from hayai.ports.calendar import Calendar
from hayai.ports.consents import Consents
from hayai.ports.conversations import Conversations
from hayai.ports.database import Database
from hayai.ports.identity import Identity
from hayai.ports.models import Models
from hayai.ports.people import People
from hayai.ports.secrets import Secrets
from hayai.settings import resolve, settings_for_all
from hayai.tier import build

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from contextlib import AsyncExitStack

    from hayai.bus.advisories import Advisories
    from hayai.bus.indexing import Indexing
    from hayai.bus.pacing import Pacing
    from hayai.bus.storing import Storing
    from hayai.ledger.relay import Relay
    from hayai.ledger.retention import Retention
    from hayai.pools import Pool
    from hayai.ports.base import Adapter, Settings
    from hayai.runtime.cells import Cells
    from hayai.runtime.watch import Watch
    from hayai.settings import InstallSettings, Table

PORTS: dict[str, type[Adapter]] = {
    "database": Database,
    "calendar": Calendar,
    "conversations": Conversations,
    "identity": Identity,
    "people": People,
    "consents": Consents,
    "models": Models,
    "bus": Bus,
}
"""What every install stands on beside its secrets, in the order in which it is built."""
_OPTIONAL = ("models",)
"""Those that a tier file may leave out."""

A = TypeVar("A", bound="Adapter")
S = TypeVar("S", bound="Adapter | Pool | Relay | Retention | Pacing | Indexing | Storing | Advisories | Watch | Cells")


class Workshop:
    """`resources` are what an adapter may ask for by name; whatever is started is stopped with `stack`."""

    def __init__(self, stack: AsyncExitStack, resources: dict[str, object]) -> None:
        self._stack = stack
        self._ready: dict[str, tuple[type[Adapter], Settings]] = {}
        self.resources = resources
        self.problems: list[HayaiError] = []  # what is wrong with parts that the rest runs without

    async def prepare(self, settings: InstallSettings, ports: Iterable[str], *, channels: bool = False) -> None:
        """Load and check all of `ports`, and the channels; secrets first, since others' settings may refer to them.

        Raises PluginError for a port's plugin, SettingsError with everything that is wrong with any settings.
        """
        if "secrets" in settings.ports:
            await self._check({"secrets": await self._load(settings.port("secrets"), Secrets)})
            self.resources["secrets"] = await self.make("secrets", Secrets)
        named = [port for port in ports if port in settings.ports or port not in _OPTIONAL]
        wanted = {port: await self._load(settings.port(port), PORTS[port]) for port in named}
        if channels:
            wanted |= await self._channels(settings)
        await self._check(wanted)

    @property
    def channels(self) -> list[str]:
        """The tables of the channels that are prepared."""
        return [where for where in self._ready if where.startswith("channel.")]

    @property
    def optional(self) -> list[str]:
        """The ports that are prepared and might have been left out."""
        return [port for port in _OPTIONAL if port in self._ready]

    def settings(self, where: str) -> Settings:
        """The checked settings of the prepared adapter of that table."""
        return self._ready[where][1]

    async def make(self, where: str, kind: type[A]) -> A:  # noqa: ARG002 - says the type
        """The prepared adapter of that table, built with what it asks for, and started.

        Raises what the adapter raises of ours, and PluginError for anything else.
        """
        loaded, settings = self._ready[where]
        with self.blaming(where, "does not start"):
            return await self.start(cast("A", build(loaded, settings, self.resources)))

    @contextmanager
    def blaming(self, where: str, fault: str) -> Generator[None]:
        """Whatever is raised within and is no error of ours becomes a PluginError about the adapter of that table."""
        loaded, _ = self._ready[where]
        try:
            yield
        except HayaiError:
            raise
        except Exception as broken:
            raise PluginError(
                f"{loaded.__module__}.{loaded.__qualname__} of [{where}] {fault}: {explained(broken)}. Correct "
                "or upgrade the package that brings it, or take it out of the tier file."
            ) from broken

    async def start(self, part: S) -> S:
        """Start a part, to be stopped with everything else."""
        self._stack.push_async_callback(part.stop)
        await part.start()
        return part

    async def _load(self, table: Table, kind: type[Adapter]) -> tuple[type[Adapter], Table]:
        group = f"hayai.{table.where}"
        return await asyncio.to_thread(plugins.load, group, table.adapter, kind), table  # an import reads files

    async def _channels(self, settings: InstallSettings) -> dict[str, tuple[type[Adapter], Table]]:
        loaded, problems = await asyncio.to_thread(
            plugins.load_all, settings.channels, lambda name: plugins.load("hayai.channels", name, Channel)
        )
        self.problems += problems
        return {f"channel.{name}": (kind, settings.channel_tables[name]) for name, kind in loaded.items()}

    async def _check(self, wanted: dict[str, tuple[type[Adapter], Table]]) -> None:
        tables = [table for _, table in wanted.values()]
        if isinstance(secrets := self.resources.get("secrets"), Secrets):
            tables = await resolve(tables, secrets)
        kinds = [kind for kind, _ in wanted.values()]
        checked = settings_for_all(zip(kinds, tables, strict=True))
        self._ready |= dict(zip(wanted, zip(kinds, checked, strict=True), strict=True))
