"""An outside system posts each event three times at once, shuffled, and the house is killed in the middle of it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import httpx

import hayai
from hayai.bus.streams import EVENTS
from hayai.envelope import decode
from hayai.runtime.standing import environment
from hayai.testing.dev import DevServer
from tests.chaos.plan import Plan, Report

TENANT = "harbor-dental"
_TIER = Path(__file__).parents[3] / "deploy/tiers/local.toml"
_TIMES = 3
_AT_ONCE = 30
_PATIENCE = 60.0


async def run(plan: Plan) -> Report:
    """Each post is repeated until it is accepted; each event is stored once, and answered once."""
    report, chance, count = Report("doubles"), plan.random("doubles"), plan.pick(120, 1000)
    dev = DevServer(_TIER)
    try:
        await asyncio.to_thread(dev.start)
        posts = [number for number in range(count) for _ in range(_TIMES)]
        chance.shuffle(posts)
        client = _Client(dev.url, await asyncio.to_thread(_key, dev))
        posting = asyncio.create_task(client.post_all(posts))
        await client.until(chance.randrange(count // 2, count))
        before = dev.pids["hayai"]
        await asyncio.to_thread(dev.stop, signal.SIGKILL)
        await asyncio.to_thread(dev.start)
        await posting
        ids = {event for events in client.events.values() for event in events}
        stored, replies = await _stored(dev, ids)
    finally:
        await asyncio.to_thread(dev.remove)
    report.show("posts accepted", client.accepted)
    report.show("posts that met the outage and were sent again", client.again)
    report.require("restarts of the house, with another process", int(before != dev.told["pids"]["hayai"]), least=1)
    report.demand("events whose answers differ", sum(len(each) != 1 for each in client.events.values()))
    report.demand("events not stored once", sum(stored[each] != 1 for each in ids) + abs(count - len(ids)))
    report.demand("events not replied to once", sum(replies[each] != 1 for each in ids))
    report.show("p99 of an accepted post, in mid-restart too", f"{sorted(client.seconds)[-len(posts) // 100]:.2f} s")
    return report


class _Client:
    """Posts events, and remembers what it was told."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/v1/tenants/{TENANT}/events"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self.events: dict[int, set[str]] = defaultdict(set)
        self.seconds: list[float] = []
        self.accepted = self.again = 0

    async def post_all(self, posts: list[int]) -> None:
        """All of them, some at a time. Raises TimeoutError where one is never accepted."""
        async with httpx.AsyncClient(timeout=10, headers=self._headers) as client:
            await asyncio.gather(*(self._post(client, number) for number in posts))

    async def until(self, count: int) -> None:
        """Return once so many are accepted."""
        accepted = self.accepted
        while accepted < count:
            await asyncio.sleep(0.005)
            accepted = self.accepted

    async def _post(self, client: httpx.AsyncClient, number: int) -> None:
        async with self._places, asyncio.timeout(_PATIENCE):
            while True:
                begin = time.monotonic()
                try:
                    answer = await client.post(self._url, json=_event(number))
                except httpx.HTTPError:
                    answer = None
                if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
                    break
                self.again += 1
                await asyncio.sleep(0.2)
        self.accepted += 1
        self.seconds.append(time.monotonic() - begin)
        self.events[number].add(answer.json()["events"][0]["event"])


def _event(number: int) -> dict[str, object]:
    data = {"channel": "web", "person": f"p{number}", "text": "What are your opening hours?"}
    named = {"id": str(number), "source": "/till", "type": "message.received.v1", "subject": f"visit-{number}"}
    return {"specversion": "1.0", **named, "data": data}


def _key(dev: DevServer) -> str:
    arguments = [
        "keys",
        "issue",
        "--tenant",
        TENANT,
        "--role",
        "operator",
        "--data",
        str(dev.data),
        "--tier",
        str(_TIER),
    ]
    command = [sys.executable, "-m", "hayai.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


async def _stored(dev: DevServer, ids: set[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each event is in the stream, and how many replies follow from it; once the stream grows no more."""
    url = (await asyncio.to_thread(environment, dev.data))["NATS_URL"]
    async with hayai.connect(url, connect_deadline=10) as bus:
        last, quiet_since = 0, time.monotonic()
        while time.monotonic() - quiet_since < 3:
            stream = await bus.jetstream.stream(EVENTS.name)
            assert stream is not None, "the house has lost its stream"
            if stream["state"]["last_seq"] != last:
                last, quiet_since = stream["state"]["last_seq"], time.monotonic()
            await asyncio.sleep(0.2)
        bodies = [await bus.jetstream.body(EVENTS.name, place) for place in range(1, last + 1)]
    envelopes = [decode(body) for body in bodies if body]
    replies = Counter(each.cause for each in envelopes if each.type == "reply.ready.v1" and each.cause in ids)
    return Counter(each.id for each in envelopes), Counter({str(cause): times for cause, times in replies.items()})
