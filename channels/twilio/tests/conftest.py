"""The text channel in a house, on a real Postgres, at a real web server, with the simulated Twilio at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from hayai.migrations import migrate
from hayai.pools import Pool
from hayai.testing.channel import House, standing_house
from hayai.testing.web import listening
from hayai.web.door import door
from hayai_consent.hearing import Hearing
from hayai_twilio.simulator.line import ACCOUNT, TOKEN, Line, demo_account
from hayai_twilio.simulator.twilio import SimulatedTwilio, serving
from hayai_twilio.sms import TwilioSMS

if TYPE_CHECKING:
    from hayai.testing.clock import MovableClock
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase
    from hayai_twilio.simulator.account import Account

ORIGIN = "https://sms.example"
"""How Twilio is told to reach us; the simulator goes to where we really are."""


@dataclass(frozen=True)
class Opened:
    """A channel that is at work, with the line to it; `url` is where its door really is."""

    channel: TwilioSMS
    line: Line
    url: str


Open = Callable[..., AbstractAsyncContextManager[Opened]]


@pytest.fixture(scope="session")
def database(postgres_server: PostgresServer) -> ServedDatabase:
    """The channel's tables."""
    name = postgres_server.create()
    asyncio.run(migrate(postgres_server.database(name), {"twilio": files("hayai_twilio.migrations.twilio")}))
    return postgres_server.database(name)


@pytest.fixture
async def pool(database: ServedDatabase) -> AsyncIterator[Pool]:
    """A pool in the application's role on empty tables."""
    pool = Pool(database)
    await pool.start()
    yield pool
    await pool.stop()
    database.server.sql("truncate hayai.twilio_message, hayai.twilio_pace", database.name)


@pytest.fixture
def account() -> Account:
    """The simulated account."""
    return demo_account()


@pytest.fixture
async def house(clock: MovableClock) -> AsyncIterator[House]:
    """What stands around the channel."""
    async with standing_house(clock) as standing:
        yield standing


@pytest.fixture
def open_line(house: House, pool: Pool, account: Account) -> Open:
    """What opens a line, given more settings of the channel."""
    return lambda **settings: _line(house, pool, account, settings)


@pytest.fixture
async def opened(open_line: Open) -> AsyncIterator[Opened]:
    """A channel with its usual settings."""
    async with open_line() as standing:
        yield standing


@pytest.fixture
def channel(opened: Opened) -> TwilioSMS:
    """The channel itself."""
    return opened.channel


@pytest.fixture
def line(opened: Opened) -> Line:
    """The line to it."""
    return opened.line


@pytest.fixture
def url(opened: Opened) -> str:
    """Where its door really is."""
    return opened.url


@asynccontextmanager
async def _line(house: House, pool: Pool, account: Account, settings: dict[str, Any]) -> AsyncIterator[Opened]:
    where: list[str] = []
    twilio = SimulatedTwilio(account, via=lambda url: url.replace(ORIGIN, where[0], 1))
    async with serving(twilio) as api_url:
        given = {
            "account_sid": ACCOUNT, "auth_tokens": [TOKEN], "numbers": dict.fromkeys(account.numbers, "smile-dental"),
            "public_url": ORIGIN, "api_url": api_url, "messages_per_second": 1000, "settling": 0.05, "timeout": 1,
        }  # fmt: skip
        chosen = TwilioSMS.Settings.model_validate({**given, **settings})
        channel = TwilioSMS(
            chosen,  # type: ignore[arg-type]
            bus=house.bus,
            tier=house.tier,
            clock=house.clock,
            pool=pool,
            interceptors=(Hearing(),),
        )
        await channel.start()
        async with listening(door(house.tier, house.bus, [channel], {}, house.clock)) as url:
            where.append(url)
            yield Opened(channel, Line(twilio, ORIGIN), url)
        await channel.stop()
