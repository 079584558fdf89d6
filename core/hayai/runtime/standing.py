"""Standing: an install without bus and channels, for commands that do one thing; and the doctor's round."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from contextlib import AsyncExitStack
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from hayai.bus.base import Bus
from hayai.business import load_business
from hayai.doctor import Finding, look, look_at_disk, look_at_plugins, look_at_python, problem
from hayai.errors import SettingsError
from hayai.local.folder import Folder
from hayai.local.lock import holder
from hayai.local.ports import PortBook
from hayai.local.remembered import remembered
from hayai.local.services import HOST, SERVICES
from hayai.runtime.assembly import standing_install
from hayai.runtime.bus_checks import look_at_bus, look_at_ledger, waiting
from hayai.runtime.pace_checks import look_at_paces
from hayai.runtime.parts import installed_registry
from hayai.runtime.tenants import tenants_stores
from hayai.runtime.workshop import Workshop
from hayai.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hayai.settings import InstallSettings, WebSettings

_DEFAULT_TIER = Path("deploy/tiers/local.toml")
_GLANCE = 7.0
"""Seconds for the door's answer, which waits 5 s for a part that hangs."""
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def tier_file(given: Path | None) -> Path:
    """The tier file to use. Raises SettingsError where none is given and the default is not there."""
    if given is None and not _DEFAULT_TIER.exists():
        raise SettingsError(
            f"There is no {_DEFAULT_TIER} below {Path.cwd().name}/: run this in a checkout of Hayai, or name a tier "
            "file with --tier or HAYAI_TIER."
        )
    return given or _DEFAULT_TIER


def environment(data: Path) -> dict[str, str]:
    """The process's environment, over the addresses of the local stack in `data` where one ran there."""
    return {**remembered(data), **configured(data)}


def configured(data: Path) -> dict[str, str]:
    """The process's environment; `data` is where plugins keep what they make for themselves."""
    return {**os.environ, "HAYAI_DATA": str(data.absolute())}


def settings_of(tier: Path | None, environment: Mapping[str, str]) -> InstallSettings:
    """The settings that `tier` and `environment` give. Reads files: call it outside of the event loop."""
    return read_settings(tier_file(tier), environment)


def examine(tier: Path | None, data: Path) -> list[Finding]:
    """Everything that the doctor looks at, in the order in which it is needed."""
    findings = [look_at_python(), look_at_disk(data), *look_at_plugins()]
    findings += _stack(tier, data)
    try:
        settings = settings_of(tier, environment(data))
    except SettingsError as wrong:
        return [*findings, Finding("settings", ok=False, says=str(wrong))]
    findings.append(Finding("settings", ok=True, says=f"{settings.source}, tier {settings.tier}"))
    findings += [*_named(settings), look_at_contracts(settings), *_businesses(settings)]
    return [*findings, *asyncio.run(_servers(settings, data)), *look_at_door(settings.web)]


def look_at_contracts(settings: InstallSettings) -> Finding:
    """Whether the plugins that the tier file names agree on the versions of their events."""
    registry, _ = installed_registry(settings)
    if wrong := registry.disagreements():
        return Finding("contracts", ok=False, says=" ".join(wrong))
    silent = f"; {', '.join(registry.silent)} do not say what they return" if registry.silent else ""
    return Finding("contracts", ok=True, says=f"{len(registry.events())} versions of events fit{silent}")


def look_at_door(web: WebSettings) -> list[Finding]:
    """What a Hayai that serves at that address tells of its parts; nothing where none does, which is no fault."""
    try:
        with _told(f"http://{web.host}:{web.port}/health/ready") as answer:
            parts = json.load(answer)["parts"].items()
    except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError):  # nobody there, or another
        return []
    wrong = [Finding(f"door {part}", ok=False, says=f"{says}.") for part, says in parts if says != "ok"]
    return wrong or [Finding("door", ok=True, says=f"serves at {web.host}:{web.port}")]


def _told(url: str) -> IO[bytes]:
    """The answer, whatever its status."""
    try:
        return cast("IO[bytes]", _DIRECTLY.open(url, timeout=_GLANCE))
    except urllib.error.HTTPError as ill:
        return cast("IO[bytes]", ill)


def _stack(tier: Path | None, data: Path) -> list[Finding]:
    """Whether the local stack runs, where this install's servers are not all named in the environment."""
    needed = [name for service in SERVICES for name in service.gives if not os.environ.get(name)]
    if not needed:
        return []
    if pid := holder(Folder(data).lock):
        return [Finding("local stack", ok=True, says=f"runs on {data}, process {pid}")]
    if tier and not any(name in remembered(data) for name in needed):
        return []  # a tier with servers of its own: what it lacks is said by its settings
    own = f"set {', '.join(needed)} to servers of your own"
    says = f"No `hayai dev` runs on {data}: start it with `make dev`, or {own}."
    return [Finding("local stack", ok=False, says=says)]


def _named(settings: InstallSettings) -> list[Finding]:
    """Each agent and channel that the tier file names and that does not load: `hayai dev` runs without it."""
    names = [("agents", name) for name in settings.agents] + [("channels", name) for name in settings.channels]
    wrong = [(f"tier {group}/{name}", problem(f"hayai.{group}", name)) for group, name in names]
    return [Finding(part, ok=False, says=says) for part, says in wrong if says]


def _businesses(settings: InstallSettings) -> list[Finding]:
    """Each business file that cannot be used; no server has to run to know."""
    findings: list[Finding] = []
    for source in settings.businesses:
        try:
            load_business(source)
        except SettingsError as wrong:
            findings.append(Finding(f"business {source}", ok=False, says=str(wrong)))
    return findings


async def _servers(settings: InstallSettings, data: Path) -> list[Finding]:
    database = await look("database", lambda: _database(settings))
    bus = await look("bus", lambda: _bus(settings))
    registry, problems = await asyncio.to_thread(installed_registry, settings)
    book = await asyncio.to_thread(PortBook, Folder(data).ports, {})
    subscriptions = [each for part in registry.parts for each in part.subscriptions]
    monitors = [f"http://{HOST}:{book['monitor']}"]
    state = await look_at_ledger(settings) if database.ok else None
    paces = await look_at_paces(settings) if database.ok else {}
    found = await look_at_bus(settings, subscriptions, state, paces, complete=not problems, monitors=monitors)
    return [database, *waiting(state), bus, *found, *(await tenants_stores(settings) if database.ok and bus.ok else [])]


async def _database(settings: InstallSettings) -> str:
    async with standing_install(settings) as install:
        await install.pool.check()
        number = len(install.tier.businesses)
        return f"answers; {number} {'business is' if number == 1 else 'businesses are'} installed"


async def _bus(settings: InstallSettings) -> str:
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {})
        await shop.prepare(settings, ["bus"])
        await (await shop.make("bus", Bus)).check()
    return "takes events; its streams are as declared"
