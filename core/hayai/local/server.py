"""What a server is to its supervisor: what to prepare, what to run, and whether it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.local.processes import Command
    from hayai.local.services import Service


class Server(ABC):
    """One service of the table as a child process."""

    service: ClassVar[Service]

    @abstractmethod
    def prepare(self) -> None:
        """Write what the server reads at its start. Blocks; repeated when a port has moved."""

    @abstractmethod
    def command(self) -> Command:
        """How to run it on the ports as they are now."""

    @abstractmethod
    async def healthy(self, pid: int) -> bool:
        """Whether that process of it would serve a client now; takes at most two seconds."""

    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """The variables by which the rest of Hayai finds it, passwords included."""

    @abstractmethod
    def url(self) -> str:
        """Where it answers, without a password: fit for a screen."""
