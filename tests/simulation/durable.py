"""DurableModel: a pull consumer of the simulated server: window, acknowledgement wait, redelivery, waiting requests."""

from __future__ import annotations

from bisect import insort
from collections import deque
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.jetstream import Stored, StreamModel
    from tests.simulation.nats_server import SimulatedNats
    from tests.simulation.world import World

_NANOSECONDS = 1e9
_WRITTEN_EVERY = 0.2
"""A server that dies forgets what happened to a consumer since it was last written."""


@dataclass
class Request:
    """One that waits for messages."""

    reply: str
    left: int
    ends: float
    heartbeat: float
    beats: float


class DurableModel:
    """One durable consumer."""

    def __init__(self, world: World, server: SimulatedNats, stream: StreamModel, config: dict[str, Any]) -> None:
        self.config = config
        self._world = world
        self._server = server
        self._stream = stream
        new = config.get("deliver_policy") == "new"
        self.next = stream.last + 1 if new else int(config.get("opt_start_seq", 1))
        self.sent = 0
        self.floor = self.next - 1
        self.pending: dict[int, float] = {}
        """When the acknowledgement of each is overdue."""
        self._again: list[int] = []
        self._counts: dict[int, int] = {}
        self._waiting: deque[Request] = deque()
        self._written: tuple[Any, ...] = ()
        self._written_at = -1.0

    @property
    def info(self) -> dict[str, Any]:
        """What CONSUMER.INFO says."""
        self._drop_unheard()
        return {
            "config": self.config,
            "name": self.config["name"],
            "delivered": {"consumer_seq": self.sent, "stream_seq": self.next - 1},
            "ack_floor": {"consumer_seq": 0, "stream_seq": self.floor},
            "num_ack_pending": len(self.pending),
            "num_redelivered": sum(each > 1 for each in self._counts.values()),
            "num_waiting": len(self._waiting),
            "num_pending": self.left,
        }

    @property
    def left(self) -> int:
        """How many were never handed out."""
        return sum(
            self._fits(self._stream.messages[each])
            for each in range(self.next, self._stream.last + 1)
            if each in self._stream.messages
        )

    def asked(self, request: dict[str, Any], reply: str) -> None:
        """A client wants messages."""
        beat = request.get("idle_heartbeat", 0) / _NANOSECONDS
        ends = self._world.now + request["expires"] / _NANOSECONDS
        self._waiting.append(Request(reply, request["batch"], ends, beat, self._world.now + beat))
        self.deliver()

    def answered(self, sequence: int, answer: bytes) -> None:
        """An acknowledgement, or its refusal, or a sign of work."""
        if sequence not in self.pending:
            return
        self._write()
        if answer.startswith(b"+ACK"):
            del self.pending[sequence]
            self._counts.pop(sequence, None)
            self.floor = min(self.pending) - 1 if self.pending else self.next - 1
        elif answer.startswith(b"-NAK"):
            if sequence not in self._again:
                insort(self._again, sequence)  # a real server puts it behind what is overdue already
        elif answer.startswith(b"+WPI"):
            self.pending[sequence] = self._overdue()
        self.deliver()

    def deliver(self) -> None:
        """Hand out what there is to whoever waits."""
        while self._waiting:
            request = self._waiting[0]
            if not self._server.hears(request.reply):
                self._waiting.popleft()
                continue
            stored = self._take()
            if stored is None:
                return
            self._hand_out(request, stored)
            if not request.left:
                self._waiting.popleft()
            elif len(self._waiting) > 1 and self._world.random.random() < 0.5:
                self._waiting.rotate(-1)

    def _take(self) -> Stored | None:
        """What is handed out next."""
        self._write()
        while self._again:
            sequence = self._again.pop(0)
            if sequence in self.pending and sequence in self._stream.messages:
                return self._stream.messages[sequence]
        while len(self.pending) < self.config["max_ack_pending"] and self.next <= self._stream.last:
            stored = self._stream.messages.get(self.next)
            self.next += 1
            if stored is not None and self._fits(stored):
                return stored
            if not self.pending:
                self.floor = self.next - 1
        return None

    def _hand_out(self, request: Request, stored: Stored) -> None:
        sequence = stored.sequence
        self.sent += 1
        count = self._counts[sequence] = self._counts.get(sequence, 0) + 1
        self.pending[sequence] = self._overdue()
        request.left -= 1
        request.beats = self._world.now + request.heartbeat
        stream, name = self._stream.config["name"], self.config["name"]
        reply = f"$JS.ACK.{stream}.{name}.{count}.{sequence}.{self.sent}.{stored.time}.0"
        head = f"NATS/1.0\r\nNats-Msg-Id: {stored.id}\r\n\r\n".encode() if stored.id else b""
        self._server.tell(request.reply, stored.body, head=head, reply=reply, shown=stored.subject)

    def tick(self) -> None:
        """What is overdue is handed out again; requests end, or hear that the server is there."""
        now = self._world.now
        overdue = sorted(each for each, at in self.pending.items() if at <= now and each not in self._again)
        if overdue:
            self._again += overdue
            self._world.note(f"{self.config['name']}: {overdue} are overdue")
            for each in overdue:
                self.pending[each] = self._overdue()
        for request in list(self._waiting):
            if request.ends <= now:
                self._waiting.remove(request)
                head = f"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: {request.left}\r\n\r\n"
                self._server.tell(request.reply, b"", head=head.encode())
            elif request.heartbeat and request.beats <= now:
                request.beats = now + request.heartbeat
                self._server.tell(request.reply, b"", head=b"NATS/1.0 100 Idle Heartbeat\r\n\r\n")
        self.deliver()

    def end(self) -> None:
        """It is deleted: who waits is told."""
        for request in self._waiting:
            self._server.tell(request.reply, b"", head=b"NATS/1.0 409 Consumer Deleted\r\n\r\n")
        self._waiting.clear()

    def crash(self) -> None:
        """The server dies: requests are gone, and perhaps what was not written yet."""
        self._waiting.clear()
        if self._written and self._world.random.random() < 0.5:
            # What was given back stays so here; a real server waits for it until it is overdue, and later events pass.
            self.next, self.sent, self.floor, self.pending, self._counts = deepcopy(self._written)
            self._world.note(f"{self.config['name']} is set back to {self.floor}")
        for each in self.pending:
            self.pending[each] = self._overdue()

    def _write(self) -> None:
        if self._world.now - self._written_at > _WRITTEN_EVERY:
            self._written_at = self._world.now
            self._written = deepcopy((self.next, self.sent, self.floor, self.pending, self._counts))

    def _overdue(self) -> float:
        return self._world.now + float(self.config["ack_wait"]) / _NANOSECONDS

    def _fits(self, stored: Stored) -> bool:
        return matches(self.config["filter_subject"], stored.subject)

    def _drop_unheard(self) -> None:
        self._waiting = deque(each for each in self._waiting if self._server.hears(each.reply))


def matches(pattern: str, subject: str) -> bool:
    """Whether a filter takes that subject."""
    wanted, found = pattern.split("."), subject.split(".")
    return len(wanted) == len(found) and all(a in {"*", b} for a, b in zip(wanted, found, strict=True))
