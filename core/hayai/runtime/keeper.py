"""Keeper: keeps one plugin at work in a process of its own, which may die as it likes; the house stays up.

A process that falls is started again, after a while that grows. One that falls again and again is in quarantine: its
handlers are paused on the server, so that their events wait, until somebody resumes or reloads the plugin.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil

from hayai.bus.permissions import Permissions
from hayai.errors import HayaiError, PluginError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Awaitable, Callable, Sequence

    from hayai.settings import AgentSettings, InstallSettings

    Grant = Callable[[str, Permissions], Awaitable[str | None]]
    """The address of the bus with a user of the plugin's own, who has these permissions; None for the house's."""
    Quarantine = Callable[[str, Sequence[str], int, str], Awaitable[None]]
    """Told of a plugin, its handlers, how often it fell, and how the last time."""

_log = logging.getLogger(__name__)
_BACKOFF = (0.5, 30.0)
_MOST_FALLS, _WINDOW = 5, 300.0
_LOOK = 5.0
_LOOKS = 12
_DRAIN = 25.0


class Keeper:
    """The process of the agent `name`, from start() to stop(). `state` is a word for people."""

    def __init__(
        self, name: str, settings: InstallSettings, grant: Grant, quarantine: Quarantine, *, migrating: bool = False
    ) -> None:
        self.name = name
        self.state = "stopped"
        self._settings = settings
        self._limits: AgentSettings = settings.agent_settings[name]
        self._grant = grant
        self._quarantine = quarantine
        self._migrating = migrating
        self._process: Process | None = None
        self._handlers: Sequence[str] = ()
        self._falls: deque[float] = deque(maxlen=_MOST_FALLS)
        self._again = asyncio.Event()
        self._settled = asyncio.Event()
        self._reloading = False
        self._problem = ""
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process, where it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Return once it is at work for the first time. Raises PluginError where it is not, and goes on trying."""
        self._keeping = asyncio.create_task(self._keep())
        await self._settled.wait()
        if self.state != "at work":
            raise PluginError(f"The plugin {self.name!r} is not at work in its process: {self._problem}")

    async def stop(self) -> None:
        """Let it finish what it has in hand, and end it."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        await self._end()
        self.state = "stopped"

    async def reload(self) -> str:
        """Start it anew, with the code that is installed now; a sentence about how it went."""
        self._settled.clear()
        self._falls.clear()
        self._reloading = True
        self._again.set()
        await self._end()
        await self._settled.wait()
        if self.state == "at work":
            return f"{self.name} was started anew and is at work, process {self.pid}."
        return f"{self.name} was started anew and is not at work: {self._problem}"

    async def _keep(self) -> None:
        pause, longest = _BACKOFF
        while True:
            begun = asyncio.get_running_loop().time()
            self._again.clear()
            self._reloading = False
            self._problem = await self._life()
            if self._reloading:
                continue
            self._settled.set()
            _log.error("The process of the plugin %s fell: %s", self.name, self._problem)
            lived = asyncio.get_running_loop().time() - begun
            pause = _BACKOFF[0] if lived > longest else min(2 * pause, longest)
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Wait before the next life; in quarantine until somebody says so."""
        now = asyncio.get_running_loop().time()
        self._falls.append(now)
        if len(self._falls) == _MOST_FALLS and now - self._falls[0] < _WINDOW:
            self.state = "in quarantine"
            self._falls.clear()
            await self._quarantine(self.name, self._handlers, _MOST_FALLS, self._problem)
            await self._again.wait()
            return
        self.state = "falling"
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()

    async def _life(self) -> str:
        """One process from its start to its end; how it ended."""
        self.state = "starting"
        try:
            async with asyncio.timeout(self._limits.start_seconds):
                self._process = process = await self._begin()
        except TimeoutError:
            await self._end()
            return f"it was not at work within {self._limits.start_seconds:g} s."
        except (HayaiError, OSError) as wrong:
            await self._end()
            return str(wrong)
        self.state = "at work"
        self._settled.set()
        watching = asyncio.create_task(self._watch(process.pid))
        ending = asyncio.create_task(process.wait())
        try:
            done, _ = await asyncio.wait({watching, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            ending.cancel()
        if ending in done:
            return _said(ending.result())
        watching.result()
        await self._end(drain=0)
        return f"it took more than {self._limits.cpu_percent:g} % of a processor for a minute, and was ended."

    async def _begin(self) -> Process:
        """A process that is at work. Raises PluginError with what it says, or how it ended."""
        pipe = asyncio.subprocess.PIPE
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hayai.runtime.isolated", stdin=pipe, stdout=pipe
        )
        self._tell(process, self._errand())
        needs = await self._heard(process)
        self._handlers = needs["handlers"]
        wanted = Permissions(**{kind: tuple(subjects) for kind, subjects in needs["needs"].items()})
        self._tell(process, {"bus_url": await self._grant(self.name, wanted)})
        await self._heard(process)
        return process

    def _errand(self) -> dict[str, Any]:
        return {
            "tier": str(self._settings.source),
            "environment": dict(self._settings.environment),
            "plugin": self.name,
            "memory_mb": self._limits.memory_mb,
            "migrating": self._migrating,
            "parent": os.getpid(),
        }

    def _tell(self, process: Process, line: dict[str, Any]) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(line).encode() + b"\n")

    async def _heard(self, process: Process) -> dict[str, Any]:
        assert process.stdout is not None
        said = await process.stdout.readline()
        line: dict[str, Any] = json.loads(said) if said else {"failed": _said(await process.wait())}
        if "failed" in line:
            raise PluginError(line["failed"])
        return line

    async def _watch(self, pid: int) -> None:
        """Return when it has taken more of the processor than it may, over a minute."""
        shares: deque[float] = deque(maxlen=_LOOKS)
        with suppress(psutil.Error):
            watched = await asyncio.to_thread(psutil.Process, pid)
            await asyncio.to_thread(watched.cpu_percent)
            while len(shares) < _LOOKS or sum(shares) / _LOOKS <= self._limits.cpu_percent:
                await asyncio.sleep(_LOOK)
                shares.append(await asyncio.to_thread(watched.cpu_percent))
            return
        await asyncio.Event().wait()  # it is gone: its end is told elsewhere

    async def _end(self, *, drain: float = _DRAIN) -> None:
        """End the process: it is asked to, and killed where it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None and drain:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(drain):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


def _said(status: int) -> str:
    return f"it was ended by signal {-status}." if status < 0 else f"it ended with status {status}."
