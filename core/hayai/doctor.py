"""Doctor: sentences about what is wrong with an installation; each check says one thing."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from hayai import plugins
from hayai.bus.base import Bus
from hayai.channel import Channel
from hayai.contracts.rendering import Renderer
from hayai.errors import HandlerMisdeclared, HayaiError, PluginError
from hayai.fronts import AGENTS, Front, agent
from hayai.interceptors import Interceptor
from hayai.ports.calendar import Calendar
from hayai.ports.consents import Consents
from hayai.ports.conversations import Conversations
from hayai.ports.database import Database
from hayai.ports.identity import Identity
from hayai.ports.models import Models
from hayai.ports.people import People
from hayai.ports.secrets import Secrets
from hayai.simulators import Simulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

_OLDEST = (3, 11)
_LEAST_FREE = 1 << 30
_CLASSES: dict[str, type[object]] = {
    "hayai.bus": Bus,
    "hayai.calendar": Calendar,
    "hayai.channels": Channel,
    "hayai.consents": Consents,
    "hayai.conversations": Conversations,
    "hayai.database": Database,
    "hayai.fronts": Front,
    "hayai.identity": Identity,
    "hayai.interceptors": Interceptor,
    "hayai.models": Models,
    "hayai.people": People,
    "hayai.renderers": Renderer,
    "hayai.secrets": Secrets,
    "hayai.simulators": Simulator,
}
_OBJECTS: dict[str, type[object]] = {"hayai.migrations": ModuleType}


@dataclass(frozen=True)
class Finding:
    """One part that was looked at: whether it is well, and a sentence."""

    part: str
    ok: bool
    says: str


async def look(part: str, check: Callable[[], Awaitable[str]]) -> Finding:
    """What `check` returns when the part is well; the sentence of a HayaiError when it is not."""
    try:
        return Finding(part, ok=True, says=await check())
    except HayaiError as wrong:
        return Finding(part, ok=False, says=str(wrong))


def look_at_python() -> Finding:
    """Whether this Python is new enough."""
    running = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST:
        return Finding("python", ok=False, says=f"Python {running} is too old: install 3.11 or newer.")
    return Finding("python", ok=True, says=f"Python {running}")


def look_at_plugins() -> list[Finding]:
    """Every installed plugin, whether the tier file names it or not."""
    return [_look_at_plugin(group, each) for group, several in plugins.installed().items() for each in several]


def look_at_disk(folder: Path) -> Finding:
    """Whether the disk that holds `folder` has a gigabyte left: a full disk stops bus and database."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / (1 << 30):.1f} GiB free at {folder}"
    if free < _LEAST_FREE:
        says += ": free at least 1 GiB, or move the data with --data."
    return Finding("disk", ok=free >= _LEAST_FREE, says=says)


def problem(group: str, name: str) -> str | None:
    """What is wrong with that plugin, in a sentence, or None: it is loaded and held to its port's class."""
    try:
        if group == AGENTS:
            agent(name)
        elif kind := _CLASSES.get(group):
            plugins.load(group, name, kind)
        else:
            plugins.load_object(group, name, _OBJECTS.get(group, object))
    except (PluginError, HandlerMisdeclared) as wrong:
        return str(wrong)
    return None


def _look_at_plugin(group: str, each: plugins.Found) -> Finding:
    wrong = problem(group, each.name)
    says = wrong or f"{group} from {each.distribution} {each.version}"
    return Finding(f"plugin {group.removeprefix('hayai.')}/{each.name}", ok=wrong is None, says=says)
