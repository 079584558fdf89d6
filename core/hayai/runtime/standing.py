"""Standing: an install without bus and channels, for commands that do one thing; and the doctor's round."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from hayai.bus.base import Bus
from hayai.doctor import Finding, look, look_at_disk, look_at_plugins, look_at_python
from hayai.errors import SettingsError
from hayai.local.remembered import remembered
from hayai.runtime.assembly import migrated, standing_install
from hayai.runtime.workshop import Workshop
from hayai.settings import read_settings

if TYPE_CHECKING:
    from hayai.settings import InstallSettings

_DEFAULT_TIER = Path("deploy/tiers/local.toml")


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
    return {**remembered(data), "HAYAI_DATA": str(data.absolute()), **os.environ}


def settings_of(tier: Path | None, data: Path) -> InstallSettings:
    """The settings that `tier` and the environment give. Reads files: call it outside of the event loop."""
    return read_settings(tier_file(tier), environment(data))


async def migrate(settings: InstallSettings) -> list[str]:
    """Bring the tables up to date; a sentence for each file that was applied, or one that says there was none."""
    applied = await migrated(settings)
    return [f"Applied {each}." for each in applied] or ["The tables were up to date already."]


def examine(tier: Path | None, data: Path) -> list[Finding]:
    """Everything that the doctor looks at, in the order in which it is needed."""
    findings = [look_at_python(), look_at_disk(data), *look_at_plugins()]
    try:
        settings = settings_of(tier, data)
    except SettingsError as wrong:
        return [*findings, Finding("settings", ok=False, says=str(wrong))]
    findings.append(Finding("settings", ok=True, says=f"{settings.source}, tier {settings.tier}"))
    return [*findings, *asyncio.run(_servers(settings))]


async def _servers(settings: InstallSettings) -> list[Finding]:
    return [await look("database", lambda: _database(settings)), await look("bus", lambda: _bus(settings))]


async def _database(settings: InstallSettings) -> str:
    async with standing_install(settings) as install:
        await install.pool.check()
        return f"answers; {len(install.tier.businesses)} businesses are installed"


async def _bus(settings: InstallSettings) -> str:
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {})
        await shop.prepare(settings, ["bus"])
        await (await shop.make("bus", Bus)).check()
    return "takes events; its streams are as declared"
