"""Scene: what one seed draws: how much there is of everything, and which faults come."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.simulation.nats_server import SimulatedNats
from tests.simulation.oracle import Oracle
from tests.simulation.pool import Trouble
from tests.simulation.postgres import SimulatedPostgres
from tests.simulation.worker import Publisher, Worker
from tests.simulation.world import Broken, World

if TYPE_CHECKING:
    from collections.abc import Callable

_CALM_AT = 12.0
_SETTLED_WITHIN = 90.0
_LEFT_WITHIN = 30.0
_FAULTS_FROM = 1.5


class Scene:
    """The world of one seed, from the first start to the last stop."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.world = World(seed)
        chance = self.world.random
        self.nats = SimulatedNats(self.world)
        self.postgres = SimulatedPostgres(self.world)
        self.oracle = Oracle(seed, self.world, self.nats, self.postgres)
        self.keys = chance.randint(1, 5)
        self.each = chance.randint(4, 10)
        self.gap = chance.choice([0.05, 0.3, 1.2])
        self.garbage = chance.choice([0, 0, 0.1])
        self.concurrency = chance.choice([1, 4, 64])
        self.settings: dict[str, Any] = {
            "partitions": chance.choice([1, 2, 3]),
            "ack_wait": chance.choice([1, 3, 5]),
            "heartbeat": chance.choice([0.5, 2]),
            "window": chance.choice([2, 8, 64]),
            "publish_deadline": chance.choice([4, 30]),
        }
        self.trouble = Trouble(*(chance.choice([0, 0, 0.01, 0.05]) for _ in range(3)))
        self.workers: list[Worker] = []
        self.wanted = chance.randint(1, 3)
        self.faults: Counter[str] = Counter()
        self.is_told = False
        self._named = 0
        self._is_calm = False
        self.publisher: Publisher
        every: dict[str, Callable[[], None]] = {
            "kill": self._kill,
            "stop": self._stop,
            "cut from nats": self._cut_nats,
            "cut from postgres": self._cut_postgres,
            "slow": self._slow,
            "nats crash": self._crash_nats,
            "postgres crash": self._crash_postgres,
            "leave": self._leave,
            "join": self._join,
            "consumer deleted": self._delete_consumer,
        }
        self._possible = dict(chance.sample(list(every.items()), chance.randint(0, 5)))
        self._pace = chance.choice([0.3, 1.0, 3.0])

    def run(self) -> None:
        """Raises Broken where something does not hold."""
        world = self.world
        self.publisher = Publisher(self, "publisher")
        for _ in range(self.wanted):
            self._join_now()
        self._supervise()
        world.after(_FAULTS_FROM, self._go_wrong)
        world.run(_CALM_AT, self._watched)
        self._calm_down()
        world.run(_CALM_AT + _SETTLED_WITHIN, self._is_settled)
        if not self._is_settled():
            raise Broken(f"not settled {_SETTLED_WITHIN:g} s after the last fault: {self._unsettled()}")
        self.oracle.judge()
        self._end()

    def _watched(self) -> bool:
        self.oracle.watch()
        self._look_at_windows()
        return False

    def _is_settled(self) -> bool:
        self._watched()
        return not self._unsettled()

    def _unsettled(self) -> str:
        return self.oracle.unsettled() if self.is_told else "the publisher is not through"

    def _look_at_windows(self) -> None:
        for worker in self.workers:
            for post in worker.bus._posts.values() if worker.bus else ():
                for consumer in post._consumers.values():
                    # Twice the window: a request that the server kept through a cut is answered beside its successor.
                    if len(consumer._hand.held) > 2 * self.settings["window"]:
                        raise Broken(f"{worker.process.name} holds {len(consumer._hand.held)} of one consumer")

    def _end(self) -> None:
        """All leave in good order, and leave nothing behind."""
        self.wanted = 0
        for worker in self.workers:
            worker.leave()
        until = self.world.now + _LEFT_WITHIN
        self.world.run(until, lambda: not any(each.process.alive for each in self.workers))
        if left := [each.process.name for each in self.workers if each.process.alive]:
            raise Broken(f"{left} did not stop within {_LEFT_WITHIN:g} s")
        shares = [each.bus._shares for each in self.workers if each.has_left and each.bus]
        gone = {each._leases._roster.worker for each in shares if each._leases}
        if held := [name for name, lease in self.postgres.leases.items() if lease.holder in gone]:
            raise Broken(f"those who have left still hold {held}")

    def _supervise(self) -> None:
        """Start again what has died, as systemd does."""
        self.workers = [each for each in self.workers if each.process.alive]
        staying = sum(not each.leaving for each in self.workers)
        if staying < self.wanted:
            self._join_now()
        self.world.after(self.world.random.uniform(0.05, 0.8), self._supervise)

    def _join_now(self) -> None:
        self._named += 1
        self.workers.append(Worker(self, f"w{self._named}"))

    def _go_wrong(self) -> None:
        """One fault, and the next one later."""
        if self._is_calm or not self._possible:
            return
        name = self.world.random.choice(list(self._possible))
        self.faults[name] += 1
        self.world.note(f"FAULT {name}")
        self._possible[name]()
        self.world.after(self.world.random.expovariate(1 / self._pace), self._go_wrong)

    def _calm_down(self) -> None:
        self._is_calm = True
        self.world.note("calm")
        self.trouble.before = self.trouble.after = self.trouble.late = 0
        for each in self.world.processes:
            each.stopped = False
            self.nats.network.mend(each)
        self.nats.network.slow.clear()
        self.postgres.cut.clear()
        self.nats.is_up = self.postgres.is_up = True

    def _victim(self) -> Worker | None:
        living = [each for each in self.workers if each.process.alive]
        return self.world.random.choice(living) if living else None

    def _for_a_while(self, least: float, most: float, end: Callable[[], None]) -> None:
        self.world.after(self.world.random.uniform(least, most), end)

    def _kill(self) -> None:
        if victim := self._victim():
            victim.process.loop.fuse = self.world.random.randint(0, 60)

    def _stop(self) -> None:
        if victim := self._victim():
            process = victim.process
            process.stopped = True
            process.stopped_at.append(self.world.now)
            self.world.note(f"{process.name} is stopped")

            def go_on() -> None:
                process.stopped = False
                self.world.note(f"{process.name} goes on")

            self._for_a_while(0.1, 8, go_on)

    def _cut_nats(self) -> None:
        if victim := self._victim():
            self.nats.network.cut.add(victim.process)
            self.world.note(f"{victim.process.name} is cut from nats")
            self._for_a_while(0.1, 8, lambda: self.nats.network.mend(victim.process))

    def _cut_postgres(self) -> None:
        if victim := self._victim():
            self.postgres.cut.add(victim.process)
            self.postgres.hang_up(victim.process)
            self.world.note(f"{victim.process.name} is cut from postgres")
            self._for_a_while(0.1, 8, lambda: self.postgres.cut.discard(victim.process))

    def _slow(self) -> None:
        if victim := self._victim():
            self.nats.network.slow.add(victim.process)
            self._for_a_while(0.5, 8, lambda: self.nats.network.slow.discard(victim.process))

    def _crash_nats(self) -> None:
        self.nats.crash()

        def up() -> None:
            self.nats.is_up = True

        self._for_a_while(0.05, 3, up)

    def _crash_postgres(self) -> None:
        self.postgres.crash()

        def up() -> None:
            self.postgres.is_up = True

        self._for_a_while(0.05, 3, up)

    def _leave(self) -> None:
        if victim := self._victim():
            victim.leave()

    def _join(self) -> None:
        self.wanted = min(self.wanted + 1, 4)

    def _delete_consumer(self) -> None:
        """Whether somebody is at work there or nobody: the ledger remembers each that ever was begun with."""
        if self.nats.is_up and self.postgres.places:
            self.nats.jetstream.delete_consumer("EVENTS", self.world.random.choice(list(self.postgres.places)))
