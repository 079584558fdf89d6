"""Oversight: bus and ledger of an install, looked at from beside it; no Hayai has to run."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from hayai.bus.lookout import Lookout
from hayai.bus.nats import NatsSettings
from hayai.clock import system_clock
from hayai.errors import SettingsError
from hayai.ledger.overview import ledger_state, staff
from hayai.ledger.pace import Pace, read_paces
from hayai.pools import Pool
from hayai.ports.database import Database
from hayai.runtime.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hayai.bus.lookout import StreamState
    from hayai.ledger.overview import LedgerState
    from hayai.settings import InstallSettings


L = TypeVar("L", bound=Lookout)


@dataclass(frozen=True)
class HandlerState:
    """One handler over all of its partitions; counts of events where nothing else is said."""

    name: str
    lag: int
    in_flight: int
    oldest: str | None
    """When the oldest of these was stored, RFC 3339."""
    redelivered: int
    paused: bool
    dead_letters: int
    attempts: int
    """Tries of about the last hour, in all processes."""
    failed: int
    """Of these, how many raised."""
    p50: float | None
    """The seconds that half of these tries did not exceed; None without a try."""
    p99: float | None
    workers: int
    """How many workers hold a lease of it."""
    leases: int
    held: int


@dataclass(frozen=True)
class BusState:
    """The bus at one moment."""

    handlers: list[HandlerState]
    streams: list[StreamState]
    ledger: LedgerState


@dataclass(frozen=True)
class Oversight:
    """Where to look from."""

    lookout: Lookout
    pool: Pool
    """One of the role "ledger"."""

    async def state(self) -> BusState:
        """What is there now. Raises DatabaseUnfit, Unavailable."""
        places, letters, hands = await self.lookout.places(), await self.lookout.letters(), await staff(self.pool)
        paces, handlers = await read_paces(self.pool), list[HandlerState]()
        for name in sorted({*places, *letters}):
            place, those, pace = places.get(name), hands.get(name), paces.get(name, Pace())
            handlers.append(
                HandlerState(
                    name=name,
                    lag=place.lag if place else 0,
                    in_flight=place.in_flight if place else 0,
                    oldest=place.oldest if place else None,
                    redelivered=place.redelivered if place else 0,
                    paused=bool(place and place.paused),
                    dead_letters=letters[name],
                    attempts=pace.attempts,
                    failed=pace.failed,
                    p50=pace.within(0.5),
                    p99=pace.within(0.99),
                    workers=those.workers if those else 0,
                    leases=those.leases if those else 0,
                    held=those.held if those else 0,
                )
            )
        return BusState(handlers, await self.lookout.streams(), await ledger_state(self.pool))


@asynccontextmanager
async def overseen(settings: InstallSettings) -> AsyncGenerator[Oversight]:
    """Bus and ledger of `settings`. Raises SettingsError, PluginError, DatabaseUnfit, Unavailable."""
    async with overseen_bus(settings, Lookout) as lookout, overseen_ledger(settings) as pool:
        yield Oversight(lookout, pool)


@asynccontextmanager
async def overseen_bus(settings: InstallSettings, kind: type[L]) -> AsyncGenerator[L]:
    """The bus alone, as that `kind` of lookout. Raises SettingsError also where the bus is none on NATS."""
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": system_clock})
        await shop.prepare(settings, ["bus"])
        measures = shop.settings("bus")
        if not isinstance(measures, NatsSettings):
            raise SettingsError(
                f"The bus of {settings.source} is {settings.port('bus').adapter}, and only one on NATS can be looked "
                'at: set adapter = "nats" under [bus].'
            )
        yield await shop.start(kind(measures))


@asynccontextmanager
async def overseen_ledger(settings: InstallSettings) -> AsyncGenerator[Pool]:
    """A pool of the ledger's role."""
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"clock": system_clock})
        await shop.prepare(settings, ["database"])
        yield await shop.start(Pool(await shop.make("database", Database), role="ledger", size=2))
