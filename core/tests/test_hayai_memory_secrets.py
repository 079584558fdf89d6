"""The twin of the port `secrets` against its contract, and what the port itself keeps for every adapter."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import Unavailable
from hayai.testing.clock import MONDAY_MORNING, MovableClock
from hayai.testing.memory_secrets import MemorySecrets
from hayai.testing.secrets import SecretsContract

if TYPE_CHECKING:
    from hayai.ports.secrets import Secrets


class TestMemorySecrets(SecretsContract):
    """The port's contract."""

    @pytest.fixture
    def secrets(self) -> Secrets:
        """A dictionary with what the contract asks for."""
        return MemorySecrets(self.stored)


class Flaky(MemorySecrets):
    """Is away for its first so many reads."""

    pauses = (0.0, 0.0)

    def __init__(self, away: int) -> None:
        super().__init__({"key": "kept"})
        self.away = away
        self.reads = 0

    async def _read(self, name: str) -> str | None:
        self.reads += 1
        if self.reads <= self.away:
            raise Unavailable("The store is away.")
        return await super()._read(name)


async def test_a_store_that_is_back_soon_is_not_noticed() -> None:
    """One read waits through every pause before it gives up."""
    secrets = Flaky(away=2)
    assert (await secrets.read("key")).get_secret_value() == "kept"
    assert secrets.reads == 3


async def test_a_store_that_stays_away_is_unavailable() -> None:
    """With the adapter's own sentence."""
    with pytest.raises(Unavailable, match="The store is away"):
        await Flaky(away=3).read("key")


async def test_a_store_that_hangs_is_unavailable_at_the_deadline() -> None:
    """The sentence names the secret, the store and the seconds."""

    class Hanging(MemorySecrets):
        deadline = 0.05

        async def _read(self, name: str) -> str | None:
            await asyncio.Event().wait()
            return name

    with pytest.raises(Unavailable, match=r"'key' did not come from the memory of this process within 0\.05 s"):
        await Hanging().read("key")


def test_a_test_moves_the_clock(clock: MovableClock) -> None:
    """It stands still in between, goes forward or back, and takes aware instants only."""
    assert clock() == clock() == MONDAY_MORNING
    assert clock.advance(timedelta(hours=1)) == clock() == MONDAY_MORNING + timedelta(hours=1)
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert clock().year == 2020
    with pytest.raises(ValueError, match="aware"):
        clock.set(datetime(2020, 1, 1))  # noqa: DTZ001 - what is refused
