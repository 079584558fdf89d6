"""Pool: connections to Postgres; one transaction a task and tenant, and a transient error when the server is away.

Every connection asks the database port for its address anew, so credentials may rotate, and a server that went away
and came back is found again without a restart. Nothing is kept in a session: what a transaction needs is set inside it.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from hayai.errors import TenantWrong, Unavailable
from hayai.roles import check_role
from hayai.tokens import token

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from hayai.ports.database import Address, Database, Role

CONNECT_SECONDS = 5
ACQUIRE_SECONDS = 10
COMMAND_SECONDS = 30
CHECK_SECONDS = 3

_BIND = """
select set_config('hayai.tenant', $1, true), set_config('statement_timeout', '20s', true),
       set_config('lock_timeout', '10s', true), set_config('idle_in_transaction_session_timeout', '60s', true)
"""

# The first line that fits is said. Measured: a Postgres that is killed under load shows itself by four classes.
_SAID: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidPasswordError,
        "Postgres refuses the password: check the user and the password in the database's url.",
    ),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "Postgres refuses this user from this machine: check the user, TLS, and the server's pg_hba.conf.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        "The server holds no database of that name: create it, or mend the database's url.",
    ),
    (asyncpg.DiskFullError, "The disk of the Postgres server is full: free space there; nothing was changed."),
    (
        asyncpg.InsufficientResourcesError,
        "The Postgres server is out of connections or memory: lower the pools' size or raise its limits.",
    ),
    (asyncpg.PostgresSystemError, "The Postgres server cannot read or write its own files: look at its log."),
    (asyncpg.TransactionRollbackError, "Another transaction was faster; nothing was changed, try again."),
    (asyncpg.LockNotAvailableError, "Another transaction holds what this one needs; nothing was changed, try again."),
    (asyncpg.QueryCanceledError, "Postgres took too long and the query was cancelled; nothing was changed."),
    (asyncpg.OperatorInterventionError, "Postgres is stopping, starting or recovering: try again in a moment."),
    (asyncpg.PostgresConnectionError, "Postgres broke the connection off: it restarts, or it was stopped."),
    (asyncpg.InternalClientError, "Postgres broke the connection off: it restarts, or it was stopped."),
    (asyncpg.IdleInTransactionSessionTimeoutError, "A transaction stood open too long and was ended by Postgres."),
    (
        ssl.SSLCertVerificationError,
        "The Postgres server's certificate does not verify: check the host in its url, and [database] tls_ca.",
    ),
    (asyncpg.InterfaceError, "The connection to Postgres is closed: it restarts, or it was stopped."),
    (OSError, "Postgres does not answer: check that it runs, and host, port and TLS in the database's url."),
)


def unavailable(error: BaseException) -> Unavailable | None:
    """What to raise for an error of Postgres that another try may mend; None for any other (a defect, a refusal).

    The whole list of what counts, also of what asyncpg raises when its server dies: a lost or refused connection in
    any of its shapes, a refused login, a full disk or server, a lost race (serialization, deadlock, lock timeout).
    """
    if isinstance(error, asyncpg.InterfaceError) and "clos" not in str(error):
        return None  # a wrong call, not a lost connection: a defect must be seen as one
    return next((Unavailable(said) for kind, said in _SAID if isinstance(error, kind)), None)


async def connect(database: Database, role: Role, **options: Any) -> asyncpg.Connection:
    """One new connection in that role; the caller closes it. Raises Unavailable, which names host, port and user."""
    address = await database.address(role)
    try:
        return await asyncpg.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=address.password.get_secret_value() if address.password else None,
            ssl=address.tls or False,
            timeout=CONNECT_SECONDS,
            # A migration may take its time; a request may not.
            command_timeout=None if role == "owner" else COMMAND_SECONDS,
            **options,
        )
    except Exception as error:
        if (translated := unavailable(error)) is None:
            raise
        raise Unavailable(f"{_where(address)}: {translated}") from error


def _where(address: Address) -> str:
    return f"{address.user} at {address.host}:{address.port}/{address.database}"


@dataclass(frozen=True)
class _Open:
    """The transaction that is open in a task."""

    task: asyncio.Task[Any] | None
    tenant: str | None
    connection: asyncpg.Connection


class Pool:
    """At most `size` connections in one role of a database, opened when they are needed."""

    def __init__(self, database: Database, *, role: Role = "application", size: int = 10) -> None:
        self._database = database
        self._role: Role = role
        self._size = size
        self._connections: asyncpg.Pool | None = None
        # One variable a pool, so that transactions of two databases nest without seeing each other.
        self._open: ContextVar[_Open | None] = ContextVar("hayai.pools", default=None)

    async def start(self) -> None:
        """Open the first connection and see whom it speaks for.

        Raises Unavailable where the server does not answer, DatabaseUnfit where the application's role could see past
        row-level security or the database is not migrated. Safe to call twice.
        """
        if self._connections is not None:
            return
        # The first connection is made here and not by the pool, which would try each of its own in turn.
        first = await connect(self._database, self._role)
        try:
            if self._role == "application":
                await check_role(first)
        finally:
            await first.close()
        # The ledger's statements leave nothing behind in a session, and are many: no second round trip to tidy up.
        tidy = _leave if self._role == "ledger" else None
        self._connections = await asyncpg.create_pool(
            connect=self._connect, min_size=0, max_size=self._size, reset=tidy
        )

    async def stop(self) -> None:
        """Wait a moment for open transactions, then close every connection; safe to call twice."""
        connections, self._connections = self._connections, None
        if connections is None:
            return
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await connections.close()
        except TimeoutError:
            connections.terminate()

    async def check(self) -> None:
        """Return when Postgres answers on a new connection now. Raises Unavailable with a sentence."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                # A new one, since cancelling on one of the pool's would wait for the very server that hangs.
                connection = await connect(self._database, self._role)
                try:
                    await connection.execute("select")
                finally:
                    connection.terminate()
        except TimeoutError as error:
            raise Unavailable(
                f"Postgres did not answer within {CHECK_SECONDS} s: check that it is not hung."
            ) from error

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """The rows of one statement, which is a transaction of its own and of no tenant. Raises Unavailable."""
        async with self._acquired() as connection, _translated(connection):
            return list(await connection.fetch(query, *values))

    @asynccontextmanager
    async def listening(self, channel: str, hear: Callable[[], None]) -> AsyncGenerator[asyncio.Event]:
        """Call `hear` at each notification on `channel`; the event is set when the connection is gone.

        The connection is one of its own, past the pool. Raises Unavailable.
        """
        gone = asyncio.Event()

        def ended(_: object) -> None:
            gone.set()

        def told(*_: object) -> None:
            hear()

        connection = await connect(self._database, self._role)
        try:
            connection.add_termination_listener(ended)
            await connection.add_listener(channel, told)
            yield gone
        finally:
            connection.terminate()

    @asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncGenerator[asyncpg.Connection]:
        """A transaction that sees that tenant's rows alone; committed at the end, rolled back by an error.

        Joins the one that is open in this very task for the same tenant: an error then undoes the inner part alone,
        should the outer part go on, and nothing is committed before the outermost end. A task started inside opens
        its own. Raises TenantWrong inside another tenant's transaction, KeyNotOpaque, and Unavailable for whatever
        hayai.pools.unavailable() lists.
        """
        async with self._transaction(token(tenant, what="tenant")) as connection:
            yield connection

    @asynccontextmanager
    async def unbound(self) -> AsyncGenerator[asyncpg.Connection]:
        """A transaction of no tenant: it sees no tenant's rows, only functions and tables that belong to all."""
        async with self._transaction(None) as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, tenant: str | None) -> AsyncGenerator[asyncpg.Connection]:
        outer = self._open.get()
        if outer is None or outer.task is not asyncio.current_task():
            async with self._acquired() as connection, _translated(connection), connection.transaction():
                await connection.fetchrow(_BIND, tenant or "")
                self._open.set(_Open(asyncio.current_task(), tenant, connection))
                try:
                    yield connection
                finally:
                    self._open.set(outer)
        elif outer.tenant != tenant:
            raise TenantWrong("A transaction of another tenant is open in this task: end it first.")
        else:
            async with _translated(outer.connection), outer.connection.transaction():
                yield outer.connection

    @asynccontextmanager
    async def _acquired(self) -> AsyncGenerator[asyncpg.Connection]:
        if (connections := self._connections) is None:
            raise RuntimeError("This pool is not open: call start() first.")
        connection = await self._acquire(connections)
        try:
            yield connection
        finally:
            # What was committed stays so, whether the connection can be used again or not; asyncpg drops a broken one.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                await connections.release(connection)

    async def _acquire(self, connections: asyncpg.Pool) -> asyncpg.Connection:
        try:
            # What the pool hands out is a stand-in that behaves as a connection.
            return cast("asyncpg.Connection", await connections.acquire(timeout=ACQUIRE_SECONDS))
        except TimeoutError as error:  # that of connecting is an Unavailable by now
            raise Unavailable(
                f"All {self._size} connections to Postgres were busy for {ACQUIRE_SECONDS} s: try again in a moment."
            ) from error
        except asyncpg.InterfaceError as error:
            raise Unavailable("The connections to Postgres are being closed: this process is stopping.") from error

    async def _connect(self, *_: object, **options: Any) -> asyncpg.Connection:
        return await connect(self._database, self._role, **{key: options[key] for key in _PASSED if key in options})


@asynccontextmanager
async def _translated(connection: asyncpg.Connection) -> AsyncGenerator[None]:
    try:
        yield
    except Exception as error:
        # A file or a socket of the caller's own may fail inside the transaction: that is none of Postgres's.
        theirs = isinstance(error, OSError) and not connection.is_closed()
        if theirs or (translated := unavailable(error)) is None:
            raise
        raise translated from error


async def _leave(connection: asyncpg.Connection) -> None:
    del connection


_PASSED = ("loop", "connection_class", "record_class")
