"""Database: the address, the credentials and the TLS of a Postgres; the core keeps its own pools on it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from ssl import SSLContext

    from pydantic import SecretStr

Role = Literal["application", "owner"]
"""`application` serves requests and is bound by row-level security; `owner` migrates and nothing else."""


@dataclass(frozen=True)
class Address:
    """What one new connection needs."""

    host: str
    port: int
    database: str
    user: str
    password: SecretStr | None
    tls: SSLContext | None


class Database(Adapter):
    """Where to connect, asked anew for every connection, so that credentials may rotate."""

    @abstractmethod
    async def address(self, role: Role) -> Address:
        """The address for a new connection in that role. Raises Unavailable, or SettingsError where none is set."""
