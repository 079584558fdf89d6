"""SimulatedPool: what hayai.pools.Pool promises, on the simulated Postgres and a way there that fails and hangs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hayai.errors import Unavailable
from tests.simulation.postgres import Aborted, Blocked
from tests.simulation.statements import STATEMENTS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from tests.simulation.postgres import SimulatedPostgres, Transaction
    from tests.simulation.world import Process

_PATIENCE = 10.0
_LOOK = 0.02


@dataclass
class Trouble:
    """How likely a statement is lost on its way there, its answer on the way back, or either is late."""

    before: float = 0.0
    after: float = 0.0
    late: float = 0.0


class Round:
    """One statement on its way there and its answer on the way back, whoever still waits for it."""

    def __init__(
        self,
        postgres: SimulatedPostgres,
        process: Process,
        trouble: Trouble,
        do: Callable[[], Any],
        answer: asyncio.Future[Any],
    ) -> None:
        self._postgres = postgres
        self._process = process
        self._trouble = trouble
        self._do = do
        self._answer = answer
        self._result: Any = None
        self._wrong: Exception | None = None
        self._until = postgres.world.now + _PATIENCE
        postgres.world.after(self._delay(), self._arrive)

    def _arrive(self) -> None:
        postgres = self._postgres
        is_cut = self._process in postgres.cut
        if is_cut and postgres.world.now < self._until:
            postgres.world.after(_LOOK, self._arrive)
        elif is_cut or not postgres.is_up or postgres.world.random.random() < self._trouble.before:
            self._wrong = Unavailable("Postgres is away")
            self._process.hear(self._tell)
        else:
            self._execute()

    def _execute(self) -> None:
        try:
            self._postgres.expire()
            self._result = self._do()
        except Blocked:
            if self._postgres.world.now < self._until:
                self._postgres.world.after(_LOOK, self._arrive)
                return
            self._wrong = Unavailable("another transaction holds what this one needs")
        except Aborted:
            self._wrong = Unavailable("the transaction was ended by Postgres")
        self._until = self._postgres.world.now + _PATIENCE
        self._postgres.world.after(self._delay(), self._return)

    def _return(self) -> None:
        world, is_cut = self._postgres.world, self._process in self._postgres.cut
        if is_cut and world.now < self._until:
            world.after(_LOOK, self._return)
            return
        if is_cut or world.random.random() < self._trouble.after:
            self._wrong = Unavailable("the answer was lost")
        self._process.hear(self._tell)

    def _tell(self) -> None:
        if self._answer.done():
            return
        if self._wrong is None:
            self._answer.set_result(self._result)
        else:
            self._answer.set_exception(self._wrong)

    def _delay(self) -> float:
        chance = self._postgres.world.random
        return chance.uniform(0.5, 6) if chance.random() < self._trouble.late else chance.uniform(0.0002, 0.002)


class SimulatedPool:
    """One process's way to Postgres."""

    def __init__(self, postgres: SimulatedPostgres, process: Process, trouble: Trouble) -> None:
        self._postgres = postgres
        self._process = process
        self._trouble = trouble
        self._open: ContextVar[Connection | None] = ContextVar("simulation.pool", default=None)

    async def fetch(self, query: str, *values: object) -> list[Any]:
        """The rows of one statement. Raises Unavailable."""
        statement = STATEMENTS[query]
        return list(await self.round(lambda: statement(self._postgres, None, values)))

    async def round(self, do: Callable[[], Any]) -> Any:
        """What `do` returns at the server, one way there and one way back. Raises Unavailable."""
        answer = asyncio.get_running_loop().create_future()
        Round(self._postgres, self._process, self._trouble, do, answer)
        return await answer

    @asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncGenerator[Connection]:
        """A transaction of that tenant; joins the one that is open in this task. Raises Unavailable."""
        outer = self._open.get()
        if outer is not None and outer.task is asyncio.current_task():
            yield outer
            return
        async with self.unbound() as connection:
            self._open.set(connection)
            try:
                yield connection
            finally:
                self._open.set(outer)

    @asynccontextmanager
    async def unbound(self) -> AsyncGenerator[Connection]:
        """A transaction of no tenant. Raises Unavailable."""
        transaction = await self.round(self._begun)
        connection = Connection(self, self._postgres, transaction)
        try:
            yield connection
        except BaseException:
            self._postgres.world.after(_LOOK, lambda: self._postgres.roll_back(transaction))
            raise
        try:
            await self.round(lambda: self._postgres.commit(transaction))
        except BaseException:  # the connection is dropped, and with it what is open there
            self._postgres.roll_back(transaction)
            raise

    def _begun(self) -> Transaction:
        transaction = self._postgres.begin()
        self._process.at_death.append(lambda: self._postgres.roll_back(transaction))
        return transaction

    @asynccontextmanager
    async def listening(self, channel: str, hear: Callable[[], None]) -> AsyncGenerator[asyncio.Event]:
        """Call `hear` at new rows; the event is set when the connection is gone. Raises Unavailable."""
        gone = asyncio.Event()
        await self.round(lambda: None)
        self._postgres.listeners[self._process] = (hear, gone.set)
        try:
            yield gone
        finally:
            self._postgres.listeners.pop(self._process, None)


class Connection:
    """The connection of one open transaction."""

    def __init__(self, pool: SimulatedPool, postgres: SimulatedPostgres, transaction: Transaction) -> None:
        self.task = asyncio.current_task()
        self._pool = pool
        self._postgres = postgres
        self._transaction = transaction

    async def fetch(self, query: str, *values: object) -> list[Any]:
        """The rows of one statement. Raises Unavailable."""
        statement = STATEMENTS[query]

        def do() -> list[Any]:
            self._postgres.look_at(self._transaction)
            return statement(self._postgres, self._transaction, values)

        return list(await self._pool.round(do))

    async def fetchrow(self, query: str, *values: object) -> Any:
        """The first row. Raises Unavailable."""
        rows = await self.fetch(query, *values)
        return rows[0] if rows else None

    async def fetchval(self, query: str, *values: object) -> Any:
        """The first column of the first row. Raises Unavailable."""
        row = await self.fetchrow(query, *values)
        return next(iter(row.values())) if row else None

    execute = fetch

    async def executemany(self, query: str, rows: Iterable[tuple[object, ...]]) -> None:
        """One statement many times. Raises Unavailable."""
        for row in rows:
            await self.fetch(query, *row)
