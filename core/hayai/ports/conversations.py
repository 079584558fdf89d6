"""Conversations: what was said, line by line, and what an agent remembers between two lines."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from datetime import datetime

Speaker = Literal["customer", "agent", "staff"]


@dataclass(frozen=True)
class Line:
    """One line of a transcript; `id` is the id of the event that carried it."""

    id: str
    speaker: Speaker
    text: str = field(repr=False)
    at: datetime
    choices: tuple[str, ...] = field(default=(), repr=False)
    position: int = 0
    """1, 2, 3 ... within the conversation; given by append()."""


@dataclass(frozen=True)
class Memory:
    """What an agent keeps between two lines: its state, and the outcome of the line that it handled last."""

    state: dict[str, Any] = field(repr=False)
    handled: str
    """Id of the event handled last; the same event again must repeat `outcome`, not act again."""
    outcome: list[dict[str, Any]] = field(repr=False)


class Conversations(Adapter):
    """Kept per tenant and conversation."""

    @abstractmethod
    async def append(self, tenant: str, conversation: str, line: Line) -> Line:
        """The line with its position; appended once however often the same id comes. Raises Unavailable."""

    @abstractmethod
    async def lines(self, tenant: str, conversation: str, *, after: int = 0, limit: int = 200) -> list[Line]:
        """The lines behind position `after`, in order, at most `limit`."""

    @abstractmethod
    async def recall(self, tenant: str, conversation: str, agent: str) -> Memory | None:
        """What that agent remembers of the conversation, or None at its beginning."""

    @abstractmethod
    async def remember(self, tenant: str, conversation: str, agent: str, memory: Memory) -> None:
        """Keep `memory` in place of what was there."""
