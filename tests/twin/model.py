"""Model: a script on the twin, each step at the very instant at which the real server had it."""

from __future__ import annotations

from functools import partial, singledispatchmethod
from typing import TYPE_CHECKING

from hayai.bus.jetstream import Refused
from hayai.bus.twin.requests import Request
from hayai.bus.twin.server import TwinServer
from tests.twin.history import Delivery, History, Moment
from tests.twin.real import ending, scheduling
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
    from hayai.bus.twin.requests import Handed

NEAR = 0.02
"""Seconds within which nobody can tell which of two things a server did first; the time that a step took is added."""
LATE = 0.055
"""Seconds by which a server may forget an id late: it looks for old ones at most every 50 ms."""


class Model:
    """One script on a twin, under the same `prefix` and with the times of `real`."""

    def __init__(self, script: Script, prefix: str, real: History) -> None:
        self.history = History()
        self._script = script
        self._prefix = prefix
        self._real = real
        self._server = TwinServer()
        self._server.now = real[0].began - TICK
        self._stream = self._server.create(script.subjects(prefix))
        self._asked: list[Request] = []
        self._requests = 0
        self._near = NEAR
        self._is_free = False
        self._handed: dict[int, list[Handed]] = {0: [], 1: []}
        for which in range(2):
            self._make_consumer(which, "all")

    def run(self) -> History:
        """Do the steps, up to the first that the server did too near to something that it did by itself."""
        for step, real in zip(self._script.all_steps, self._real, strict=True):
            self._near = max(self._near, NEAR + real.ended - real.began)
            if not self._runs_until(real.heard - self._near) or self._is_free or self._is_undecided(real, step):
                del self.history[-1:]  # what came after that step may have been handed over already, or not
                break
            self._server.run_until(real.began)
            self.history.append(moment := Moment(real.heard, real.began))
            moment.told = self._do(step) or ""
        return self.history

    def _make_consumer(self, which: int, policy: str) -> None:
        """A purge takes out of the queue what is overdue; when the server finds it again is the server's affair."""
        consumer = self._stream.consumer(f"c{which}", self._script.consumer(self._prefix, which, policy))
        purged = consumer.purged

        def watched(subject: str) -> None:
            self._is_free |= bool(consumer.unsettled.queue)
            purged(subject)

        vars(consumer)["purged"] = watched

    def _runs_until(self, instant: float) -> bool:
        """Let time pass; whether everything that happened by itself had its own time."""
        while (due := self._server.due()) <= instant:
            self._server.run_until(due)
            if self._server.due() < due + self._near or any(
                abs(due - expires) < self._near for expires in self._standing
            ):
                return False
        return True

    @property
    def _standing(self) -> list[float]:
        """When the requests end that wait now."""
        return [each.expires for each in self._asked if each.left and each.is_heard]

    def _is_undecided(self, real: Moment, step: Step) -> bool:
        """Whether something is due just before, during or just after the step."""
        known = self._stream._recent._seen.get(step.id or "") if isinstance(step, Publish | Schedule) else None
        forgotten = known[1] + self._stream._recent._window if known else 0.0
        return (
            self._server.due() < real.ended + self._near
            or real.heard - self._near - LATE < forgotten < real.ended + self._near
            or any(real.heard - self._near < expires < real.ended + self._near for expires in self._standing)
        )

    def _receive(self, consumer: int, request: int, handed: Handed) -> None:
        delivery = Delivery(request, handed.message.sequence, handed.count)
        self.history[-1].deliveries[consumer].append(delivery)
        self._handed[consumer].append(handed)

    def _publish(self, subject: str, body: bytes, headers: dict[str, str]) -> str:
        try:
            told = self._server.publish(f"{self._prefix}.{subject}", body, headers)
        except Refused as wrong:
            return f"refused {wrong.code}"
        return f"{'duplicate of' if told.duplicate else 'stored'} {told.sequence}"

    @singledispatchmethod
    def _do(self, step: Step) -> str | None:
        raise NotImplementedError(step)

    @_do.register
    def _(self, step: Wait) -> None:
        pass

    @_do.register
    def _(self, step: Publish) -> str:
        return self._publish(step.subject, b"x" * step.size, step.headers)

    @_do.register
    def _(self, step: Pull) -> None:
        self._requests += 1
        take = partial(self._receive, step.consumer, self._requests)
        self._asked.append(request := Request(take, step.batch, self._server.now + step.ticks * TICK))
        self._stream.consumers[f"c{step.consumer}"].ask(request)

    @_do.register
    def _(self, step: Answer) -> str:
        handed = self._handed[step.consumer]
        if not handed:
            return "nothing to answer"
        consumer, answered = self._stream.consumers[f"c{step.consumer}"], handed[-1 - step.which % len(handed)]
        if step.word == "-NAK":
            consumer.nak(answered, step.ticks * TICK)
        elif step.word == "+WPI":
            consumer.at_work(answered)
        else:
            consumer.ack(answered)
        return "answered"

    @_do.register
    def _(self, step: Pause) -> None:
        self._stream.consumers[f"c{step.consumer}"].pause(self._server.now + step.ticks * TICK)

    @_do.register
    def _(self, step: Crash) -> None:
        for request in self._asked:
            request.is_heard = False

    @_do.register
    def _(self, step: Recreate) -> None:
        name = f"c{step.consumer}"
        del self._stream.consumers[name]
        self._handed[step.consumer].clear()
        self._make_consumer(step.consumer, step.policy)

    @_do.register
    def _(self, step: Purge) -> str:
        return f"purged {self._stream.purge(*() if step.subject == '>' else (f'{self._prefix}.{step.subject}',))}"

    @_do.register
    def _(self, step: Remove) -> str:
        return "removed" if self._stream.remove(step.sequence) else "not there"

    @_do.register
    def _(self, step: Schedule) -> str:
        return self._publish(f"at.{step.name}", b"due", scheduling(step, self._prefix, self._server.now))

    @_do.register
    def _(self, step: Cancel) -> str:
        if step.subject is None:
            return f"purged {self._stream.purge(f'{self._prefix}.at.{step.name}')}"
        return self._publish(step.subject, b"moot", ending(step, self._prefix))

    @_do.register
    def _(self, step: Look) -> str:
        store = self._stream.store
        told = [f"{len(store.messages)} messages, {store.first if store.last else 0} to {store.last}"]
        for which in range(2):
            consumer = self._stream.consumers[f"c{which}"]
            told.append(f"{consumer._place} deliveries, {len(consumer.unsettled)} unsettled")
        return "; ".join(told)
