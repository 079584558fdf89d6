"""Task queues: the same event as a task's argument, worked off by a worker of theirs in this process."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from taskiq.api import run_receiver_task
from taskiq_nats import PullBasedJetStreamBroker

from bench.load import body
from bench.measure import Stopwatch
from bench.sides.cloudevent import CloudEvent
from bench.sides.raw import BATCH

_THREADS = 8
_AT_ONCE = 64


async def taskiq(*, url: str, name: str, events: int) -> dict[str, float]:
    """Taskiq on JetStream, which fetches 500 at a time."""
    broker = PullBasedJetStreamBroker(url, subject=name, stream_name=name, durable=name, pull_consume_batch=BATCH)
    handled, done = 0, asyncio.Event()

    async def handle(event: CloudEvent) -> None:
        nonlocal handled
        handled += 1
        if handled == events:
            done.set()

    # It reads the types of what it is given from the function itself.
    handle.__annotations__["event"] = CloudEvent
    task = broker.register_task(handle, task_name="handle")
    await broker.startup()
    event = CloudEvent.model_validate_json(body(0))
    for first in range(0, events, _AT_ONCE):
        await asyncio.gather(*(task.kiq(event) for _ in range(first, min(first + _AT_ONCE, events))))
    watch = Stopwatch()
    worker = asyncio.create_task(run_receiver_task(broker))
    await done.wait()
    taken = watch.taken(events)
    worker.cancel()
    await asyncio.wait([worker])
    await broker.shutdown()
    return taken.told()


async def threads(*, url: str, name: str, events: int) -> dict[str, float]:
    """Dramatiq on Redis, eight threads."""
    return await asyncio.to_thread(_dramatiq, url, name, events)


def _dramatiq(url: str, name: str, events: int) -> dict[str, float]:
    make: Any = RedisBroker  # which has no types
    broker, handled, lock, done = make(url=url), 0, threading.Lock(), threading.Event()

    def handle(document: str) -> None:
        nonlocal handled
        CloudEvent.model_validate_json(document)
        with lock:
            handled += 1
            if handled == events:
                done.set()

    actor = dramatiq.actor(broker=broker, queue_name=name)(handle)
    document = body(0).decode()
    for _ in range(events):
        actor.send(document)
    watch = Stopwatch()
    worker = dramatiq.Worker(broker, worker_threads=_THREADS)
    worker.start()
    done.wait()
    taken = watch.taken(events)
    worker.stop()
    return taken.told()
