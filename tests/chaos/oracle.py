"""Oracle: what everybody saw happen, in files outside of the system, which no kill of a process can take back.

A line is written by one write() to a file opened for appending: it is the kernel's once the call returns, so it
survives the SIGKILL of whoever wrote it, and lines of several processes do not mix. `at` is the machine's monotonic
clock, the same in every process.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

What = Literal["ready", "sent", "acked", "refused", "poison", "began", "handled", "reached", "killing", "left"]


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened: who saw it (`by`, a process), to which number of which key, at which handler."""

    what: What
    who: str
    key: str
    number: int
    by: int
    at: float


class Oracle:
    """Writes records, and does the outward acts of the handlers: it is the provider as well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "acts").mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "records", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def tell(self, what: What, who: str, key: str = "", number: int = 0) -> None:
        """Note that it happened, now."""
        line = json.dumps([what, who, key, number, os.getpid(), time.monotonic()])
        os.write(self._file, line.encode() + b"\n")

    def act(self, name: str) -> None:
        """Do the outward act of that name: a line more in its file each time, which says who did it and when."""
        act = os.open(self._folder / "acts" / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(act, f"{os.getpid()} {time.monotonic()}\n".encode())
        os.close(act)

    def was_done(self, name: str) -> bool:
        """What the provider answers when it is asked about an act."""
        return (self._folder / "acts" / name).exists()

    @property
    def is_mended(self) -> bool:
        """Whether handlers that go wrong on purpose do so no more."""
        return (self._folder / "mended").exists()

    def acts(self, prefix: str = "") -> dict[str, int]:
        """How often each act was done, of those whose names begin so."""
        return {each.name: each.read_bytes().count(b"\n") for each in (self._folder / "acts").glob(f"{prefix}*")}

    def doers(self, name: str) -> list[tuple[int, float]]:
        """Which processes did that act, and when."""
        lines = (self._folder / "acts" / name).read_text().splitlines()
        return [(int(pid), float(at)) for pid, at in (line.split() for line in lines)]


class Reader:
    """Reads the records as they come: what was read stays in `records`, in the order in which it was written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "records"
        self._offset = 0
        self.records: list[Record] = []

    def look(self) -> list[Record]:
        """Everything that was told so far."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            told, _, _ = file.read().rpartition(b"\n")
        if told:
            self._offset += len(told) + 1
            self.records += [Record(*json.loads(line)) for line in told.split(b"\n")]
        return self.records

    def of(self, what: What, who: str | None = None) -> list[Record]:
        """Those of one sort, and of one handler where one is named."""
        return [each for each in self.look() if each.what == what and who in {None, each.who}]
