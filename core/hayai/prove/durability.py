"""The power-loss test: publish, copy the raw image in mid-load, start on the copy, compare with what was acknowledged.

The server is stopped (SIGSTOP) for the copy, so that the copy is of one instant. The same is done with the server's
default sync interval: a method that loses nothing there proves nothing.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hayai.bus.connection import Connection
from hayai.bus.jetstream import JetStream
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.streams import EVENTS
from hayai.event import Event
from hayai.prove.broker import Broker, broker
from hayai.prove.image import copy_image, make_image, mounted

_PUBLISHERS = 20
_AT_ONCE = 50
_CONNECT = 10.0


class LampLit(Event, type="lamp.lit", version=1):
    """What the proof publishes."""

    number: int


@dataclass(frozen=True)
class Outcome:
    """One run's counts; `extra` were found without an acknowledgement, as they were on their way at the cut."""

    sync: str
    acknowledged: int
    found: int
    lost: int
    extra: int
    seconds: float
    server: str


@dataclass(frozen=True)
class Report:
    """The product's setting, and the server's default as the contrast."""

    always: Outcome
    contrast: Outcome

    @property
    def passed(self) -> bool:
        """Whether an acknowledged event survived the loss of power, and the method can tell."""
        return self.always.lost == 0 and self.always.acknowledged > 0 and self.contrast.lost > 0

    def document(self) -> dict[str, Any]:
        """The report for a machine."""
        return {"passed": self.passed, "always": asdict(self.always), "contrast": asdict(self.contrast)}


async def prove(events: int) -> Report:
    """Both runs, each cut when `events` were acknowledged. Raises LocalStackRefused where loop mounts are refused."""
    return Report(always=await _run(events, "always"), contrast=await _run(events, None))


async def _run(events: int, sync: str | None) -> Outcome:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hayai-prove-") as folder:
        home = Path(folder)
        image, copy = home / "image", home / "copy"
        make_image(image)
        with mounted(image, home / "before") as place:
            async with broker(home, place, sync) as server:
                version = (await server.greeting())["version"]
                acknowledged = await _cut(server, events, image, copy)
        with mounted(copy, home / "after") as place:
            async with broker(home, place, "always") as server:
                await server.greeting()
                found = await _read(server.url)
    return Outcome(
        sync=sync or "default",
        acknowledged=len(acknowledged),
        found=len(found),
        lost=len(acknowledged - found),
        extra=len(found - acknowledged),
        seconds=round(time.monotonic() - began, 2),
        server=version,
    )


async def _cut(server: Broker, events: int, image: Path, copy: Path) -> set[str]:
    """Publish until `events` are acknowledged, stop the server, copy; the ids that were acknowledged before."""
    settings = NatsSettings(url=server.url, max_bytes=64 << 20, dead_letter_bytes=16 << 20)
    bus = NatsBus(settings)
    await bus.start()
    acknowledged: set[str] = set()
    enough = asyncio.Event()

    async def publish(publisher: int) -> None:
        number = 0
        while True:
            number += 1
            name = f"lamp-{publisher}-{number}"
            await bus.publish(LampLit(number=number), tenant="prove", key=f"k{publisher}", id=name)
            acknowledged.add(name)
            if len(acknowledged) >= events:
                enough.set()

    load = [asyncio.create_task(publish(each)) for each in range(_PUBLISHERS)]
    try:
        async with asyncio.timeout(60 + events / 50):
            await enough.wait()
        server.pause()
        before = set(acknowledged)
        await asyncio.to_thread(copy_image, image, copy)
        return before
    finally:
        for each in load:
            each.cancel()
        await asyncio.gather(*load, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await bus.stop()


async def _read(url: str) -> set[str]:
    """The ids in the stream; none where the stream itself is gone."""
    connection = Connection(url)
    await connection.start(_CONNECT)
    try:
        jetstream = JetStream(connection)
        stream = await jetstream.stream(EVENTS.name)
        if stream is None:
            return set()
        found: set[str] = set()
        last = int(stream["state"]["last_seq"])
        for first in range(1, last + 1, _AT_ONCE):
            places = range(first, min(first + _AT_ONCE, last + 1))
            bodies = await asyncio.gather(*(jetstream.body(EVENTS.name, place) for place in places))
            found |= {str(json.loads(body)["id"]) for body in bodies if body}
        return found
    finally:
        await connection.stop()
