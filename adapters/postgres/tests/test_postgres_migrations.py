"""The SQL of this package: safe from two processes at once, and for an owner that is no superuser."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.testing.postgres_server import PostgresServer
from hayai_postgres.database import PostgresDatabase, PostgresSettings

if TYPE_CHECKING:
    from hayai.testing.postgres_server import ServedDatabase

COMPONENTS = ("ground", "calendar")
PROGRAM = f"""
import asyncio, os
from importlib.resources import files
from hayai.migrations import migrate
from hayai_postgres.database import PostgresDatabase, PostgresSettings
from pydantic import SecretStr

settings = PostgresSettings(url=SecretStr(os.environ["URL"]), owner_url=SecretStr(os.environ["OWNER_URL"]))
components = {{each: files("hayai_postgres.migrations." + each) for each in {COMPONENTS!r}}}
input()
print(len(asyncio.run(migrate(PostgresDatabase(settings), components))))
"""


def test_two_processes_may_migrate_at_once(postgres_server: PostgresServer) -> None:
    """Both end well, and every file was applied by one of them."""
    name = postgres_server.create()
    environment = {
        **os.environ,
        "URL": postgres_server.url(name, user="hayai_application"),
        "OWNER_URL": postgres_server.url(name),
    }
    command = [sys.executable, "-c", PROGRAM]
    both = [
        subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for each in both:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        done = [int(each.communicate(timeout=60)[0]) for each in both]
    finally:
        for each in both:
            each.kill()
            each.wait()
    applied = int(postgres_server.sql("select count(*) from hayai.migration", name))
    assert [each.returncode for each in both] == [0, 0]
    assert sum(done) == applied >= 1
    postgres_server.drop(name)


def test_an_owner_that_is_no_superuser_migrates() -> None:
    """As a managed Postgres hands it out: owner of one database, may create roles, and nothing else."""
    with PostgresServer() as server:  # a new one, where no superuser has made any role
        server.sql("create role landlord login createrole password 'secret'")
        server.sql("create database rented owner landlord")
        url = f"{server.host}:{server.port}/rented"
        settings = PostgresSettings(
            url=SecretStr(f"postgresql://front_desk:secret@{url}"),
            owner_url=SecretStr(f"postgresql://landlord:secret@{url}"),
        )
        asyncio.run(_migrate_and_start(PostgresDatabase(settings)))


async def _migrate_and_start(database: PostgresDatabase) -> None:
    await migrate(database, {each: files(f"hayai_postgres.migrations.{each}") for each in COMPONENTS})
    pool = Pool(database)
    await pool.start()
    await pool.stop()


def test_every_table_keeps_tenants_apart(database: ServedDatabase) -> None:
    """A tenant column, row-level security and a policy on each, but for the list of migrations."""
    bare = """
    select relname from pg_class c where relnamespace = 'hayai'::regnamespace and relkind in ('r', 'p')
       and not (relrowsecurity and exists (select from pg_policy where polrelid = c.oid)
                and exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant'))
    """
    assert database.server.sql(bare, database.name) == "migration"
