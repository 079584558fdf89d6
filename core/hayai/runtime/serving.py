"""Serving: the HTTP door and the bus, from ready to a graceful end."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from hayai.errors import Unavailable
from hayai.runtime import logs
from hayai.runtime.assembly import running_install
from hayai.web.door import door

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from socket import socket

    from hayai.runtime.assembly import Running
    from hayai.runtime.keeper import Grant
    from hayai.settings import InstallSettings

DRAIN_SECONDS = 20.0
"""How long handlers that are at work may go on after the signal to stop; ECS and Kubernetes kill after 30."""

_LARGEST_FRAME = 131_072
"""Bytes of one WebSocket message: a long text and its frame; uvicorn's own limit of 16 MB is held for each socket."""


@dataclass
class Open:
    """The door stands open: what runs behind it, and where it is."""

    running: Running
    url: str
    closed: asyncio.Event
    """Set when the server ended by itself."""


class _Server(uvicorn.Server):
    """A server that leaves the signals to us: the bus has to be drained as well."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


async def serve(settings: InstallSettings, *, say: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT, then drain. Raises SettingsError, PluginError, DatabaseUnfit, Unavailable."""
    logs.begin()
    stop = stop_signal()
    async with open_door(settings) as opened:
        for problem in opened.running.problems:
            say(f"Runs without it: {problem}")
        say(f"Hayai is ready at {opened.url}")
        await until_first(stop, opened.closed)
        say("Stopping: no new messages are taken, what is at work may finish.")


@asynccontextmanager
async def open_door(
    settings: InstallSettings,
    *,
    migrating: bool = False,
    listener: socket | None = None,
    front: bool = False,
    grant: Grant | None = None,
) -> AsyncGenerator[Open]:
    """The install of `settings`, serving; on leaving the door closes first, then the bus drains, then all stops.

    `listener` is a socket that listens already, in place of the host and port of the settings; `front` as in door();
    `grant` as in running_install().
    """
    async with running_install(settings, migrating=migrating, grant=grant) as running:
        install = running.install
        checks = {"bus": running.bus.check, "database": install.pool.check}
        standing = {each.name for each in running.channels}
        left_out = [f"channel.{name}" for name in settings.channels if name not in standing]
        app = door(
            install.tier,
            running.bus,
            running.channels,
            checks,
            install.clock,
            contracts=running.contracts,
            left_out=left_out,
            front=front,
        )
        web = settings.web
        server = _Server(_config(app, web.host, web.port))
        closed = asyncio.Event()
        serving = asyncio.create_task(_serve(server, closed, listener))
        try:
            yield Open(running, await _url(server, serving, web.host), closed)
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving
            await running.drain(DRAIN_SECONDS)


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; a second signal does what the system does."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _once, loop, number, stop)
    return stop


def _once(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: asyncio.Event) -> None:
    loop.remove_signal_handler(number)
    stop.set()


async def until_first(*events: asyncio.Event) -> None:
    """Return when the first of the events is set."""
    waiting = [asyncio.create_task(each.wait()) for each in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def _config(app: object, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        lifespan="off",
        log_config=None,  # its loggers speak through ours, which tell no exception's text
        log_level=logging.WARNING,
        access_log=False,  # an address in a log line would be personal data
        timeout_graceful_shutdown=5,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_FRAME,
        ws_per_message_deflate=False,  # frames are short; a compressor is 42 KiB more for each idle socket
    )


async def _serve(server: uvicorn.Server, closed: asyncio.Event, listener: socket | None) -> None:
    try:
        await server.serve([listener] if listener else None)
    except SystemExit:  # uvicorn's way of saying that the port was taken; _url() says it in a sentence
        pass
    finally:
        closed.set()


async def _url(server: uvicorn.Server, serving: asyncio.Task[None], host: str) -> str:
    while not server.started:
        if serving.done():
            raise Unavailable(
                f"The web server could not listen on {host}:{server.config.port}: the port is in use or not "
                f"allowed. Set `port` under [web] in the tier file, or HAYAI_WEB__PORT, to another one."
            )
        await asyncio.sleep(0.01)
    port = next(each.getsockname()[1] for one in server.servers for each in one.sockets)
    return f"http://{host}:{port}"
