"""Watch: a handler that blocks the event loop is found in the act and named; it holds up everything in its process.

A thread asks the loop for a sign of life a few times a second. Where none comes in time it looks at what the loop's
thread is doing, which costs nothing as long as all is well. No value is ever told, only handlers, files and lines.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from dataclasses import dataclass
from inspect import unwrap
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType, FrameType

    from hayai.handlers import Subscription

_log = logging.getLogger(__name__)
_EVERY = 0.25
_LIMIT = 0.25


@dataclass(frozen=True)
class Blocked:
    """The loop stood still: in which handler, or None outside of all, and at which lines, the innermost last."""

    handler: str | None
    places: tuple[str, ...]

    def __str__(self) -> str:
        """A sentence for the log."""
        who = f"The handler {self.handler}" if self.handler else "Something outside of all handlers"
        return (
            f"{who} blocks the event loop, and so everything in this process, at {', '.join(self.places) or 'start'}: "
            "await an asynchronous call there, or put what takes its time into asyncio.to_thread."
        )


class Watch:
    """Watches the loop that start() was called in; `tell` is called, in another thread, at the start of each blockade.

    Longer than `limit` seconds without a turn of the loop is one.
    """

    def __init__(
        self,
        subscriptions: Iterable[Subscription],
        *,
        limit: float = _LIMIT,
        tell: Callable[[Blocked], None] | None = None,
    ) -> None:
        self._names: Mapping[CodeType, str] = {
            code: each.name for each in subscriptions if (code := getattr(unwrap(each.handler), "__code__", None))
        }
        self._limit = limit
        self._tell = tell or _report
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._watched = 0
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Watch from now on."""
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="hayai watch", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _watch(self) -> None:
        while not self._stopping.wait(_EVERY):
            alive = threading.Event()
            try:
                self._loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # the loop is closed
                return
            if not alive.wait(self._limit):
                self._look(alive)

    def _look(self, alive: threading.Event) -> None:
        """Tell of the blockade, and wait for its end."""
        begun = time.monotonic() - self._limit
        # Documented, in spite of its name.
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if frame is None or alive.is_set():
            return
        self._tell(self._blocked(frame))
        while not alive.wait(_EVERY) and not self._stopping.is_set():
            pass
        _log.info("The event loop turns again, after %.1f s.", time.monotonic() - begun)

    def _blocked(self, frame: FrameType) -> Blocked:
        """The innermost handler among the frames from `frame` outwards, where it stands, and where all of it stands."""
        innermost, within = _place(frame), frame
        while within.f_code not in self._names and within.f_back is not None:
            within = within.f_back
        handler = self._names.get(within.f_code)
        places = (innermost,) if handler is None else tuple(dict.fromkeys((_place(within), innermost)))
        return Blocked(handler, places)


def _place(frame: FrameType) -> str:
    return f"{PurePath(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"


def _report(blocked: Blocked) -> None:
    _log.error("%s", blocked)
