"""Migrations: numbered SQL files of each component, applied once, in order, forward only.

A component is a folder of files `NNNN_name.sql` (0001, 0002 ...), found through the entry-point group
`hayai.migrations`. What was applied is kept in `hayai.migration` with a digest of the file, so that an edited file is
noticed. Two processes may migrate at once: each step holds an advisory lock and looks again.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from hayai.errors import DatabaseUnfit, PluginError
from hayai.pools import connect, unavailable
from hayai.ports.database import LEDGER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from hayai.pools import Pool
    from hayai.ports.database import Address, Database

APPLICATION = "hayai_application"
"""The role that the SQL files grant to; the user of the application's address is it, or is made a member of it."""

_FIRST = "ground"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql\Z")
_LOCK = int.from_bytes(hashlib.sha256(b"hayai.migrations").digest()[:8], "big", signed=True)
_GROUND = f"""
create schema if not exists hayai;
create table if not exists hayai.migration (
    component text not null, number integer not null, name text not null, digest text not null,
    applied_at timestamptz not null default now(), primary key (component, number));
grant usage on schema hayai to {APPLICATION};
grant select on hayai.migration to {APPLICATION};
"""


@dataclass(frozen=True)
class Migration:
    """One file; `digest` is the SHA-256 of its text, whatever its line ends."""

    component: str
    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        """As a person finds it: component/file."""
        return f"{self.component}/{self.name}"


async def migrate(database: Database, components: Mapping[str, Traversable]) -> list[Migration]:
    """Apply what is missing, in the owner's role, and return it; an empty list where nothing was.

    The component `ground` comes first, the others by name. Also creates the schema `hayai` and, where it is missing,
    the application's role as the application's address names it, with its password. A number that the database has and
    this install does not know yet is no error: a newer install may have been here.
    Raises PluginError for files that are misnamed, leave a gap, were edited after they were applied, or fail;
    DatabaseUnfit where the owner may not do what must be done; Unavailable where the server does not answer.
    """
    files = await asyncio.to_thread(_read, components)
    application, ledger = await database.address("application"), await database.address("ledger")
    connection = await connect(database, "owner")
    try:
        await _ensure_roles(connection, application, APPLICATION)
        await _ensure_roles(connection, ledger, LEDGER)
        await _ensure_ground(connection)
        await _refuse_edited(connection, files)
        return [each for each in files if await _apply(connection, each)]
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnfit(
            f"The owner's role may not migrate: {error.args[0]}. Give it CREATE on the database, or own what is there."
        ) from error
    except Exception as error:
        if (translated := unavailable(error)) is None:
            raise
        raise translated from error
    finally:
        await connection.close()


async def refuse_unapplied(pool: Pool, components: Mapping[str, Traversable]) -> None:
    """Return when the database has every migration of this install; asks in the application's role.

    Raises DatabaseUnfit, which names what is missing, PluginError for misnamed files, Unavailable.
    """
    files = await asyncio.to_thread(_read, components)
    async with pool.unbound() as connection:
        rows = await connection.fetch("select component, number from hayai.migration")
    applied = {(row["component"], row["number"]) for row in rows}
    if missing := [str(each) for each in files if (each.component, each.number) not in applied]:
        raise DatabaseUnfit(
            f"The database is older than this install and lacks {', '.join(missing)}: run `hayai migrate`, then start "
            "again."
        )


def _read(components: Mapping[str, Traversable]) -> list[Migration]:
    ordered = sorted(components, key=lambda name: (name != _FIRST, name))
    return [each for name in ordered for each in _read_component(name, components[name])]


def _read_component(component: str, folder: Traversable) -> list[Migration]:
    found: list[Migration] = []
    for file in sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name):
        if (named := _NAME.match(file.name)) is None:
            raise PluginError(f"The migration {component}/{file.name} must be called NNNN_name.sql, as 0001_start.sql.")
        number = int(named[1])
        if number != len(found) + 1:
            raise PluginError(
                f"The migration {component}/{file.name} should be number {len(found) + 1:04}: "
                "number the files of a component without a gap or a double."
            )
        sql = "\n".join(file.read_text(encoding="utf-8").splitlines())
        found.append(Migration(component, number, file.name, sql))
    return found


async def _ensure_ground(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("select to_regclass('hayai.migration') is null"):
            await connection.execute(_GROUND)


async def _refuse_edited(connection: asyncpg.Connection, files: list[Migration]) -> None:
    """All at once and before anything is applied."""
    rows = await connection.fetch("select component, number, digest, applied_at from hayai.migration")
    applied = {(row["component"], row["number"]): row for row in rows}
    for file in files:
        row = applied.get((file.component, file.number))
        if row is not None and row["digest"] != file.digest:
            raise PluginError(
                f"The migration {file} was edited after it was applied on {row['applied_at']:%Y-%m-%d}: "
                "restore it, and put the change into a new file."
            )


async def _apply(connection: asyncpg.Connection, file: Migration) -> bool:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        known = "select true from hayai.migration where component = $1 and number = $2"
        if await connection.fetchval(known, file.component, file.number):
            return False
        try:
            await connection.execute(file.sql)
        except (asyncpg.SyntaxOrAccessError, asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            if isinstance(error, asyncpg.InsufficientPrivilegeError):
                raise
            # The message of an error of class 42 speaks of the SQL; that of the others may quote a row.
            said = f": {error.args[0]}" if isinstance(error, asyncpg.SyntaxOrAccessError) else ""
            raise PluginError(f"The migration {file} fails with {type(error).__name__}{said}.") from error
        record = "insert into hayai.migration (component, number, name, digest) values ($1, $2, $3, $4)"
        await connection.execute(record, file.component, file.number, file.name, file.digest)
        return True


async def _ensure_roles(connection: asyncpg.Connection, address: Address, granted: str) -> None:
    """The role that is `granted` to, and the user of that address; what is there already is left as it is."""
    if address.user != granted:
        await _ensure_role(connection, granted, "nologin")
    secret = f" password '{_scram(address.password.get_secret_value())}'" if address.password else ""
    await _ensure_role(connection, address.user, "login", secret)
    member = "select pg_has_role($1, $2, 'member')"
    if not await connection.fetchval(member, address.user, granted):
        await _run_as_owner(connection, f"grant {granted} to {_quoted(address.user)}")


async def _ensure_role(connection: asyncpg.Connection, role: str, attributes: str, secret: str = "") -> None:
    if await connection.fetchval("select true from pg_roles where rolname = $1", role):
        return
    # Roles belong to the whole server, so the lock, which is this database's, does not keep others out.
    with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        await _run_as_owner(connection, f"create role {_quoted(role)} {attributes}", secret)


async def _run_as_owner(connection: asyncpg.Connection, statement: str, secret: str = "") -> None:
    try:
        await connection.execute(statement + secret)
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnfit(
            f"The owner's role may not run `{statement}`: let a superuser run it"
            f"{', with a password,' if secret else ''} and migrate again."
        ) from error


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _scram(password: str) -> str:
    """The verifier that Postgres stores (RFC 5803), so that the password itself reaches neither server nor its log."""
    salt, rounds = secrets.token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", unicodedata.normalize("NFKC", password).encode(), salt, rounds)
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    parts = (base64.b64encode(each).decode() for each in (salt, stored, _hmac(salted, b"Server Key")))
    return "SCRAM-SHA-256${}:{}${}:{}".format(rounds, *parts)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
