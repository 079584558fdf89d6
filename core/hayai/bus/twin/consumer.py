"""TwinConsumer: one durable pull consumer of the twin: who is handed which message, when, and how often.

Modelled on server/consumer.go of nats-server 2.15 (loopAndGatherMsgs, getNextMsg, nextWaiting, processAck, purge).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayai.bus.streams import NANOSECONDS
from hayai.bus.twin.floor import Floor
from hayai.bus.twin.requests import Handed, Requests
from hayai.bus.twin.subjects import covers
from hayai.bus.twin.unsettled import Unsettled

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.twin.requests import Request
    from hayai.bus.twin.store import Store, Stored

_ALL = ">"


class TwinConsumer:
    """A consumer with the `config` that JetStream's API takes; `now` gives the server's time in seconds.

    Read: filter_subject(s), ack_wait, max_deliver, max_ack_pending, deliver_policy (all, new, by_start_sequence).
    """

    def __init__(self, store: Store, config: dict[str, Any], now: Callable[[], float]) -> None:
        self.config = config
        self.filters: list[str] = config.get("filter_subjects") or [config.get("filter_subject") or _ALL]
        self.requests = Requests()
        self.unsettled = Unsettled(config["ack_wait"] / NANOSECONDS, max(config.get("max_deliver", -1), 0))
        self._most_unsettled: int = config.get("max_ack_pending", -1)
        self._most_deliveries: int = max(config.get("max_deliver", -1), 0)
        self._store = store
        self._now = now
        self._next = _beginning(store, config)
        self._place = 0
        self._floor = Floor(0, self._next - 1)
        self._paused_until = 0.0
        self._wakes: float | None = None
        self._sleeps = False

    def reads(self, subject: str) -> bool:
        """Whether what is stored on `subject` is for this consumer."""
        return any(covers(each, subject) for each in self.filters)

    def ask(self, request: Request) -> None:
        """Let `request` be served as soon as there is something for it."""
        self.requests.add(request)
        self.serve()

    def ack(self, handed: Handed) -> None:
        """That message is done with, whichever delivery of it this is."""
        self._let_go(handed.message.sequence)

    def nak(self, handed: Handed, delay: float = 0.0) -> None:
        """Hand that message over again, now or once `delay` seconds have passed."""
        sequence = handed.message.sequence
        if not self._floor.place < handed.place <= self._place:
            return
        if delay:
            self.unsettled.later(sequence, delay, self._now())
        else:
            self.unsettled.again(sequence)
            self.serve()

    def at_work(self, handed: Handed, at: float | None = None) -> None:
        """That message was worked on at that instant, or is now: wait for its end for another ack_wait."""
        self.unsettled.at_work(handed.message.sequence, self._now() if at is None else at)

    def pause(self, until: float) -> None:
        """Hand nothing over before the instant `until`; one that is past ends a pause.

        As on the server, that wakes nobody: what waits is handed over with whatever happens next, be it that a request
        ends.
        """
        self._paused_until = until
        self._sleeps = until <= self._now()
        self._wakes = None if self._sleeps else until

    def due(self) -> float | None:
        """The next instant at which something happens by itself."""
        instants = [self.unsettled.due(), self._wakes]
        if self._sleeps:
            instants.append(self.requests.due())
        return min((each for each in instants if each is not None), default=None)

    def look(self) -> None:
        """Do what is due by now; as on the server, only that wakes whoever hands messages over."""
        queued, now = len(self.unsettled.queue), self._now()
        spent = self.unsettled.overdue(now)
        for sequence in spent:
            self._give_up(sequence)
        is_woken = self._wakes is not None and self._wakes <= now
        if is_woken:
            self._wakes = None
        if is_woken or spent or len(self.unsettled.queue) > queued or (self._sleeps and self.requests.due() <= now):
            self.serve()

    def serve(self) -> None:
        """Hand over what can be, to whoever waits."""
        self._sleeps = False
        self.requests.expire(self._now())
        while self.requests and self._paused_until <= self._now() and (found := self._following()) is not None:
            message, count = found
            request = self.requests.turn(self._now())
            if request is None:
                self._put_back(message, count)
                break
            self._place += 1
            self.unsettled.give(message.sequence, self._place, self._now())
            request.take(Handed(message, self._place, count))
        self.requests.tidy()

    def removed(self, sequence: int) -> None:
        """The stream holds that message no more."""
        self._let_go(sequence)

    def purged(self, subject: str) -> None:
        """The stream holds nothing more on `subject`.

        As on the server, what was queued to be handed over again then waits for another ack_wait.
        """
        if any(covers(subject, each) for each in self.filters):
            self._skip_to(self._store.last + 1, wider=False)
        elif self.reads(subject):
            self._skip_to(self._store.first, wider=True)

    def _skip_to(self, sequence: int, *, wider: bool) -> None:
        self._next = max(self._next, sequence)
        self._floor.sequence = max(self._floor.sequence, sequence - 1)
        for each, place in self.unsettled.places.items():
            if each < sequence or (wider and each not in self._store.messages):
                self._floor.place = max(self._floor.place, place)
                self.unsettled.end(each)
        if not self.unsettled:
            self.unsettled.counts.clear()
            self._floor = Floor(self._place, self._next - 1)
        for each in [queued for queued in self.unsettled.queue if queued < self._next]:
            del self.unsettled.queue[each]
        self._sleeps = True

    def _following(self) -> tuple[Stored, int] | None:
        """The next message to be handed over and how often that will have been: those to be had again come first."""
        while self.unsettled.queue:
            sequence = next(iter(self.unsettled.queue))
            del self.unsettled.queue[sequence]
            count = self.unsettled.counts.get(sequence, 0) + 2
            if self._most_deliveries and count > self._most_deliveries:
                self.unsettled.counts[sequence] = count - 1
                self._give_up(sequence)
            elif sequence in self._store.messages:
                self.unsettled.counts[sequence] = count - 1
                return self._store.messages[sequence], count
            else:
                self._end(sequence)
        if 0 < self._most_unsettled <= len(self.unsettled):
            return None
        found = self._store.following(self._next, self.filters)
        self._next = max(self._next, (found.sequence if found else self._store.last) + 1)
        return (found, 1) if found else None

    def _put_back(self, message: Stored, count: int) -> None:
        """Nobody was there to take it. One that was to be had again goes behind the others, as on the server."""
        if count == 1:
            self._next = message.sequence
        else:
            self.unsettled.counts[message.sequence] -= 1
            self.unsettled.again(message.sequence)

    def _let_go(self, sequence: int) -> None:
        was_full = 0 < self._most_unsettled <= len(self.unsettled)
        self._end(sequence)
        if was_full:
            self.serve()

    def _end(self, sequence: int) -> None:
        place = self.unsettled.end(sequence)
        if place is not None:
            self._floor.settle(place, sequence, self.unsettled.places, (self._place, self._next - 1))

    def _give_up(self, sequence: int) -> None:
        place = self.unsettled.drop(sequence)
        if place is not None:
            self._floor.settle(place, sequence, self.unsettled.places, (self._place, self._next - 1))


def _beginning(store: Store, config: dict[str, Any]) -> int:
    policy = config.get("deliver_policy", "all")
    if policy == "by_start_sequence":
        return max(int(config["opt_start_seq"]), store.first)
    return store.first if policy == "all" else store.last + 1
