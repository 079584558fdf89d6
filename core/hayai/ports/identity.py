"""Identity: who calls, for everything that is not a customer's channel."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pydantic import SecretStr

CallerRole = Literal["owner", "staff", "operator", "auditor"]


@dataclass(frozen=True)
class Caller:
    """A verified caller: what they may do comes from here and from nothing that they send."""

    id: str
    tenant: str
    role: CallerRole


@dataclass(frozen=True)
class IssuedKey:
    """A key that is valid, without its secret."""

    id: str
    role: CallerRole
    label: str
    issued_at: datetime


class Identity(Adapter):
    """Verifies credentials; minimal for now: API keys, stored hashed."""

    @abstractmethod
    async def verify(self, credential: SecretStr) -> Caller:
        """Who presents this credential. Raises CallerUnknown."""

    @abstractmethod
    async def issue(self, *, tenant: str, role: CallerRole, label: str) -> SecretStr:
        """A new API key, shown this once."""

    @abstractmethod
    async def keys(self, *, tenant: str) -> Sequence[IssuedKey]:
        """The valid keys of `tenant`, the oldest first. Raises KeyNotOpaque for the tenant."""

    @abstractmethod
    async def revoke(self, caller: str) -> None:
        """End the key with that caller id. Raises CallerUnknown."""
