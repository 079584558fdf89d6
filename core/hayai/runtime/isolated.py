"""Isolated: the program of a plugin in a process of its own. It is spoken with in lines of JSON on its pipes.

| line | from | says |
|---|---|---|
| errand | parent | tier file, environment, the agent's name, limits |
| needs | child | its handlers, and the permissions that they need on the bus |
| place | parent | the address of the bus for it |
| ready | child | nothing more: it is at work |
| failed | child | why it is not |

It ends when its input does. What the plugin prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hayai.bus.explain import explained
from hayai.bus.permissions import inbox_of, permissions
from hayai.errors import PluginError
from hayai.local.child import tie_to_parent
from hayai.runtime import logs
from hayai.runtime.assembly import isolated_install
from hayai.runtime.parts import agent_parts
from hayai.runtime.serving import DRAIN_SECONDS
from hayai.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.contracts.registry import Part
    from hayai.settings import InstallSettings

    Speak = Callable[[dict[str, Any]], None]

_MIB = 1 << 20


def main() -> int:
    """Do the errand that the first line of the input gives; the exit status."""
    speak, listen = _pipes()
    errand = json.loads(listen.readline())
    if not tie_to_parent(errand["parent"], signal.SIGKILL):
        return 1
    # What it writes to, that is; programs and libraries that are only mapped do not count.
    resource.setrlimit(resource.RLIMIT_DATA, (errand["memory_mb"] * _MIB,) * 2)
    try:
        return _do(errand, speak, listen)
    except Exception as wrong:  # noqa: BLE001 - the parent tells whatever it is, and tries again
        speak({"failed": explained(wrong)})
        return 1


def _do(errand: dict[str, Any], speak: Speak, listen: io.RawIOBase) -> int:
    settings = read_settings(Path(errand["tier"]), errand["environment"])
    part = _part(errand["plugin"])
    partitions = settings.port("bus").keys.get("partitions", 1)
    needed = permissions(errand["plugin"], part.subscriptions, partitions=int(partitions))
    speak({"needs": asdict(needed), "handlers": [each.name for each in part.subscriptions]})
    if not (said := listen.readline()):
        return 0
    limited = _limited(settings, errand["plugin"], json.loads(said)["bus_url"])
    asyncio.run(_work(limited, part, migrating=errand["migrating"], ready=lambda: speak({"ready": True})))
    return 0


def _part(name: str) -> Part:
    parts, problems = agent_parts([name])
    if problems:
        raise problems[0]
    if not parts[0].subscriptions:
        raise PluginError(f"{name} has no handlers: it takes no events, so it needs no process.")
    return parts[0]


def _limited(settings: InstallSettings, plugin: str, bus_url: str | None) -> InstallSettings:
    """The settings with a bus whose user is the plugin's own, where there is one."""
    bus = settings.port("bus")
    own = {"url": bus_url} if bus_url else {}
    keys = MappingProxyType({**bus.keys, **own, "inbox": inbox_of(plugin)})
    ports = {**settings.ports, "bus": replace(bus, keys=keys)}
    return replace(settings, ports=MappingProxyType(ports), channels=(), agents=(plugin,))


async def _work(settings: InstallSettings, part: Part, *, migrating: bool, ready: Callable[[], None]) -> None:
    """Handle events until the input ends or SIGTERM comes."""
    logs.begin()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C is the parent's to hear
    loop.add_reader(0, over.set)
    async with isolated_install(settings, part, migrating=migrating) as bus:
        ready()
        await over.wait()
        loop.remove_reader(0)
        await bus.drain(DRAIN_SECONDS)


def _pipes() -> tuple[Speak, io.RawIOBase]:
    """What speaks to the parent, and what hears it; whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def speak(line: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):
            print(json.dumps(line), file=out, flush=True)

    return speak, io.FileIO(0, closefd=False)


if __name__ == "__main__":
    sys.exit(main())
