"""Secrets: read a secret by name."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from pydantic import SecretStr


class Secrets(Adapter):
    """Where passwords and keys are kept."""

    @abstractmethod
    async def read(self, name: str) -> SecretStr:
        """The secret called `name`. Raises SecretMissing (naming it) or Unavailable."""
