"""LocalStack: the bus and the database of tier 1 as child processes, from start() to stop()."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused, SettingsError
from hayai.local.credentials import keep_credentials
from hayai.local.files import disk_troubles
from hayai.local.folder import Folder, open_folder
from hayai.local.leftovers import end_leftovers
from hayai.local.lock import FolderLock
from hayai.local.nats import NatsServer
from hayai.local.place import Place, find_place, outside, place_names
from hayai.local.ports import PortBook, listener
from hayai.local.postgres import PostgresServer
from hayai.local.services import HOST, NATS, POSTGRES, WEB
from hayai.local.supervisor import Supervisor

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from hayai.local.server import Server


class LocalStack:
    """The servers of one data folder. An async context manager; start() and stop() do the same.

    `ports`: numbers that the operator asks for, by what they are for (nats, monitor, postgres, web).
    `environment`: where DATABASE_URL and NATS_URL are looked for; a server that is configured there is not started.
    After start(): `notes` are sentences for the screen, `seconds` is how long it took, `first` whether the data is new.
    Start it in the main thread: the kernel ends the children when the thread that started them ends.
    """

    def __init__(
        self, data: Path, *, ports: Mapping[str, int] | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._given = data
        self._wanted = dict(ports or {})
        self._environment = os.environ if environment is None else environment
        self._supervisors: list[Supervisor] = []
        self._lock: FolderLock | None = None
        self._book: PortBook | None = None
        self._notes: list[str] = []
        self.data = data
        self.places: list[Path] = []
        self.seconds = 0.0
        self.first = False

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Return when every server answers.

        Raises LocalStackRefused where the folder is in use, closed or full, or a server is missing or does not start;
        SettingsError where only one of the two database URLs is set. Nothing is left running then.
        """
        began = time.monotonic()
        try:
            await asyncio.to_thread(self._prepare)
            async with asyncio.TaskGroup() as starting:
                for each in self._supervisors:
                    starting.create_task(each.start())
            await asyncio.to_thread(self._settle)
        except BaseExceptionGroup as group:
            await self.stop()
            raise group.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise
        self.seconds = time.monotonic() - began

    async def stop(self) -> None:
        """End the bus, then the database, and give the folder back; safe to call twice."""
        for each in self._supervisors:
            await each.stop()
        if self._lock:
            self._lock.release()

    @property
    def notes(self) -> list[str]:
        """What a person should be told: moved ports, leftovers, a place outside the folder."""
        return [*self._notes, *(self._book.notes if self._book else ())]

    @property
    def ports(self) -> dict[str, int]:
        """What each port of a server that runs here is for -> its number; `web` is kept for the HTTP door."""
        book = self._ready()
        return {name: book[name] for name in self._names()}

    @property
    def urls(self) -> dict[str, str]:
        """`web` and the servers that run here -> address, without passwords."""
        servers = {each.server.service.name: each.server.url() for each in self._supervisors}
        return {"web": f"http://{HOST}:{self._ready()['web']}", **servers}

    @property
    def restarts(self) -> dict[str, int]:
        """Server -> how often it fell and was started again."""
        return {each.server.service.name: each.restarts for each in self._supervisors}

    def environment(self) -> dict[str, str]:
        """NATS_URL, DATABASE_URL, DATABASE_OWNER_URL: passwords included, not for a screen."""
        names = (*NATS.gives, *POSTGRES.gives)
        given = {name: self._environment[name] for name in names if self._environment.get(name)}
        return given | {name: url for each in self._supervisors for name, url in each.server.environment().items()}

    async def admit(self, guest: str, permissions: str) -> str | None:
        """The address of the bus for a user of its own with those permissions; None where the bus is the operator's."""
        for each in self._supervisors:
            if isinstance(each.server, NatsServer):
                return await asyncio.to_thread(each.server.admit, guest, permissions, each.pid)
        return None

    def pids(self) -> dict[str, int]:
        """Server -> process id, for those that run at this moment."""
        return {each.server.service.name: each.pid for each in self._supervisors if each.pid}

    async def door(self) -> socket.socket:
        """A socket that listens on the web port already; moves on where somebody has taken it since the start."""
        book = self._ready()
        if await asyncio.to_thread(book.move_if_taken, "web"):
            await asyncio.to_thread(self._settle)
        return listener(book["web"])

    def _ready(self) -> PortBook:
        if self._book is None:
            raise LocalStackRefused("The local stack has not been started: call start() first.")
        return self._book

    def _names(self) -> list[str]:
        return [*WEB.ports, *(name for each in self._supervisors for name in each.server.service.ports)]

    def _prepare(self) -> None:
        """Everything before the first server: folder, lock, leftovers, passwords, ports."""
        own_database, own_bus = _configured(self._environment)
        folder = open_folder(self._given)
        self.data, self.places = folder.data, [folder.data]
        with disk_troubles(folder.data):
            self._lock = FolderLock(folder.lock)
            self._lock.acquire()
            place = None if own_database else self._find_place(folder)
            self._notes += end_leftovers(folder.run, place.database if place else None, killed=self._lock.killed)
            self.first = not folder.credentials.exists()
            self._book = PortBook(folder.ports, self._wanted)
            self._supervisors = self._plan(folder, place, self._book, bus=not own_bus)
            self._book.settle(self._names())

    def _find_place(self, folder: Folder) -> Place:
        place = find_place(folder.data)
        if place.note:
            self._notes.append(place.note)
            self.places.append(place.home)
        return place

    def _plan(self, folder: Folder, place: Place | None, book: PortBook, *, bus: bool) -> list[Supervisor]:
        credentials, new = keep_credentials(folder.credentials)
        servers: list[Server] = [NatsServer(folder, book, credentials)] if bus else []
        if place:
            servers.append(PostgresServer(folder, place, book, credentials, new_passwords=new))
        self._notes += [] if bus else ["NATS_URL is set: no bus is started here."]
        self._notes += [] if place else ["DATABASE_URL is set: no Postgres is started here."]
        return [Supervisor(each, book) for each in servers]

    def _settle(self) -> None:
        """Remember the ports as they came out, and tell the lock where this stack answers."""
        self._ready().save()
        if self._lock:
            self._lock.tell({"web": self.urls["web"]})


def _configured(environment: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether the operator has a database and a bus already."""
    both = [bool(environment.get(name)) for name in POSTGRES.gives]
    if any(both) and not all(both):
        there, missing = sorted(POSTGRES.gives, key=lambda name: not environment.get(name))
        raise SettingsError(
            f"{there} is set and {missing} is not: one role of a database serves requests, the other owns its tables "
            "and migrates them. Set both to use your own Postgres, or neither to have one started here."
        )
    return all(both), bool(environment.get("NATS_URL"))


def reset(data: Path) -> list[str]:
    """Forget what a local stack keeps in `data`: end leftovers, delete its files and no others; says what it did.

    A folder in which no stack has ever run is left as it is: what is called logs or keys there is somebody else's.
    Raises LocalStackRefused while a stack runs there.
    """
    if not Folder(data.expanduser().resolve()).is_used():
        return [f"There is no local data in {data}: nothing was deleted."]
    folder = open_folder(data)
    lock = FolderLock(folder.lock)
    with disk_troubles(folder.data):
        lock.acquire()
        away = outside(folder.data)
        homes = [folder.data, away] if away else [folder.data]
        notes = [note for home in homes for note in end_leftovers(folder.run, home / "postgres", killed=None)]
        databases = [home / name for home in homes for name in place_names()]
        for each in (folder.data / "nats", folder.logs, folder.run, folder.keys, *databases):
            shutil.rmtree(each, ignore_errors=not each.exists())
        if away:
            shutil.rmtree(away, ignore_errors=True)
        for file in (folder.credentials, folder.ports, folder.data / "place", folder.lock):
            file.unlink(missing_ok=True)
        lock.release()
    return [*notes, f"Forgot the local data in {folder.data}."]
