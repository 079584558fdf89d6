"""Pace: a publisher that keeps to a timetable whatever becomes of its events, as the world does.

An event's id tells when it was due, so that waiting in the publisher counts too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import nats

from bench.load import KEYS, TENANT, body, booked, key, subject
from bench.sides.hayai import connected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Publish = Callable[[int, str], Awaitable[object]]

_SECOND = 1_000_000_000
_LEAD = 0.2
_STEP = 0.0005
_REST = 0.3


def late(identity: str) -> float:
    """Milliseconds since the event with that id was due; all processes of a machine share the clock."""
    return (time.monotonic_ns() - int(identity[1:].partition("-")[0])) / 1e6


async def apart(publisher: str, **options: Any) -> None:
    """Let `publisher` of this file publish in a process of its own. Raises RuntimeError where it fails."""
    command = (sys.executable, "-m", "bench.side", f"pace.{publisher}", json.dumps(options))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait():
        raise RuntimeError(f"The publisher {publisher} failed.")


async def hayai(*, url: str, rate: float, events: int, keys: int = KEYS) -> dict[str, float]:
    """The product's publisher."""
    async with connected(url) as bus:

        async def publish(number: int, identity: str) -> None:
            await bus.publish(booked(), tenant=TENANT, key=key(number, keys), id=identity)

        await _keep(rate, events, publish)
    return {}


async def raw(*, url: str, rate: float, events: int) -> dict[str, float]:
    """nats-py's publish_async."""
    client = await nats.connect(url)
    jetstream = client.jetstream()

    async def publish(number: int, identity: str) -> None:
        await jetstream.publish_async(subject(number), body(number, id=identity))

    await _keep(rate, events, publish)
    await jetstream.publish_async_completed()
    await client.close()
    return {}


async def _keep(rate: float, events: int, publish: Publish) -> None:
    """A thread watches the clock: the loop's own timers know whole milliseconds only."""
    loop, tasks, all_due = asyncio.get_running_loop(), set[asyncio.Future[object]](), asyncio.Event()
    begun = time.monotonic_ns() + int(_LEAD * _SECOND)

    def start(first: int, last: int) -> None:
        for number in range(first, last):
            due = begun + int(number * _SECOND / rate)
            task = asyncio.ensure_future(publish(number, f"t{due}-{number}"))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if last == events:
            all_due.set()

    def watch() -> None:
        done = 0
        while done < events:
            due = min(events, int((time.monotonic_ns() - begun) * rate / _SECOND) + 1)
            if due > done:
                loop.call_soon_threadsafe(start, done, due)
                done = due
            time.sleep(max(_STEP, (begun + done * _SECOND / rate - time.monotonic_ns()) / _SECOND))

    threading.Thread(target=watch, daemon=True).start()
    await all_due.wait()
    await asyncio.sleep(_REST)
    await asyncio.gather(*tasks)
