"""Worker: one process of an install: bus, ledger, relay and handlers; and the publisher, which has a bus alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hayai.bus.explain import places
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import Unavailable
from hayai.ledger.ledger import Ledger
from hayai.ledger.relay import Relay
from hayai.tier import Tier
from tests.simulation.pool import SimulatedPool
from tests.simulation.words import TENANT, Cast, CountTold

if TYPE_CHECKING:
    from tests.simulation.scene import Scene
    from tests.simulation.world import Process

_BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
_DRAIN_SECONDS = 4.0


class Part:
    """One process of the scene, from its start to its end."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene
        self.process: Process = scene.world.process(name)
        self.process.loop.network = scene.nats.network
        self.bus: NatsBus | None = None
        self.leaving = False
        self._leave: asyncio.Event | None = None
        self._task = self.process.loop.create_task(self._main())

    def leave(self) -> None:
        """SIGTERM."""
        self.leaving = True
        if self._leave is not None:
            self.process.hear(self._leave.set)

    async def _main(self) -> None:
        self._leave = asyncio.Event()
        if self.leaving:
            self._leave.set()
        try:
            await self.work(self._leave)
        except Unavailable as wrong:  # as a command ends with a sentence; whoever watches over it starts it again
            self.scene.world.note(f"{self.process.name} ends: {wrong}")
        except Exception as defect:  # noqa: BLE001 - nobody waits for this task
            self.process.loop.wrong.append(f"{defect!r} at {'; '.join(places(defect)[-4:])}")
        self.process.loop.fuse = 0

    async def work(self, leave: asyncio.Event) -> None:
        """What it does until it is told to leave. Raises Unavailable."""
        raise NotImplementedError

    def made_bus(self, ledger: Any) -> NatsBus:
        """A bus of this process."""
        world = self.scene.world
        settings = NatsSettings.model_validate({"url": "nats://sim:4222", **self.scene.settings})
        self.bus = NatsBus(settings, clock=lambda: _BEGAN + timedelta(seconds=world.now), ledger=ledger)
        return self.bus


class Worker(Part):
    """Runs every handler in its share of the partitions."""

    works = False
    """Every handler is subscribed."""
    has_left = False
    """It went in good order."""

    async def work(self, leave: asyncio.Event) -> None:
        """Start as the runtime does, and stop in its order."""
        scene = self.scene
        pool, application = (SimulatedPool(scene.postgres, self.process, scene.trouble) for _ in range(2))
        ledger = Ledger(pool, application)  # type: ignore[arg-type] # what Pool promises, on a simulation
        bus = self.made_bus(ledger)
        await bus.start()
        relay = Relay(pool, bus.send_all)  # type: ignore[arg-type]
        await relay.start()
        tier = Tier({})
        for each in Cast(scene, self.process, application).subscriptions(scene.concurrency):
            while not leave.is_set():
                try:
                    await bus.subscribe(each, tier)
                    break
                except Unavailable as wrong:  # a service may try again in the same process
                    scene.world.note(f"{self.process.name} cannot subscribe {each.name} yet: {wrong}")
                    await asyncio.sleep(0.3)
        scene.world.note(f"{self.process.name} works")
        self.works = True
        if not leave.is_set():
            scene.publisher.process.hear(scene.publisher.begin.set)
        await leave.wait()
        scene.world.note(f"{self.process.name} leaves")
        await bus.drain(_DRAIN_SECONDS)
        await relay.stop()
        await bus.stop()
        scene.world.note(f"{self.process.name} has left")
        self.has_left = True


class Publisher(Part):
    """Publishes the numbers of each key in order, each until it is acknowledged."""

    def __init__(self, scene: Scene, name: str) -> None:
        super().__init__(scene, name)
        self.begin = asyncio.Event()
        """Every handler has its places: what is published from now on must reach it."""

    async def work(self, leave: asyncio.Event) -> None:
        """Publish everything, then wait."""
        bus = self.made_bus(None)
        while True:
            try:
                await bus.start()
                break
            except Unavailable:
                await asyncio.sleep(0.2)
        await self.begin.wait()
        await asyncio.gather(*(self._tell(bus, f"k{each}") for each in range(self.scene.keys)))
        self.scene.is_told = True
        await leave.wait()
        await bus.stop()

    async def _tell(self, bus: NatsBus, key: str) -> None:
        chance, oracle = self.scene.world.random, self.scene.oracle
        for number in range(self.scene.each):
            await asyncio.sleep(chance.expovariate(1 / self.scene.gap))
            if chance.random() < self.scene.garbage:
                await bus._connection.post(f"ev.{TENANT}.{key}.count.told.v1", b"garbage")
            identity = f"{key}-{number}"
            while True:
                try:
                    await bus.publish(CountTold(number=number), tenant=TENANT, key=key, id=identity)
                    break
                except Unavailable:
                    await asyncio.sleep(0.1)
            oracle.acknowledged[identity] = number
