"""MemorySecrets: the twin of the port `secrets`, a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.ports.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping


class MemorySecrets(Secrets):
    """Holds what it was given: `MemorySecrets({"greeting": "hello"})`."""

    def __init__(self, held: Mapping[str, str] | None = None) -> None:
        self.held = dict(held or {})

    async def _read(self, name: str) -> str | None:
        return self.held.get(name)

    def place(self) -> str:
        """In words."""
        return "the memory of this process"
