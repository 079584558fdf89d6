"""A worker: one process of a Hayai install with its bus, ledger and relay, and the handlers under fire.

`python -m tests.chaos.worker SPEC` runs one in a process of its own; tests.chaos.nursery forks many out of one.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hayai.bus.nats import NatsBus, NatsSettings
from hayai.ledger.ledger import Ledger
from hayai.ledger.relay import Relay
from hayai.pools import Pool
from hayai.testing.ledger import Told
from hayai.tier import Tier
from tests.chaos import points
from tests.chaos.handlers import SORTS, TENANT, Work, word
from tests.chaos.oracle import Oracle


@dataclass(frozen=True)
class Spec:
    """What a worker is told: the servers, the handlers that it runs, and where it shall die."""

    nats: str
    database: str
    """Addresses as hayai.testing.ledger.describe() writes them."""
    oracle: str
    """The oracle's folder."""
    noun: str = "step"
    group: str = "chaos"
    sorts: tuple[str, ...] = SORTS
    policy: dict[str, Any] = field(default_factory=dict)
    bus: dict[str, Any] = field(default_factory=dict)
    """Settings of the bus besides its url."""
    publishes: int = 0
    """How many events it publishes itself, on the key `own`, once it is ready."""
    point: str = ""
    """The await point at which it kills itself, and the how manieth passing."""
    passing: int = 1
    traced: bool = False
    """Tell which points were passed, and how often."""

    @property
    def database_name(self) -> str:
        """The name of its database on the server."""
        return str(json.loads(self.database)["application"][2])

    def text(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))


def read(text: str) -> Spec:
    """The spec that text() wrote."""
    told = json.loads(text)
    return Spec(**{**told, "sorts": tuple(told["sorts"])})


async def work(spec: Spec) -> None:
    """Work until SIGTERM; then drain and return."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _dump)
    import logging

    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(name)s %(message)s")
    oracle = Oracle(Path(spec.oracle))
    points.arm(oracle, spec.point, spec.passing, traced=spec.traced)
    async with AsyncExitStack() as stack:
        ledger_pool, pool = Pool(Told(spec.database), role="ledger"), Pool(Told(spec.database))
        for one in (ledger_pool, pool):
            await one.start()
            stack.push_async_callback(one.stop)
        settings = {"url": spec.nats, "connect_deadline": 30, **spec.bus}
        bus = NatsBus(NatsSettings.model_validate(settings), ledger=Ledger(ledger_pool, pool))
        await bus.start()
        stack.push_async_callback(bus.stop)
        relay = Relay(ledger_pool, bus.send_all)
        await relay.start()
        stack.push_async_callback(relay.stop)
        for each in Work(oracle, pool, spec.noun).group(spec.group, spec.sorts, spec.policy):
            await bus.subscribe(each, Tier({}))
        oracle.tell("ready", spec.group)
        await _publish(spec, bus, oracle)
        await stop.wait()
        await bus.drain(5)
    points.tell(oracle)
    oracle.tell("left", spec.group)


def _dump() -> None:
    """Say on stderr where every task waits: for a worker that does not end."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)
    sys.stderr.flush()


async def _publish(spec: Spec, bus: NatsBus, oracle: Oracle) -> None:
    key = f"own{os.getpid()}"
    for number in range(spec.publishes):
        for verb in ("taken", "asked"):
            await bus.publish(word(spec.noun, verb)(number=number), tenant=TENANT, key=key)
            oracle.tell("acked", f"{spec.noun}.{verb}", key, number)


if __name__ == "__main__":
    asyncio.run(work(read(sys.argv[1])))
