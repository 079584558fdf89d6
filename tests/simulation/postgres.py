"""SimulatedPostgres: the ledger's tables, transactions that see each other as Postgres lets them, and its clock."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.world import Process, World

SHARDS = 8
_IDLE_SECONDS = 60.0


class Blocked(Exception):
    """A statement must wait for another transaction."""


class Aborted(Exception):
    """The transaction was undone by the server."""


@dataclass(eq=False)
class Transaction:
    """One that is open; what it writes is done at its end."""

    number: int = 0
    """Postgres's xid, from the first write on."""
    idle: float = _IDLE_SECONDS
    asked_at: float = 0.0
    marks: set[tuple[Any, ...]] = field(default_factory=set)
    leases: set[str] = field(default_factory=set)
    """Rows that it has locked FOR KEY SHARE."""
    shards: set[int] = field(default_factory=set)
    writes: list[Callable[[], None]] = field(default_factory=list)
    is_over: bool = False


@dataclass
class Lease:
    """A row of hayai.lease."""

    holder: str | None = None
    epoch: int = 0


@dataclass
class Row:
    """A row of hayai.outbox."""

    position: int
    written_by: int
    tenant: str
    id: str
    type: str
    subject: str
    body: bytes

    @property
    def shard(self) -> int:
        """The same for all of one tenant and key."""
        return zlib.crc32(".".join(self.subject.split(".")[1:3]).encode()) % SHARDS


@dataclass
class Mark:
    """That an inbox mark was committed, and under which fences; what the oracle reads."""

    at: float
    tenant: str
    event: str
    handler: str
    fences: frozenset[tuple[str, int]]
    follow_ups: int


class SimulatedPostgres:
    """One server; `cut` are the processes that do not reach it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_up = True
        self.cut: set[Process] = set()
        self.inbox: dict[tuple[str, str, str, str], Mark] = {}
        self.marks: list[Mark] = []
        self.outbox: list[Row] = []
        self.leases: dict[str, Lease] = {}
        self.workers: dict[str, tuple[list[str], int]] = {}
        """What each wants a share of, and its beat."""
        self.places: dict[str, tuple[str, int]] = {}
        """How far each consumer has come: when its stream was made, and the sequence."""
        self.effects: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.suspects: dict[tuple[Any, ...], int] = {}
        self.refused: list[tuple[Any, ...]] = []
        self.domain: list[tuple[str, str]] = []
        """What transactional handlers wrote: tenant and event."""
        self.open: list[Transaction] = []
        self.listeners: dict[Process, tuple[Callable[[], None], Callable[[], None]]] = {}
        """How each hears of new rows, and of the end of its connection."""
        self._position, self._number = 0, 0

    @property
    def now(self) -> float:
        """The seconds that the server counts."""
        return self.world.now

    def begin(self) -> Transaction:
        """A new transaction."""
        transaction = Transaction(asked_at=self.now)
        self.open.append(transaction)
        return transaction

    def number(self, transaction: Transaction | None) -> int:
        """The xid of a transaction that writes; a statement alone has one of its own."""
        if transaction is not None and transaction.number:
            return transaction.number
        self._number += 1
        if transaction is not None:
            transaction.number = self._number
        return self._number

    def oldest(self) -> int:
        """The xid below which nothing is open."""
        return min((each.number for each in self.open if each.number), default=self._number + 1)

    def write(self, transaction: Transaction | None, do: Callable[[], None]) -> None:
        """Do it at the transaction's end, or now where there is none."""
        if transaction is None:
            do()
        else:
            transaction.writes.append(do)

    def mark(self, mark: Mark, transaction: Transaction | None) -> bool:
        """Insert into hayai.inbox, on conflict do nothing; whether it was new. Raises Blocked."""
        key = (mark.tenant, mark.event, mark.handler, "live")
        if key in self.inbox or (transaction and key in transaction.marks):
            return False
        self.must_wait(key, transaction)
        if transaction is not None:
            transaction.marks.add(key)

        def done() -> None:
            mark.at = self.now
            self.inbox[key] = mark
            self.marks.append(mark)

        self.write(transaction, done)
        return True

    def must_wait(self, key: tuple[Any, ...], transaction: Transaction | None) -> None:
        """Raises Blocked while another transaction may or may not keep that mark."""
        if any(key in each.marks for each in self.open if each is not transaction):
            raise Blocked

    def put(self, rows: list[tuple[str, str, str, str, bytes]], transaction: Transaction | None) -> None:
        """Insert tenant, id, type, subject and body into hayai.outbox, in order."""
        number = self.number(transaction)
        made = []
        for tenant, identity, kind, subject, body in rows:
            self._position += 1
            made.append(Row(self._position, number, tenant, identity, kind, subject, body))
        self.write(transaction, lambda: self.outbox.extend(made))
        self.write(transaction, self.notify)

    def notify(self) -> None:
        """Tell the relays of new rows."""
        for process, (hear, _) in self.listeners.items():
            if process not in self.cut:
                process.hear(hear)

    def holds(self, lease: str, epoch: int, transaction: Transaction | None) -> bool:
        """Whether that epoch is the current one; it stays so until the transaction's end."""
        found = lease in self.leases and self.leases[lease].epoch == epoch
        if found and transaction is not None:
            transaction.leases.add(lease)
        return found

    def commit(self, transaction: Transaction) -> None:
        """Raises Aborted where the server has undone it already."""
        self.look_at(transaction)
        self.open.remove(transaction)
        transaction.is_over = True
        for each in transaction.writes:
            each()

    def roll_back(self, transaction: Transaction) -> None:
        """Undo it; safe to call twice."""
        transaction.is_over = True
        if transaction in self.open:
            self.open.remove(transaction)

    def look_at(self, transaction: Transaction) -> None:
        """Raises Aborted where it is over."""
        self.expire()
        if transaction.is_over:
            raise Aborted
        transaction.asked_at = self.now

    def expire(self) -> None:
        """Undo what nobody has asked anything of for too long."""
        for each in [each for each in self.open if each.asked_at + each.idle < self.now]:
            self.world.note("postgres ends an idle transaction")
            self.roll_back(each)

    def crash(self) -> None:
        """Be gone at once; what is committed stays."""
        self.is_up = False
        for each in list(self.open):
            self.roll_back(each)
        for process in list(self.listeners):
            self.hang_up(process)

    def hang_up(self, process: Process) -> None:
        """End the connection on which a process hears of new rows."""
        if (found := self.listeners.pop(process, None)) is not None:
            process.hear(found[1])
