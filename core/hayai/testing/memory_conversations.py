"""MemoryConversations: the twin of the port `conversations`, two dictionaries."""

from __future__ import annotations

import copy
from dataclasses import replace

from hayai.ports.conversations import Conversations, Line, Memory
from hayai.tokens import token


class MemoryConversations(Conversations):
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], list[Line]] = {}
        self._memories: dict[tuple[str, str, str], Memory] = {}

    async def append(self, tenant: str, conversation: str, line: Line) -> Line:
        """The line with its position; where one with that id is there already, that one."""
        kept = self._lines.setdefault((token(tenant, what="tenant"), conversation), [])
        if (known := next((each for each in kept if each.id == line.id), None)) is not None:
            return known
        kept.append(replace(line, position=len(kept) + 1))
        return kept[-1]

    async def lines(self, tenant: str, conversation: str, *, after: int = 0, limit: int = 200) -> list[Line]:
        """The lines behind position `after`, in order, at most `limit`."""
        kept = self._lines.get((token(tenant, what="tenant"), conversation), [])
        return [each for each in kept if each.position > after][:limit]

    async def recall(self, tenant: str, conversation: str, agent: str) -> Memory | None:
        """What that agent keeps, or None."""
        return copy.deepcopy(self._memories.get((token(tenant, what="tenant"), conversation, agent)))

    async def remember(self, tenant: str, conversation: str, agent: str, memory: Memory) -> None:
        """Keep `memory` in place of what was there."""
        self._memories[token(tenant, what="tenant"), conversation, agent] = copy.deepcopy(memory)
