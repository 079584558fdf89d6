"""World: the clock of everything, what happens when, and whose turn it is."""

from __future__ import annotations

import heapq
import random
import zlib
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from tests.simulation.loop import ProcessLoop

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLBACK_SECONDS = 20e-6
"""What one callback costs, so that a loop without an end lets time pass and is seen."""
_MOST_CALLBACKS = 25_000
"""In one second of one process; busy ones make a tenth of it here."""


class Broken(Exception):
    """Something was promised and did not hold; its text says what."""


class Process:
    """One simulated process: alive, stopped (SIGSTOP) or dead."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        behind = world.random.uniform(-1000, 1000)
        self.loop = ProcessLoop(world, self, behind=behind)  # type: ignore[abstract] # the rest is for sockets
        self.loop.burnt = self.kill
        self.alive = True
        self.stopped = False
        self.stopped_at: list[float] = []
        self.busy_until = 0.0
        self.at_death: list[Callable[[], None]] = []
        self._world = world
        self._since, self._callbacks = 0.0, 0

    def kill(self) -> None:
        """Die at once: nothing of it runs any more, and what it holds open is closed."""
        if self.alive:
            self.alive = False
            self._world.note(f"{self.name} dies")
            for each in self.at_death:
                each()

    def hear(self, callback: Callable[..., object], *given: object) -> None:
        """Have the process run `callback` when it next can, as what comes from a socket."""
        if self.alive:
            self.loop.call_soon(callback, *given)

    def run(self, now: float) -> None:
        """One turn."""
        before = self.loop.callbacks
        self.loop.turn()
        self.busy_until = now + (self.loop.callbacks - before) * _CALLBACK_SECONDS
        if now - self._since > 1:
            self._since, self._callbacks = now, self.loop.callbacks
        elif self.loop.callbacks - self._callbacks > _MOST_CALLBACKS:
            raise Broken(f"{self.name} runs hot: more than {_MOST_CALLBACKS} callbacks within a second")
        if self.loop.wrong:
            raise Broken(f"{self.name} let an error go uncaught: {self.loop.wrong[0]}")


class World:
    """Everything there is, on one clock, with one source of chance."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.processes: list[Process] = []
        self.buried: list[Process] = []
        self.history: deque[str] = deque(maxlen=4000)
        self.noted = 0
        """The sum of the whole history, by which two runs are compared."""
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def process(self, name: str) -> Process:
        """A new process, alive."""
        process = Process(self, name)
        self.processes.append(process)
        return process

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it then, whoever is dead by then."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), do))

    def note(self, what: str) -> None:
        """A line of the history."""
        self.noted = zlib.crc32(f"{self.now} {what}".encode(), self.noted)
        self.history.append(f"{self.now:10.4f} {what}")

    def run(self, until: float, reached: Callable[[], bool] = lambda: False) -> None:
        """Let time pass up to `until`, or until `reached` (looked at twenty times a second)."""
        look = self.now
        while self.now < until:
            if self.now >= look:
                if reached():
                    return
                look = self.now + 0.05
            self._step(until)

    def _step(self, until: float) -> None:
        """Do what is due now, or move the clock to what comes next."""
        while self._events and self._events[0][0] <= self.now:
            heapq.heappop(self._events)[2]()
        soonest = min(until, self._events[0][0]) if self._events else until
        runnable = []
        for process in self.processes:
            if process.stopped or not process.alive:
                continue
            due = process.loop.due()
            if due is None:
                continue
            if due <= self.now >= process.busy_until:
                runnable.append(process)
            else:
                soonest = min(soonest, max(due, process.busy_until))
        if runnable:
            (runnable[0] if len(runnable) == 1 else self.random.choice(runnable)).run(self.now)
        else:
            self._bury()
            self.now = max(self.now, soonest)

    def _bury(self) -> None:
        if not all(each.alive for each in self.processes):
            self.buried += [each for each in self.processes if not each.alive]
            self.processes = [each for each in self.processes if each.alive]

    def end(self) -> None:
        """Take every process down, dead or alive, without a sound."""
        for process in [*self.buried, *self.processes]:
            process.alive = True  # to run once more, for its end alone
            process.loop.wind_up()
            process.alive = False
