"""Loop: the event loop of one simulated process; its time is the world's, and it runs when the world lets it."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.wire import Network
    from tests.simulation.world import Process, World

_GRACE_TURNS = 200


class Numbered:
    """Sets of tasks and futures are walked in an order of addresses; with numbers for hashes it is the seed's."""

    number: int

    def __hash__(self) -> int:
        """The order in which it was made."""
        return self.number


class NumberedTask(Numbered, asyncio.Task):  # type: ignore[type-arg] # its base is no generic class at run time
    """A task that hashes by its number."""

    def __init__(self, *given: Any, number: int, **named: Any) -> None:
        self.number = number
        super().__init__(*given, **named)


class NumberedFuture(Numbered, asyncio.Future):  # type: ignore[type-arg]
    """A future that hashes by its number."""

    def __init__(self, *, number: int, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        super().__init__(loop=loop)


class ProcessLoop(asyncio.AbstractEventLoop):
    """Runs the callbacks of one process in the order that asyncio promises, one turn at a time.

    `fuse` is how many more callbacks run before the process dies, None where it may live.
    """

    def __init__(self, world: World, process: Process, *, behind: float) -> None:
        self.process = process
        self._world = world
        self._behind = behind
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self.fuse: int | None = None
        self.burnt: Callable[[], None] = lambda: None
        self.callbacks = 0
        self.wrong: list[str] = []
        """What nobody caught."""

    network: Network
    """The way to the NATS server."""

    def time(self) -> float:
        """The process's monotonic clock, in seconds; it began at another time than the world."""
        return self._world.now - self._behind

    def due(self) -> float | None:
        """The world's time at which there is something to run, None where there is nothing."""
        if self._ready:
            return self._world.now
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] + self._behind if self._timers else None

    def turn(self) -> None:
        """Run what is ready and due now, as one turn of asyncio's own loop does."""
        now = self.time() + 1e-9
        while self._timers and self._timers[0][0] <= now:
            self._ready.append(heapq.heappop(self._timers)[2])
        asyncio._set_running_loop(self)
        try:
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if handle.cancelled():
                    continue
                handle._run()
                self.callbacks += 1
                if self.fuse is not None:
                    self.fuse -= 1
                    if self.fuse < 0:
                        self.burnt()
                        return
        finally:
            asyncio._set_running_loop(None)

    def wind_up(self) -> None:
        """Cancel whatever is left, so that nothing of this process speaks up when it is thrown away."""
        self.fuse = None
        for _ in range(_GRACE_TURNS):
            left = [task for task in asyncio.all_tasks(self) if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            self.turn()
        self.wrong.clear()
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined] # asyncio's own switch

    def call_soon(  # type: ignore[override] # typeshed types the arguments one by one
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Run it in the next turn."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment] # there is one thread

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Run it in `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Run it when the process's clock says `when`."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return NumberedFuture(number=next(self._numbers), loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[Any]:
        """A task of this loop."""
        return NumberedTask(coro, loop=self, name=name, context=context, number=next(self._numbers))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Remember what nobody caught: it is a defect."""
        wrong = context.get("exception")
        self.wrong.append(f"{context.get('message')}: {wrong!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when they are due."""

    def get_debug(self) -> bool:
        """Never: it would slow everything down."""
        return False

    def is_running(self) -> bool:
        """Whoever asks is run by it."""
        return True

    def is_closed(self) -> bool:
        """It is thrown away, and never closed."""
        return False
