"""A ledger to test with: a migrated database on a PostgresServer, and its addresses for a child process."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hayai.ledger.outcome import Outcome, Outgoing
from hayai.migrations import migrate
from hayai.ports.database import Address, Database, Role
from hayai.tokens import fresh

if TYPE_CHECKING:
    from hayai.ledger.outcome import Fence
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

ROLES: tuple[Role, ...] = ("application", "ledger")


def ledger_database(server: PostgresServer) -> ServedDatabase:
    """A new database with the ledger's tables; blocks while it is made."""
    name = server.create()
    asyncio.run(migrate(server.database(name), {"ledger": files("hayai.ledger.migrations")}))
    return server.database(name)


def outcome(event: str = "", *, key: str = "key", follow_ups: int = 1, fence: Fence | None = None) -> Outcome:
    """What the handler `answer` of the tenant `acme` came to, with follow-ups of that key; a new event if none."""
    event = event or fresh()
    ids = [f"{event}-{place}" for place in range(follow_ups)]
    outgoing = tuple(Outgoing(each, f"ev.acme.{key}.thing.done.v1", "thing.done.v1", b"{}") for each in ids)
    return Outcome("acme", "answer", event, outgoing, fence=fence)


class Told(Database):
    """A database whose addresses came as text, as describe() made it."""

    def __init__(self, text: str) -> None:
        self._addresses = json.loads(text)

    async def address(self, role: Role) -> Address:
        """One of application and ledger."""
        host, port, database, user, password = self._addresses[role]
        return Address(host, port, database, user, SecretStr(password), tls=None)


async def describe(database: Database) -> str:
    """The addresses with their passwords, for a child process of the same test."""
    addresses = {role: await database.address(role) for role in ROLES}
    return json.dumps({
        role: [each.host, each.port, each.database, each.user, each.password and each.password.get_secret_value()]
        for role, each in addresses.items()
    })  # fmt: skip
