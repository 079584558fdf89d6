"""Aimock: an independent server that speaks as OpenAI's does, from npm, and says what a file has written down."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_UP = 30.0
_NOT_INSTALLED = "aimock is not installed: run `make .tools/node/.installed`, which brings it."


@dataclass(frozen=True)
class Aimock:
    """A running one."""

    url: str
    """The address; its API is below /v1."""

    async def journal(self) -> list[dict[str, Any]]:
        """Every request that came, in order."""
        async with httpx.AsyncClient() as client:
            told = (await client.get(f"{self.url}/__aimock/journal")).raise_for_status().json()
        return list(told)

    async def chaos(self, **rates: float) -> None:
        """From now on so many of the requests fail, each kind a share between 0 and 1."""
        async with httpx.AsyncClient() as client:
            (await client.post(f"{self.url}/__aimock/chaos", json=rates)).raise_for_status()


@asynccontextmanager
async def aimock(node_modules: Path, turns: Path) -> AsyncGenerator[Aimock]:
    """A server that knows `turns` and refuses anything else. Raises AssertionError where npm has not brought it."""
    command = node_modules / "@copilotkit/aimock/dist/cli.js"
    assert await asyncio.to_thread(command.exists), _NOT_INSTALLED
    port, quiet = free_port(), asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        "node", str(command), "-p", str(port), "-f", str(turns), "--strict", stdout=quiet, stderr=quiet
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _up(url)
        yield Aimock(url)
    finally:
        process.terminate()
        await process.wait()


async def _up(url: str) -> None:
    async with asyncio.timeout(_UP), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                await client.get(url)
                return
            await asyncio.sleep(0.1)
