"""Cells: the agents of an install that have processes of their own, and what operators tell them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from hayai.bus.base import PLATFORM
from hayai.bus.nats import NatsBus
from hayai.bus.switch import Switch, subject_of
from hayai.errors import HayaiError, PluginError, SettingsError
from hayai.runtime.keeper import Keeper
from hayai.runtime.oversight import overseen_bus
from hayai.vocabulary.operations import PluginQuarantined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.bus.base import Bus
    from hayai.bus.inbox import Inbox
    from hayai.bus.permissions import Permissions
    from hayai.runtime.keeper import Grant
    from hayai.settings import InstallSettings

_log = logging.getLogger(__name__)
RELOAD, RESUME = "reload", "resume"


class Cells:
    """The processes of `names`, from start() to stop(); `problems` are those of plugins that are not at work.

    `grant` gives a user of the bus to a plugin whose settings name none.
    """

    def __init__(
        self,
        settings: InstallSettings,
        names: Sequence[str],
        bus: Bus,
        *,
        grant: Grant | None = None,
        migrating: bool = False,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._granting = grant
        self._inboxes: list[Inbox] = []
        self.problems: list[HayaiError] = []
        make = partial(Keeper, settings=settings, grant=self._grant, quarantine=self._quarantine, migrating=migrating)
        self.keepers = [make(name) for name in names]

    async def start(self) -> None:
        """Return once each is at work, or has failed once. Raises SettingsError where the bus cannot be shared."""
        if not self.keepers:
            return
        if not isinstance(self._bus, NatsBus):
            raise SettingsError(
                f"{self.keepers[0].name} shall have a process of its own, and the bus is in this one: set "
                'adapter = "nats" under [bus], or isolation = "none".'
            )
        started = await asyncio.gather(*(each.start() for each in self.keepers), return_exceptions=True)
        self.problems += [each for each in started if isinstance(each, HayaiError)]
        for each in self.keepers:
            self._inboxes.append(await self._bus.answer(subject_of(each.name), partial(self._obey, each)))

    async def stop(self) -> None:
        """Let each finish what it has in hand; safe to call twice."""
        inboxes, self._inboxes = self._inboxes, []
        for each in inboxes:
            await each.close()
        await asyncio.gather(*(each.stop() for each in self.keepers))

    async def _obey(self, keeper: Keeper, word: str) -> str:
        """Do what an operator says; what to tell them."""
        if word == RELOAD or (word == RESUME and keeper.state == "in quarantine"):
            return await keeper.reload()
        return f"{keeper.name} is {keeper.state}."

    async def _grant(self, name: str, needs: Permissions) -> str | None:
        """Its own address of the bus, the granted one, or in the end the house's, with all rights."""
        if own := self._settings.agent_settings[name].bus_url:
            return own
        if self._granting is not None and (granted := await self._granting(name, needs)):
            return granted
        self.problems.append(
            PluginError(
                f"{name} runs in a process of its own with all rights of the bus: give [agent.{name}] a bus_url with a "
                f"user who is limited to what `hayai bus permissions {name}` prints."
            )
        )
        return None

    async def _quarantine(self, plugin: str, handlers: Sequence[str], falls: int, reason: str) -> None:
        """Pause its handlers for everybody, and say so."""
        _log.error(
            "The plugin %s is in quarantine after %d falls: its events wait until `hayai plugins resume %s`. %s",
            plugin,
            falls,
            plugin,
            reason,
        )
        try:
            if handlers:
                async with overseen_bus(self._settings, Switch) as switch:
                    await switch.pause(handlers)
            await self._bus.publish(PluginQuarantined(plugin=plugin, falls=falls, reason=reason), tenant=PLATFORM)
        except HayaiError as wrong:
            _log.warning("That %s is in quarantine could not be told to the bus: %s", plugin, wrong)
