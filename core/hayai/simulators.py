"""Simulators: the network of a channel and a customer at its far end, played on this machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

from hayai import plugins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hayai.ports.base import Settings

GROUP = "hayai.simulators"


class Simulator(ABC):
    """Plays the far end of the channel of the same name; built with the channel's own settings.

    What it needs to know, it finds there: a channel that is set up for the simulator is set up for nobody else.
    """

    @abstractmethod
    def __init__(self, settings: Settings) -> None: ...

    @abstractmethod
    async def run(self, door: str, *, say: Callable[[str], None], typed: AsyncIterator[str]) -> None:
        """Play until `typed`, what the customer writes, line by line, has ended and all is quiet.

        `door` is where Hayai serves; `say` is given each line that the customer gets, and what else there is to tell.
        Raises SettingsError where the channel is not set up for the simulator, Unavailable where nobody serves.
        """


def simulator(name: str, settings: Settings) -> Simulator:
    """The simulator of the channel `name`. Raises PluginError where no installed package brings one."""
    kind = cast("Callable[[Settings], Simulator]", plugins.load(GROUP, name, Simulator))
    return kind(settings)
