"""`hayai dev`: the services of tier 1 as child processes, the house on top, one screen."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hayai.local.ready import forget_ready, write_ready
from hayai.local.remembered import remember
from hayai.local.screen import Screen, render
from hayai.local.stack import LocalStack
from hayai.runtime import logs
from hayai.runtime.serving import open_door, stop_signal, until_first
from hayai.runtime.standing import configured
from hayai.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hayai.bus.permissions import Permissions
    from hayai.channel import Channel
    from hayai.runtime.serving import Open


async def dev(
    tier_file: Path, data: Path, *, port: int | None, ready_file: Path | None, say: Callable[[str], None]
) -> None:
    """Run until SIGTERM or SIGINT; `port` is the web port that the operator asks for, if they do.

    Raises LocalStackRefused, SettingsError, PluginError, DatabaseUnfit, Unavailable.
    """
    began = time.monotonic()
    logs.begin()
    stop = stop_signal()
    if ready_file:
        await asyncio.to_thread(forget_ready, ready_file)
    async with LocalStack(data, ports={"web": port} if port else {}) as stack:
        await asyncio.to_thread(remember, stack.data, stack.environment())
        environment = {**configured(stack.data), **stack.environment()}
        settings = await asyncio.to_thread(read_settings, tier_file, environment)

        async def grant(plugin: str, needs: Permissions) -> str | None:
            return await stack.admit(plugin, str(needs))

        door = await stack.door()
        async with open_door(settings, migrating=True, listener=door, front=True, grant=grant) as opened:
            seconds = time.monotonic() - began
            say(render(_screen(stack, opened, seconds, reset=forgetting(data, stack.data))))
            if ready_file:
                await asyncio.to_thread(_tell, ready_file, stack, opened, seconds)
            await until_first(stop, opened.closed)
            say("Stopping: what is at work may finish.")
    say("Stopped. No process is left; your data is kept.")


def _screen(stack: LocalStack, opened: Open, seconds: float, *, reset: str) -> Screen:
    servers = {name: url for name, url in stack.urls.items() if name != "web"}
    problems = [f"Runs without it: {problem}" for problem in opened.running.problems]
    businesses = opened.running.install.tier.businesses
    demos = {businesses[tenant].name: url for tenant, url in _pages(opened).items()}
    return Screen(opened.url, demos, servers, stack.places, seconds, [*stack.notes, *problems], reset=reset)


def forgetting(data: Path, absolute: Path) -> str:
    """The command that forgets what is in `data`, which is `absolute`: make knows the default folder only."""
    return "make dev.reset" if data == Path(".hayai") else f"hayai dev --reset --data {shlex.quote(str(absolute))}"


def _pages(opened: Open) -> Mapping[str, str]:
    return pages(opened.url, opened.running.install.tier.businesses, opened.running.channels)


def pages(url: str, tenants: Iterable[str], channels: Sequence[Channel]) -> dict[str, str]:
    """Tenant -> the page where its customers write, of the channels that have one; the first channel's goes before."""
    found = {tenant: [path for each in channels if (path := each.page(tenant))] for tenant in tenants}
    return {tenant: f"{url}{paths[0]}" for tenant, paths in found.items() if paths}


def _tell(ready_file: Path, stack: LocalStack, opened: Open, seconds: float) -> None:
    pages = {f"chat.{tenant}": url for tenant, url in _pages(opened).items()}
    urls = {**stack.urls, "web": opened.url, "api": f"{opened.url}/v1", **pages}
    write_ready(ready_file, urls=urls, pids={**stack.pids(), "hayai": os.getpid()}, data=stack.data, seconds=seconds)
