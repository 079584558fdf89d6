"""A house with an agent that echoes, and the web channel served in it by a real web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.memory import MemoryBus
from hayai.handlers import Context, Handlers
from hayai.testing.browser import chromium
from hayai.testing.channel import House, standing_house
from hayai.testing.web import listening
from hayai.vocabulary.messages import MessageReceived, ReplyReady
from hayai.web.door import door
from hayai_web.chat import WebChannel
from hayai_web.settings import ChatSettings

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from hayai.testing.clock import MovableClock

Serve = Callable[..., AbstractAsyncContextManager[str]]

echo = Handlers("echo")


@echo.on(MessageReceived)
async def answer(message: MessageReceived, context: Context) -> ReplyReady | None:
    """Say it again, piece by piece; stay silent when asked to."""
    if message.text.startswith("silence"):
        return None
    text = f"You said: {message.text}"
    for word in text.split(" "):
        await context.stream(word + " ")
        await asyncio.sleep(0.2 if "slowly" in message.text else 0)
    return ReplyReady(channel=message.channel, person=message.person, text=text, choices=("Yes", "No"))


@pytest.fixture
async def house(clock: MovableClock) -> AsyncIterator[House]:
    """What stands around the channel, with the echo at work."""
    async with standing_house(clock) as standing:
        await standing.run(echo)
        yield standing


@pytest.fixture
def serve(house: House) -> Serve:
    """What serves the channel, given its settings, and yields the URL."""
    return lambda **settings: _served(house, settings)


@asynccontextmanager
async def _served(house: House, settings: dict[str, Any]) -> AsyncIterator[str]:
    port = settings.pop("port", 0)
    chosen = ChatSettings.model_validate({"session_key": "k" * 32, **settings})
    channel = WebChannel(chosen, bus=house.bus, tier=house.tier, clock=house.clock)
    await channel.start()
    process = MemoryBus(clock=house.clock, log=house.bus.log)  # ends with the server, as its process would
    for subscription in channel.handlers():
        await process.subscribe(subscription, house.tier)
    app = door(house.tier, house.bus, [channel], {}, house.clock)
    try:
        async with listening(app, port) as url:
            yield url
    finally:
        await channel.stop()
        await process.stop()


@pytest.fixture
async def url(serve: Serve) -> AsyncIterator[str]:
    """The channel with its usual settings."""
    async with serve() as address:
        yield address


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real one."""
    async with chromium() as running:
        yield running
