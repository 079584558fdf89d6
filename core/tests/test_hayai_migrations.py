"""Migrations on a real Postgres: order, once, what is refused, and the application's role."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest
from pydantic import SecretStr

from hayai.errors import DatabaseUnfit, PluginError, Unavailable
from hayai.migrations import migrate, refuse_unapplied
from hayai.pools import Pool
from hayai.ports.database import Address, Database, Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer, ServedDatabase


class As(Database):
    """The same database with other users."""

    def __init__(self, real: Database, **users: str) -> None:
        self.real = real
        self.users = users

    async def address(self, role: Role) -> Address:
        """The user given for that role, with the password `secret`."""
        address = await self.real.address(role)
        return replace(address, user=self.users[role], password=SecretStr("secret")) if role in self.users else address


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[ServedDatabase]:
    """An empty database."""
    name = postgres_server.create()
    yield postgres_server.database(name)
    postgres_server.drop(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A component of two files."""
    return component(
        tmp_path / "notes", first="create table hayai.note (text text);", second="insert into hayai.note values ('x');"
    )


def component(folder: Path, **files: str) -> Path:
    """A folder of numbered files."""
    folder.mkdir()
    for number, (name, sql) in enumerate(files.items(), 1):
        (folder / f"{number:04}_{name}.sql").write_text(sql)
    return folder


def applied(database: ServedDatabase) -> list[str]:
    """What the database says was applied, in order."""
    return database.server.sql(
        "select component || '/' || name from hayai.migration order by applied_at, number", database.name
    ).splitlines()


async def test_files_are_applied_once_and_in_order(database: ServedDatabase, folder: Path) -> None:
    """The second time there is nothing to do."""
    done = await migrate(database, {"notes": folder})
    assert [str(each) for each in done] == ["notes/0001_first.sql", "notes/0002_second.sql"]
    assert await migrate(database, {"notes": folder}) == []
    assert database.server.sql("select text from hayai.note", database.name) == "x"


async def test_the_ground_comes_first(database: ServedDatabase, tmp_path: Path) -> None:
    """Whatever order the components are given in, it is the same on every install."""
    parts = {
        "calendar": component(tmp_path / "calendar", a="alter table hayai.laid add column b int;"),
        "asides": component(tmp_path / "asides", a="alter table hayai.laid add column a int;"),
        "ground": component(tmp_path / "ground", a="create table hayai.laid ();"),
    }
    await migrate(database, parts)
    assert applied(database) == ["ground/0001_a.sql", "asides/0001_a.sql", "calendar/0001_a.sql"]


async def test_a_new_file_is_applied_on_top(database: ServedDatabase, folder: Path) -> None:
    """Forward, and nothing twice."""
    await migrate(database, {"notes": folder})
    (folder / "0003_third.sql").write_text("insert into hayai.note values ('y');")
    assert [each.number for each in await migrate(database, {"notes": folder})] == [3]
    assert database.server.sql("select count(*) from hayai.note", database.name) == "2"


async def test_an_older_install_runs_on_a_newer_database(database: ServedDatabase, folder: Path) -> None:
    """A number that this install does not know yet is left alone: two versions run side by side in a deployment."""
    await migrate(database, {"notes": folder})
    (folder / "0002_second.sql").unlink()
    assert await migrate(database, {"notes": folder}) == []


async def test_an_edited_file_is_refused_before_anything_runs(database: ServedDatabase, folder: Path) -> None:
    """Which file, since when, and what to do; other line ends are no edit."""
    await migrate(database, {"notes": folder})
    first = folder / "0001_first.sql"
    first.write_bytes(first.read_bytes() + b"\r\n")
    assert await migrate(database, {"notes": folder}) == []
    first.write_text("create table hayai.note (text text, more text);")
    (folder / "0003_third.sql").write_text("drop table hayai.note;")
    with pytest.raises(PluginError, match=r"notes/0001_first\.sql was edited .* new file"):
        await migrate(database, {"notes": folder})
    assert len(applied(database)) == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("0004_gap.sql", "should be number 0003"),
        ("0002_twice.sql", "should be number 0003"),
        ("3_short.sql", "must be called"),
        ("0003_Über.sql", "must be called"),
    ],
)
async def test_a_misnumbered_file_is_refused(database: ServedDatabase, folder: Path, name: str, sentence: str) -> None:
    """A gap, a double and a name of another form, before the server is asked."""
    (folder / name).write_text("select 1;")
    with pytest.raises(PluginError, match=sentence):
        await migrate(As(database, owner="nobody_is_called_this"), {"notes": folder})


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("create table hayai.half (); select 1 from missing", 'UndefinedTableError: relation "missing" does not exist'),
        ("create table hayai.half (); create tible x", "syntax error"),
        ("create table hayai.half (); select 'Ada'::int", "InvalidTextRepresentationError"),
    ],
)
async def test_a_file_that_fails_leaves_nothing_behind(
    database: ServedDatabase, folder: Path, sql: str, sentence: str
) -> None:
    """Not half of itself; those before it stay; what may be a row's content is not quoted."""
    (folder / "0003_third.sql").write_text(sql)
    with pytest.raises(PluginError, match=sentence) as failed:
        await migrate(database, {"notes": folder})
    assert "Ada" not in str(failed.value)
    assert len(applied(database)) == 2
    assert database.server.sql("select to_regclass('hayai.half') is null", database.name) == "t"


async def test_many_at_once_apply_each_file_once(database: ServedDatabase, folder: Path) -> None:
    """Eight tasks of one process; the adapter's tests do it with processes."""
    done = await asyncio.gather(*(migrate(database, {"notes": folder}) for _ in range(8)))
    assert sorted(str(file) for each in done for file in each) == ["notes/0001_first.sql", "notes/0002_second.sql"]


async def test_the_role_is_made_as_the_address_says(database: ServedDatabase) -> None:
    """Another user than hayai_application logs in with its own password and has the same rights."""
    mine = As(database, application="front_desk")
    try:
        await migrate(mine, {})
        pool = Pool(mine)
        await pool.start()
        async with pool.unbound() as connection:
            assert await connection.fetchval("select count(*) from hayai.migration") == 0
        await pool.stop()
        stored = "select rolpassword from pg_authid where rolname = 'front_desk'"
        assert database.server.sql(stored).startswith("SCRAM-SHA-256$4096:")
    finally:
        database.server.sql(f'drop database "{database.name}"; ')
        database.server.sql("drop role front_desk")


async def test_a_role_that_exists_is_left_as_it_is(database: ServedDatabase) -> None:
    """Whoever runs the server may have made it, with another password: that is theirs to say."""
    database.server.sql("create role front_desk login password 'another' connection limit 7")
    try:
        mine = As(database, application="front_desk")
        await migrate(mine, {})
        assert database.server.sql("select rolconnlimit from pg_roles where rolname = 'front_desk'") == "7"
        with pytest.raises(Unavailable, match="refuses the password"):
            await Pool(mine).start()
    finally:
        database.server.sql("drop role front_desk")


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ("", "create role .front_desk. login`: .* with a password"),
        ("createrole", "grant hayai_application to .front_desk.`: .* superuser"),
        ("createrole admin", "may not migrate: permission denied for database"),
    ],
)
async def test_an_owner_with_too_few_rights_is_told_so(
    database: ServedDatabase, attributes: str, sentence: str
) -> None:
    """What it may not do, and what to do about it."""
    server = database.server
    await migrate(server.database("postgres"), {})  # makes the role that is granted to
    server.sql(f"create role landlord login password 'secret' {attributes.removesuffix('admin')}")
    if attributes.endswith("admin"):
        server.sql("grant hayai_application to landlord with admin option")
    try:
        with pytest.raises(DatabaseUnfit, match=sentence):
            await migrate(As(database, owner="landlord", application="front_desk"), {})
    finally:
        server.sql("drop role if exists front_desk")
        server.sql("drop role landlord")


async def test_the_application_cannot_migrate(database: ServedDatabase) -> None:
    """Its role may read what was applied, and record nothing."""
    await migrate(database, {})
    pool = Pool(database)
    await pool.start()
    try:
        for statement in ("insert into hayai.migration values ('x', 1, 'x', 'x')", "create table hayai.mine ()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with pool.unbound() as connection:
                    await connection.execute(statement)
    finally:
        await pool.stop()


async def test_a_database_that_lacks_a_file_is_refused_with_what_to_run(database: ServedDatabase, folder: Path) -> None:
    """The application's role may look; a database that is newer than the install is none the worse."""
    (third := folder / "0003_third.sql").write_text("insert into hayai.note values ('y');")
    await migrate(database, {"notes": folder})
    pool = Pool(database)
    await pool.start()
    try:
        third.unlink()
        await refuse_unapplied(pool, {"notes": folder})
        for name in ("0003_third.sql", "0004_fourth.sql"):
            (folder / name).write_text("select 1;")
        with pytest.raises(DatabaseUnfit, match=r"lacks notes/0004_fourth\.sql: run `hayai migrate`"):
            await refuse_unapplied(pool, {"notes": folder})
    finally:
        await pool.stop()
