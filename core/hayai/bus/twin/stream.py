"""TwinStream: one stream of the twin: what it takes, refuses, keeps and forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hayai.bus.conflicts import EXPECTED, WRONG_LAST
from hayai.bus.jetstream import Refused
from hayai.bus.sizes import size_of
from hayai.bus.streams import NANOSECONDS
from hayai.bus.twin.consumer import TwinConsumer
from hayai.bus.twin.recent import RecentIds
from hayai.bus.twin.store import Store
from hayai.bus.twin.subjects import Transform, covers
from hayai.bus.twin.timetable import Timetable, instant_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.twin.store import Stored

_ID, _SCHEDULE, _TARGET = "Nats-Msg-Id", "Nats-Schedule", "Nats-Schedule-Target"
_SCHEDULER, _NEXT = "Nats-Scheduler", "Nats-Schedule-Next"
_STORE_FAILED, _NO_SCHEDULES, _BAD_PATTERN, _BAD_TARGET = 10077, 10188, 10189, 10190


class Published(NamedTuple):
    """What a publisher is answered."""

    sequence: int
    duplicate: bool


class TwinStream:
    """A stream with the `config` that JetStream's API takes; `now` gives the server's time in seconds.

    Read: subjects, subject_transform, duplicate_window, max_bytes and max_msgs with discard "new",
    allow_msg_schedules, sources. For `pause` see TwinServer.
    """

    def __init__(self, config: dict[str, Any], now: Callable[[], float], *, pause: float) -> None:
        self.config = config
        self.store = Store()
        self.consumers: dict[str, TwinConsumer] = {}
        self._now = now
        self._recent = RecentIds(config["duplicate_window"] / NANOSECONDS)
        self._timetable = Timetable(pause)
        transform = config.get("subject_transform")
        self._transform = Transform(transform["src"], transform["dest"]) if transform else str

    def hears(self, subject: str) -> bool:
        """Whether what is published on `subject` comes here."""
        return any(covers(each, subject) for each in self.config["subjects"])

    def publish(self, subject: str, body: bytes, headers: dict[str, str], *, drawn: bool = False) -> Published:
        """Store a message unless its id was stored within the window; `drawn` from another stream or told by a client.

        Raises Refused where the stream is full, will not have such a schedule, or holds another message than the
        publisher expects.
        """
        subject, now = self._transform(subject), self._now()
        if not drawn:
            self._check_expected(subject, headers)
        known = self._recent.find(headers.get(_ID), now)
        if known is not None:
            return Published(known, duplicate=True)
        at = None if drawn else self._instant(headers)
        self._check_room(subject, body, headers)
        stored = self.store.append(subject, body, headers)
        if _ID in headers:
            self._recent.keep(headers[_ID], stored.sequence, now)
        if not drawn:
            self._heed_schedule(stored, at)
        self._serve(subject)
        return Published(stored.sequence, duplicate=False)

    def remove(self, sequence: int) -> bool:
        """Forget one message; whether there was one."""
        found = self.store.messages.get(sequence)
        if found is None or not self.store.remove(sequence):
            return False
        self._timetable.remove(found.subject)
        for consumer in self.consumers.values():
            if consumer.reads(found.subject):
                consumer.removed(sequence)
        return True

    def purge(self, subject: str = ">") -> int:
        """Forget every message on the subjects that `subject` covers; how many there were."""
        gone = self.store.covered(subject)
        for stored in gone:
            self.store.remove(stored.sequence)
            self._timetable.remove(stored.subject)
        for consumer in self.consumers.values():
            consumer.purged(subject)
        return len(gone)

    def consumer(self, name: str, config: dict[str, Any]) -> TwinConsumer:
        """The consumer of that name, made with `config` where there is none."""
        if name not in self.consumers:
            self.consumers[name] = TwinConsumer(self.store, config, self._now)
        return self.consumers[name]

    def due(self) -> float | None:
        """The next instant at which something happens by itself."""
        instants = [self._timetable.due(), *(each.due() for each in self.consumers.values())]
        return min((each for each in instants if each is not None), default=None)

    def look(self) -> None:
        """Do what is due by now."""
        for sequence in self._timetable.take(self._now()):
            self._come_due(self.store.messages[sequence])
        for consumer in list(self.consumers.values()):
            consumer.look()

    def _serve(self, subject: str) -> None:
        for consumer in list(self.consumers.values()):
            if consumer.reads(subject):
                consumer.serve()

    def _check_room(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        if self.config.get("discard") != "new":
            return
        most, most_bytes = self.config.get("max_msgs", -1), self.config.get("max_bytes", -1)
        if 0 < most <= len(self.store.messages):
            raise Refused("the twin refuses: maximum messages exceeded", status=503, code=_STORE_FAILED)
        if 0 < most_bytes < self.store.bytes + size_of(subject, body, headers):
            raise Refused("the twin refuses: maximum bytes exceeded", status=503, code=_STORE_FAILED)

    def _check_expected(self, subject: str, headers: dict[str, str]) -> None:
        if EXPECTED in headers and int(headers[EXPECTED]) != self.store.newest(subject):
            raise Refused("the twin refuses: wrong last sequence", status=400, code=WRONG_LAST)

    def _instant(self, headers: dict[str, str]) -> float | None:
        """When a message with these headers is to come due, if ever."""
        if _SCHEDULE not in headers:
            return None
        if not self.config.get("allow_msg_schedules"):
            raise Refused("the twin refuses: message schedules is disabled", status=400, code=_NO_SCHEDULES)
        at = instant_of(headers[_SCHEDULE])
        if at is None:
            raise Refused("the twin knows no schedule but `@at INSTANT`", status=400, code=_BAD_PATTERN)
        if not self.hears(headers.get(_TARGET, "")):
            raise Refused("the twin refuses: message schedules target is invalid", status=400, code=_BAD_TARGET)
        return at

    def _heed_schedule(self, stored: Stored, at: float | None) -> None:
        """Take a schedule in, in place of an older one of its subject; end the one that `stored` makes moot."""
        if at is not None:
            for older in self.store.covered(stored.subject):
                if older is not stored:
                    self.remove(older.sequence)
            self._timetable.add(stored, at, self._now())
        elif stored.headers.get(_NEXT) == "purge":
            self.purge(stored.headers[_SCHEDULER])

    def _come_due(self, schedule: Stored) -> None:
        """Publish what a schedule holds, without its id: it is compared with none that came before."""
        ending = {_SCHEDULER: schedule.subject, _NEXT: "purge"}
        self.publish(schedule.headers[_TARGET], schedule.body, ending)
