"""`hayai plugins pause` and `resume`: on a real server, beside a worker that goes on and without one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.fronts import agent
from hayai.handlers import Policy, Subscription
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import BRIEFLY, BellRung, Ears
from hayai.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer

AGENT = "receptionist"
HANDLERS = list(agent(AGENT))


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """A NATS server of the test's own, a migrated database and a tier file with an agent."""
    with installed(postgres_server, tmp_path, agents=f'"{AGENT}"') as servers:
        yield servers


async def test_a_paused_plugins_events_wait_in_order_and_others_go_on(servers: Servers) -> None:
    """Another connection pauses it while it runs; what waited comes first once it is resumed."""
    handler = HANDLERS[0].name
    paused, others = Ears(), Ears()
    async with servers.bus() as bus:
        await bus.subscribe(Subscription(handler, BellRung, paused.hear, Policy()), Tier({}))
        await others.listen(bus)
        told = await servers.hayai("plugins", "pause", AGENT)
        assert (told.status, told.err) == (0, "")
        assert handler in told.out
        for number in range(4):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
        await others.until(4)
        await asyncio.sleep(BRIEFLY)
        assert paused.numbers == []
        assert f"{handler} (paused)" in (await servers.hayai("bus", "status")).out
        told = await servers.hayai("plugins", "resume", AGENT)
        assert (told.status, told.err) == (0, "")
        await paused.until(4)
        assert paused.numbers == [0, 1, 2, 3]
        assert "(paused)" not in (await servers.hayai("bus", "status")).out


async def test_whoever_waits_is_woken_when_a_plugin_is_resumed(servers: Servers) -> None:
    """Long before it would ask again by itself."""
    paused = Ears()
    async with servers.bus(heartbeat=15) as bus:
        await bus.subscribe(Subscription(HANDLERS[0].name, BellRung, paused.hear, Policy()), Tier({}))
        assert (await servers.hayai("plugins", "pause", AGENT)).status == 0
        for number in range(20):
            await bus.publish(BellRung(number=number), tenant="acme", key=f"k{number}")
        await asyncio.sleep(BRIEFLY)
        assert paused.numbers == []
        assert (await servers.hayai("plugins", "resume", AGENT)).status == 0
        async with asyncio.timeout(7):  # it asks again every 15 s
            await paused.until(20)


async def test_a_pause_outlives_the_worker_and_ends_by_itself_where_it_is_told_to(servers: Servers) -> None:
    """It is kept on the server: a worker that starts later gets nothing before its end."""
    async with servers.bus() as bus:
        for each in HANDLERS:
            await bus.subscribe(Subscription(each.name, each.event, _nothing, Policy()), Tier({}))
    assert (await servers.hayai("plugins", "pause", AGENT, "--for", "3")).status == 0
    ears = Ears()
    renamed = Subscription(HANDLERS[0].name, HANDLERS[0].event, ears.hear, Policy())
    async with servers.bus() as bus:
        begun = asyncio.get_running_loop().time()
        await bus.subscribe(renamed, Tier({}))
        assert (await servers.asked("bus", "status"))["handlers"][0]["paused"]
        while (await servers.asked("bus", "status"))["handlers"][0]["paused"]:
            assert asyncio.get_running_loop().time() - begun < 30


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("pause", "recepionist"), "did you mean receptionist?"),
        (("resume", "nobody"), "names no agent and no channel 'nobody'"),
        (("pause", AGENT), "has no place on the bus"),
        (("resume", AGENT), "has no place on the bus"),
    ],
)
async def test_what_cannot_be_paused_is_a_sentence(servers: Servers, arguments: tuple[str, ...], sentence: str) -> None:
    """An unknown name, with what was probably meant; and a plugin that never ran."""
    told = await servers.hayai("plugins", *arguments)
    assert (told.status, told.out) == (1, "")
    assert sentence in told.err


async def _nothing(_event: object, _context: object) -> None:
    """Take it."""
