"""Schedules: an event that becomes due at an instant, unless it is cancelled before.

The server keeps it (NATS ADR-51, `@at`), so it comes due whoever runs by then. What has come due is an event like any
other: the stream of events draws it in, and it reaches handlers under its own id.
"""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hayai.availability.slots import in_utc
from hayai.bus.base import SOURCE, Bus
from hayai.bus.jetstream import refusal
from hayai.bus.streams import SCHEDULES, subject_of
from hayai.envelope import encode, wrap
from hayai.errors import MessageTooLarge, SettingsError, Unavailable
from hayai.telemetry.trace import sending
from hayai.tokens import fresh, token

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime, timedelta

    from hayai.bus.connection import Connection
    from hayai.envelope import Envelope
    from hayai.event import Event

_ANSWER_SECONDS = 5.0
_PAUSE = 0.1
_HEADERS_AT_MOST = 768
"""Bytes of the headers of a schedule, and of those that the server adds when it comes due."""


class SchedulingBus(Bus):
    """A bus that keeps schedules, one for each tenant and name."""

    async def publish_at(
        self,
        event: Event,
        at: datetime,
        *,
        tenant: str,
        schedule: str,
        key: str | None = None,
        id: str | None = None,  # noqa: A002 - CloudEvents calls it id
        cause: Envelope | None = None,
    ) -> Envelope:
        """`event` in the envelope that handlers are given at `at`; durable once this returns.

        The same `schedule` of the same tenant again takes the place of the one before. What is due already comes at
        once. Raises ValueError for a naive `at`, KeyNotOpaque, SettingsError for one that is later than the bus keeps
        events, MessageTooLarge, Unavailable.
        """
        at = in_utc(at, what="time of a schedule")
        if at - self.clock() > self.furthest:
            raise SettingsError(
                f"A schedule can be {self.furthest.days} days ahead at most: raise max_age_days under [bus], or "
                "schedule a reminder to schedule this."
            )
        name = token(schedule, what="schedule")
        with self._made(event, at, tenant=tenant, key=key, id=id, cause=cause) as envelope:  # it happens then
            await self.hold(envelope, at, name)
        return envelope

    async def cancel(
        self,
        schedule: str,
        *,
        tenant: str,
        event: Event | None = None,
        key: str | None = None,
        id: str | None = None,  # noqa: A002 - CloudEvents calls it id
        cause: Envelope | None = None,
    ) -> Envelope | None:
        """Let `schedule` not come due; what is due by then, or was never scheduled, is no error.

        `event` is what makes it moot: it is published in the same write that cancels, so that neither can be without
        the other; its envelope is returned. Raises KeyNotOpaque, MessageTooLarge, Unavailable.
        """
        name, tenant = token(schedule, what="schedule"), token(tenant, what="tenant")
        if event is None:
            await self.release(tenant, name)
            return None
        with self._made(event, self.clock(), tenant=tenant, key=key, id=id, cause=cause) as envelope:
            await self.replace(envelope, name)
        return envelope

    @contextmanager
    def _made(
        self,
        event: Event,
        happens: datetime,
        *,
        tenant: str,
        key: str | None,
        id: str | None,  # noqa: A002 - as above
        cause: Envelope | None,
    ) -> Generator[Envelope]:
        """`event` in its envelope, within the span of its sending."""
        with sending(event.wire_type(), tenant=tenant, cause=cause.traceparent if cause else None) as traceparent:
            yield wrap(
                event,
                tenant=tenant,
                source=SOURCE,
                codec=self.codec,
                key=key,
                id=id,
                cause=cause,
                traceparent=traceparent,
                now=happens,
            )

    @property
    @abstractmethod
    def furthest(self) -> timedelta:
        """How far ahead a schedule can be."""

    @abstractmethod
    async def hold(self, envelope: Envelope, at: datetime, schedule: str) -> None:
        """Keep `envelope` until `at`, in place of what that schedule of its tenant holds."""

    @abstractmethod
    async def release(self, tenant: str, schedule: str) -> None:
        """Forget what that schedule holds."""

    @abstractmethod
    async def replace(self, envelope: Envelope, schedule: str) -> None:
        """Publish `envelope` and forget what that schedule of its tenant holds, both or neither."""


class Schedules:
    """The schedules of one server; all methods raise Unavailable once `deadline` seconds have passed."""

    def __init__(self, connection: Connection, *, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    async def hold(self, envelope: Envelope, at: datetime, schedule: str) -> None:
        """Keep `envelope` until `at`. Raises MessageTooLarge, Unavailable."""
        subject, headers = holding(envelope, at, schedule)
        await self._stored(subject, envelope, headers)

    async def replace(self, envelope: Envelope, schedule: str) -> None:
        """Store `envelope` as due, which in the same write ends `schedule`. Raises MessageTooLarge, Unavailable."""
        subject, headers = ending(envelope, schedule)
        await self._stored(subject, envelope, headers)

    async def release(self, tenant: str, schedule: str) -> None:
        """Drop the schedule."""
        request = json.dumps({"filter": schedule_subject(tenant, schedule)}).encode()
        await self._asked(f"$JS.API.STREAM.PURGE.{SCHEDULES}", request, {}, "the end of a schedule")

    async def _stored(self, subject: str, envelope: Envelope, headers: dict[str, str]) -> None:
        body = encode(envelope)
        if len(body) + _HEADERS_AT_MOST > self._connection.max_payload:
            raise MessageTooLarge(
                f"{envelope.type} has {len(body)} bytes and the bus carries {self._connection.max_payload}, headers "
                "included: keep large content elsewhere and publish where it is."
            )
        await self._asked(subject, body, headers, envelope.type)

    async def _asked(self, subject: str, body: bytes, headers: dict[str, str], what: str) -> None:
        """Return when the server has done it; the same is sent again until it says so, or the deadline is there."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._deadline
        while loop.time() < until:
            await self._connection.ready(until)
            answer = await self._connection.ask(subject, body, headers=headers, seconds=_ANSWER_SECONDS)
            if answer is not None:
                return _heed(json.loads(answer), what)
            await asyncio.sleep(_PAUSE)
        raise Unavailable(
            f"The NATS server at {self._connection.server} keeps no schedules now: see that it runs with JetStream on "
            f"and has the stream {SCHEDULES}, which Hayai creates when it starts; then try again."
        )


class NatsSchedules(SchedulingBus):
    """What the engine on JetStream does about schedules."""

    schedules: Schedules
    longest: timedelta

    @property
    def furthest(self) -> timedelta:
        """As long as the stream keeps what it is given."""
        return self.longest

    async def hold(self, envelope: Envelope, at: datetime, schedule: str) -> None:
        """Keep `envelope` until `at`."""
        await self.schedules.hold(envelope, at, schedule)

    async def release(self, tenant: str, schedule: str) -> None:
        """Forget what that schedule holds."""
        await self.schedules.release(tenant, schedule)

    async def replace(self, envelope: Envelope, schedule: str) -> None:
        """Publish `envelope` and forget what that schedule holds."""
        await self.schedules.replace(envelope, schedule)


def schedule_subject(tenant: str, schedule: str) -> str:
    """The subject in the stream of schedules that holds that one."""
    return f"at.{tenant}.{schedule}"


def holding(envelope: Envelope, at: datetime, schedule: str) -> tuple[str, dict[str, str]]:
    """The subject and the headers that keep `envelope` until `at`, in place of what that schedule holds."""
    return schedule_subject(envelope.tenant, schedule), {
        # Of this call alone: a later one must take its place, even if it says the same.
        "Nats-Msg-Id": fresh(),
        "Nats-Schedule": f"@at {at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}",
        "Nats-Schedule-Target": _due(envelope),
    }


def ending(envelope: Envelope, schedule: str) -> tuple[str, dict[str, str]]:
    """The subject and the headers that store `envelope` as due and in the same write end that schedule."""
    headers = {"Nats-Scheduler": schedule_subject(envelope.tenant, schedule), "Nats-Schedule-Next": "purge"}
    return _due(envelope), {"Nats-Msg-Id": envelope.id, **headers}


def _due(envelope: Envelope) -> str:
    return f"due.{subject_of(envelope).partition('.')[2]}"


def _heed(told: dict[str, Any], what: str) -> None:
    if "error" in told:
        raise Unavailable(
            f"The bus did not take {what} for its schedule ({refusal(told['error'])}): see the stream {SCHEDULES} "
            "with `nats stream info`, then try again."
        )
