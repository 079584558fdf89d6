"""A nats-server of the proof's own, on a store and with a sync interval that the proof chooses."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hayai.errors import Unavailable
from hayai.local.nats import program
from hayai.local.ports import next_free
from hayai.local.processes import bare_environment
from hayai.local.services import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_LOWEST = 14_222
_TRIES = 500


class Broker:
    """A running server; pause() stops it in its tracks."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port
        self.url = f"nats://{HOST}:{port}"

    def pause(self) -> None:
        """SIGSTOP: from here on it writes and acknowledges nothing."""
        self._process.send_signal(signal.SIGSTOP)

    async def greeting(self) -> dict[str, str]:
        """What it tells every client first. Raises Unavailable where it does not start."""
        for _ in range(_TRIES):
            if self._process.poll() is not None:
                break
            try:
                reader, writer = await asyncio.open_connection(HOST, self.port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            said = await reader.readline()
            writer.close()
            return dict(json.loads(said.removeprefix(b"INFO ")))
        raise Unavailable(
            f"The nats-server of the power-loss test did not start on port {self.port}: see that the port is free; "
            "if this was the start on the copy, what was acknowledged cannot be read."
        )


@asynccontextmanager
async def broker(home: Path, store: Path, sync: str | None) -> AsyncGenerator[Broker]:
    """A server on `store`, killed afterwards; `sync` None leaves the server's own default."""
    port = next_free(_LOWEST)
    interval = f"sync_interval: {sync}" if sync else ""
    config = home / f"{port}-{store.name}.conf"
    jetstream = f"jetstream {{\n store_dir: {json.dumps(str(store))}\n max_file_store: 200MB\n {interval}\n}}\n"
    config.write_text(f'listen: "{HOST}:{port}"\nserver_name: prove\n{jetstream}')
    process = subprocess.Popen(  # noqa: S603, ASYNC220 - starting it takes a millisecond
        [program(), "-c", str(config)],
        stderr=subprocess.DEVNULL,
        env=bare_environment({}),
        start_new_session=True,
    )
    try:
        yield Broker(process, port)
    finally:
        process.kill()
        process.wait()
