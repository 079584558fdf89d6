"""Real: a script on a real nats-server, each step on its tick, through nats-py's core API and JetStream's own words."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial, singledispatchmethod
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client

from hayai.bus.streams import NANOSECONDS
from hayai.tokens import fresh
from tests.twin.history import Delivery, History, Moment
from tests.twin.script import (
    TICK,
    Answer,
    Cancel,
    Crash,
    Look,
    Pause,
    Publish,
    Pull,
    Purge,
    Recreate,
    Remove,
    Schedule,
    Script,
    Step,
    Wait,
)

if TYPE_CHECKING:
    from nats.aio.msg import Msg


class Real:
    """One script on the server at `url`; `client` is shared by many, a second one of its own asks for messages."""

    def __init__(self, client: Client, url: str, script: Script) -> None:
        self.prefix = fresh()[:12]
        self.history = History()
        self._script = script
        self._client = client
        self._url = url
        self._worker = Client()
        self._requests = 0
        self._replies: dict[int, list[str]] = {0: [], 1: []}

    async def prepare(self) -> None:
        """Make the stream and its consumers."""
        await self._call(f"STREAM.CREATE.{self.prefix}", self._script.subjects(self.prefix))
        for which in range(2):
            await self._make_consumer(which, "all")
        await self._connect()

    async def clear(self) -> None:
        """Take all of it away again."""
        await self._worker.close()
        await self._call(f"STREAM.DELETE.{self.prefix}", {})

    async def run(self, offset: float) -> History:
        """Do the steps, each on its tick, which is that part of a tick later than others'."""
        begun = asyncio.get_running_loop().time() + offset * TICK
        ticks = 0
        for step in self._script.all_steps:
            await asyncio.sleep(begun + ticks * TICK - asyncio.get_running_loop().time())
            heard = await self._hear()
            self.history.append(moment := Moment(heard, time.time()))
            moment.told = await self._do(step) or ""
            await self._client.flush()
            moment.ended = time.time()
            ticks += step.ticks if isinstance(step, Wait) else 1
        return self.history

    async def _connect(self) -> None:
        self._worker = Client()
        await self._worker.connect(self._url)

    async def _receive(self, consumer: int, request: int, message: Msg) -> None:
        if message.reply:
            words = message.reply.split(".")
            delivery = Delivery(request, sequence=int(words[-4]), count=int(words[-5]))
            self.history[-1].deliveries[consumer].append(delivery)
            self._replies[consumer].append(message.reply)

    async def _hear(self) -> float:
        """Take in whatever the server has sent by the instant that is returned."""
        heard = time.time()
        await self._worker.flush()
        await asyncio.sleep(0.005)
        return heard

    async def _make_consumer(self, which: int, policy: str) -> None:
        config = self._script.consumer(self.prefix, which, policy)
        verb = f"CONSUMER.CREATE.{self.prefix}.{config['name']}.{config['filter_subject']}"
        await self._call(verb, {"stream_name": self.prefix, "config": config})

    async def _call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.request(f"$JS.API.{verb}", json.dumps(request).encode(), timeout=10)
        told: dict[str, Any] = json.loads(answer.data)
        assert "error" not in told or verb.startswith("STREAM.MSG.DELETE"), (verb, told)
        return told

    async def _publish(self, subject: str, body: bytes, headers: dict[str, str]) -> str:
        answer = await self._client.request(f"{self.prefix}.{subject}", body, timeout=10, headers=headers or None)
        told = json.loads(answer.data)
        if "error" in told:
            return f"refused {told['error']['err_code']}"
        return f"{'duplicate of' if told.get('duplicate') else 'stored'} {told['seq']}"

    @singledispatchmethod
    async def _do(self, step: Step) -> str | None:
        raise NotImplementedError(step)

    @_do.register
    async def _(self, step: Wait) -> None:
        pass

    @_do.register
    async def _(self, step: Publish) -> str:
        return await self._publish(step.subject, b"x" * step.size, step.headers)

    @_do.register
    async def _(self, step: Pull) -> None:
        self._requests += 1
        request = {"batch": step.batch, "expires": int(step.ticks * TICK * NANOSECONDS)}
        reply = f"{self.prefix}-inbox.{self._requests}"
        await self._worker.subscribe(reply, cb=partial(self._receive, step.consumer, self._requests))
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.prefix}.c{step.consumer}"
        await self._worker.publish(subject, json.dumps(request).encode(), reply=reply)
        await self._worker.flush()

    @_do.register
    async def _(self, step: Answer) -> str:
        replies = self._replies[step.consumer]
        if not replies:
            return "nothing to answer"
        delay = f' {{"delay": {int(step.ticks * TICK * NANOSECONDS)}}}' if step.ticks else ""
        await self._client.publish(replies[-1 - step.which % len(replies)], f"{step.word}{delay}".encode())
        return "answered"

    @_do.register
    async def _(self, step: Pause) -> None:
        until = self.history[-1].began + step.ticks * TICK
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until)) + f".{int(until % 1 * 1e6):06}Z"
        request = {"pause_until": stamp} if step.ticks else {}
        await self._call(f"CONSUMER.PAUSE.{self.prefix}.c{step.consumer}", request)

    @_do.register
    async def _(self, step: Crash) -> None:
        await self._worker.close()
        await self._connect()

    @_do.register
    async def _(self, step: Recreate) -> None:
        await self._call(f"CONSUMER.DELETE.{self.prefix}.c{step.consumer}", {})
        self._replies[step.consumer].clear()
        await self._make_consumer(step.consumer, step.policy)

    @_do.register
    async def _(self, step: Purge) -> str:
        request = {} if step.subject == ">" else {"filter": f"{self.prefix}.{step.subject}"}
        told = await self._call(f"STREAM.PURGE.{self.prefix}", request)
        return f"purged {told['purged']}"

    @_do.register
    async def _(self, step: Remove) -> str:
        told = await self._call(f"STREAM.MSG.DELETE.{self.prefix}", {"seq": step.sequence})
        return "removed" if told.get("success") else "not there"

    @_do.register
    async def _(self, step: Schedule) -> str:
        return await self._publish(f"at.{step.name}", b"due", scheduling(step, self.prefix, self.history[-1].began))

    @_do.register
    async def _(self, step: Cancel) -> str:
        if step.subject is None:
            told = await self._call(f"STREAM.PURGE.{self.prefix}", {"filter": f"{self.prefix}.at.{step.name}"})
            return f"purged {told['purged']}"
        return await self._publish(step.subject, b"moot", ending(step, self.prefix))

    @_do.register
    async def _(self, step: Look) -> str:
        state = (await self._call(f"STREAM.INFO.{self.prefix}", {}))["state"]
        told = [
            f"{state['messages']} messages, {state['first_seq'] if state['last_seq'] else 0} to {state['last_seq']}"
        ]
        for which in range(2):
            found = await self._call(f"CONSUMER.INFO.{self.prefix}.c{which}", {})
            told.append(f"{found['delivered']['consumer_seq']} deliveries, {found['num_ack_pending']} unsettled")
        return "; ".join(told)


def scheduling(step: Schedule, prefix: str, now: float) -> dict[str, str]:
    """The headers of a schedule."""
    at = now + step.ticks * TICK
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06}Z"
    headers = {"Nats-Schedule": f"@at {stamp}", "Nats-Schedule-Target": f"{prefix}.{step.subject}"}
    return {**headers, "Nats-Msg-Id": step.id} if step.id else headers


def ending(step: Cancel, prefix: str) -> dict[str, str]:
    """The headers of what makes a schedule moot."""
    return {"Nats-Scheduler": f"{prefix}.at.{step.name}", "Nats-Schedule-Next": "purge"}
