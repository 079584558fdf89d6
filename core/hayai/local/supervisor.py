"""One server: started, found healthy, started again when it falls, stopped."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused
from hayai.local.processes import Child, last_words

if TYPE_CHECKING:
    from hayai.local.ports import PortBook
    from hayai.local.server import Server

log = logging.getLogger("hayai.local")

_START_SECONDS = 30.0
_POLL_SECONDS = 0.02
_LOOK_SECONDS = 5.0
_PATIENCE = 6
"""Looks in a row that may find a running server unwell before it is started again (a full disk stays an error to
nats-server until then, even when there is room again)."""
_TRIES = 5
_BACKOFF = (0.1, 10.0)
_STEADY_SECONDS = 30.0
"""A server that stood for so long may fall again without waiting longer than the first time."""


class Supervisor:
    """Keeps `server` running from start() to stop(). `restarts` counts how often it had to be started again."""

    def __init__(self, server: Server, ports: PortBook) -> None:
        self.server = server
        self.restarts = 0
        self._ports = ports
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, while it runs."""
        return self._child.pid if self._child and self._child.running else None

    async def start(self) -> None:
        """Return when it is healthy. Raises LocalStackRefused, with the end of its log, where it does not get there."""
        for _ in range(_TRIES):
            await asyncio.to_thread(self.server.prepare)
            if await self._up():
                self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.server.service.name}")
                return
            # Somebody may have taken a port between the look and the start.
            moved = [await asyncio.to_thread(self._ports.move_if_taken, name) for name in self.server.service.ports]
            if not any(moved):
                break
        command = self.server.command()
        said = await asyncio.to_thread(last_words, command.log)
        raise LocalStackRefused(f"{command.name} did not start: {said} (all of it is in {command.log})")

    async def stop(self) -> None:
        """End it; safe to call twice."""
        keeper, self._keeper = self._keeper, None
        if keeper:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        if self._child:
            await self._child.stop()

    async def _up(self) -> bool:
        """Spawn it and wait until it is healthy; False where it ended, or hung and was ended."""
        self._child = await Child.start(self.server.command())
        deadline = time.monotonic() + _START_SECONDS
        while self._child.running and time.monotonic() < deadline:
            if await self.server.healthy(self._child.pid) and self._child.running:
                return True
            await asyncio.sleep(_POLL_SECONDS)
        await self._child.stop()
        return False

    async def _keep(self) -> None:
        delay, most = _BACKOFF
        while True:
            since = time.monotonic()
            why = await self._fallen()
            self.restarts += 1
            log.warning("%s %s; starting it again (%d)", self.server.command().name, why, self.restarts)
            if time.monotonic() - since > _STEADY_SECONDS:
                delay = _BACKOFF[0]
            while not await self._up_again(delay):
                delay = min(2 * delay, most)
            delay = min(2 * delay, most)

    async def _up_again(self, delay: float) -> bool:
        await asyncio.sleep(delay)
        try:
            if await self._up():
                return True
        except OSError as error:
            log.warning("%s could not be spawned: %s", self.server.command().name, error.strerror)
            return False
        command = self.server.command()
        log.warning("%s did not come back: %s", command.name, await asyncio.to_thread(last_words, command.log))
        return False

    async def _fallen(self) -> str:
        """Wait until it ends, or is unwell for long and is ended; says which."""
        assert self._child
        unwell = 0
        while unwell < _PATIENCE:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    code = await self._child.wait()
                return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
            unwell = 0 if await self.server.healthy(self._child.pid) else unwell + 1
        await self._child.stop()
        return "does not answer as it should and was ended"
