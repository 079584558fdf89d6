"""Database: the address, the credentials and the TLS of a Postgres; the core keeps its own pools on it."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from ssl import SSLContext

Role = Literal["application", "ledger", "owner"]
"""`application` serves requests and is bound by row-level security; `ledger` keeps what was handled, for all tenants,
and sees no other tables; `owner` migrates and nothing else."""

LEDGER = "hayai_ledger"
"""The user of the role `ledger` where none is named."""


@dataclass(frozen=True)
class Address:
    """What one new connection needs."""

    host: str
    port: int
    database: str
    user: str
    password: SecretStr | None
    tls: SSLContext | None


def ledger_password(application: SecretStr | None) -> SecretStr | None:
    """The ledger's password where none is set: derived from the application's, so that there is none more to keep.

    SHA-256 of `hayai ledger:` and that password, in hexadecimal digits: Postgres can derive it too.
    """
    if application is None:
        return None
    return SecretStr(hashlib.sha256(f"hayai ledger:{application.get_secret_value()}".encode()).hexdigest())


class Database(Adapter):
    """Where to connect, asked anew for every connection, so that credentials may rotate."""

    @abstractmethod
    async def address(self, role: Role) -> Address:
        """The address for a new connection in that role. Raises Unavailable, or SettingsError where none is set."""
