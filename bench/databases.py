"""Databases: a Postgres with its durable defaults and the ledger's tables, and its address as a side is given it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, get_args

from bench.sides.plain import TABLES
from hayai.migrations import migrate
from hayai.ports.database import Role
from hayai.testing.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.ports.database import Database


@contextmanager
def postgres_server() -> Iterator[Given]:
    """A running server that makes every commit durable."""
    with PostgresServer({}) as server:
        yield Given(server)


class Given:
    """One database with the ledger's tables and the plain peer's."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._name = server.create()
        database = server.database(self._name)
        asyncio.run(migrate(database, {"ledger": files("hayai.ledger.migrations")}))
        self.run(TABLES)
        self.address = asyncio.run(_address(database))

    def run(self, statement: str) -> str:
        """What psql says, as the superuser."""
        return self._server.sql(statement, self._name)


async def _address(database: Database) -> dict[str, Any]:
    found = {role: await database.address(role) for role in get_args(Role)}
    users = {role: (each.user, each.password.get_secret_value()) for role, each in found.items() if each.password}
    owner = found["owner"]
    return {"host": owner.host, "port": owner.port, "database": owner.database, "users": users}
