"""The runtime: what is wrong with a tier file is said at once, before anything is opened."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import connect

from hayai.bus.memory import MemoryBus
from hayai.channel import Channel
from hayai.clock import system_clock
from hayai.errors import PluginError, SettingsError
from hayai.plugins import load
from hayai.runtime.assembly import _standing_channels, components
from hayai.runtime.serving import _config
from hayai.runtime.standing import look_at_door
from hayai.runtime.workshop import PORTS, Workshop
from hayai.settings import InstallSettings, WebSettings, read_settings
from hayai.tier import Tier

if TYPE_CHECKING:
    from pathlib import Path

TIER = """
tier = "local"
channels = ["web", "carrier-pigeon"]
agents = []
[bus]
adapter = "{bus}"
replicas = 9
[database]
adapter = "postgres"
url = "not a url"
[calendar]
adapter = "postgres"
colour = "red"
[conversations]
adapter = "postgres"
[people]
adapter = "postgres"
[consents]
adapter = "postgres"
[identity]
adapter = "postgres"
"""


def _settings(tmp_path: Path, bus: str = "nats") -> InstallSettings:
    path = tmp_path / "tier.toml"
    path.write_text(TIER.format(bus=bus))
    return read_settings(path, {"HAYAI_CHANNEL__WEB__DATA": str(tmp_path)})


@pytest.fixture
def settings(tmp_path: Path) -> InstallSettings:
    """A tier file with three wrong values and a channel that nobody installed."""
    return _settings(tmp_path)


async def test_every_wrong_setting_of_every_adapter_is_in_one_sentence(settings: InstallSettings) -> None:
    """Bus, database and calendar are each named; an operator corrects the file once."""
    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsError) as refused:
            await Workshop(stack, {}).prepare(settings, PORTS)
    said = str(refused.value)
    assert all(part in said for part in ("[bus] replicas", "[database] url", "[calendar] colour"))
    assert "not a url" not in said, "an address may hold a password"


async def test_a_channel_that_does_not_load_is_a_problem_and_no_obstacle(settings: InstallSettings) -> None:
    """The other channel is prepared; the missing one is told in one sentence."""
    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {})
        await shop.prepare(settings, [], channels=True)
        assert shop.channels == ["channel.web"]
        assert "carrier-pigeon" in str(shop.problems[0])


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [("__init__", "does not start"), ("start", "does not start"), ("router", "has no door that can be opened")],
)
async def test_a_channel_that_does_not_start_is_a_sentence_too(
    settings: InstallSettings, monkeypatch: pytest.MonkeyPatch, wrong: str, fault: str
) -> None:
    """Whatever it raises: the class and the place, never the text."""

    def stumble(*_: object, **__: object) -> None:
        raise ValueError("hunter2")

    async with AsyncExitStack() as stack:
        shop = Workshop(stack, {"bus": MemoryBus(), "tier": Tier({}), "clock": system_clock})
        await shop.prepare(settings, [], channels=True)
        monkeypatch.setattr(await asyncio.to_thread(load, "hayai.channels", "web", Channel), wrong, stumble)
        assert await _standing_channels(shop) == []
    with pytest.raises(PluginError, match=rf"of \[channel.web\] {fault}: ValueError at test_hayai_run") as refused:
        raise shop.problems[-1]
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "parts", "found"),
    [
        (200, {"bus": "ok"}, [("door", True)]),
        (503, {"bus": "ill"}, [("door bus", False)]),
        (200, {"bus": "ok", "channel.pigeon": "left out: the log says why"}, [("door channel.pigeon", False)]),
        (200, [], []),
        (404, None, []),
    ],
)
def test_the_doctor_asks_the_door_which_parts_do_not_work(
    status: int, parts: object, found: list[tuple[str, bool]]
) -> None:
    """Another program at that address, or none, is no finding."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps({"parts": parts} if parts is not None else "hello").encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the same
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        findings = look_at_door(WebSettings(port=server.server_port))
        thread.join()
    assert [(each.part, each.ok) for each in findings] == found
    assert look_at_door(WebSettings(port=server.server_port)) == []


async def test_a_socket_is_given_no_compressor_though_it_asks_for_one() -> None:
    """Thousands of idle chats would each hold its memory."""
    app = FastAPI()

    @app.websocket("/")
    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive()

    config = _config(app, "127.0.0.1", 0)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", compression="deflate", proxy=None) as socket:
            assert socket.response is not None
            assert "sec-websocket-extensions" not in socket.response.headers
    finally:
        await server.shutdown()


@pytest.fixture
def misspelt(tmp_path: Path) -> InstallSettings:
    """A tier file that asks for a bus of no such name."""
    return _settings(tmp_path, bus="natz")


async def test_a_port_whose_adapter_is_not_installed_stops_the_start(misspelt: InstallSettings) -> None:
    """Without a bus there is no house; the nearest name is suggested."""
    async with AsyncExitStack() as stack:
        with pytest.raises(PluginError, match=r"no 'natz' in hayai\.bus: did you mean 'nats'"):
            await Workshop(stack, {}).prepare(misspelt, ["bus"])


def test_every_installed_component_brings_numbered_files() -> None:
    """What hayai.migrations lists are folders with SQL in them."""
    found, problems = components()
    assert problems == []
    assert {"ground", "calendar"} <= set(found)
    assert all(any(file.name.endswith(".sql") for file in folder.iterdir()) for folder in found.values())
