"""Script: what one stream and its consumers are, and what is done to them, step by step; and how Hypothesis draws one.

A step is done on a tick. Whatever a server does by itself falls between two ticks, each kind of it at another fraction,
so that a history seldom hangs on which of two things came first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from hayai.bus.conflicts import EXPECTED

_IS_BUSY = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
TICK = 0.4 if _IS_BUSY else 0.2
"""Seconds; more of them where others use the machine as well, or too many steps would come too late to be compared."""
DUE, ACK_WAIT, PAUSE, NAK, EXPIRY = 0.25, 0.4, 0.55, 0.7, 0.85
"""The fractions. What is due already comes a quarter of a second after it was stored, which is between two as well."""
LAST_WAIT = 12
"""Ticks after the last step: longer than anything that a step can set going."""
SUBJECTS = ("a.x", "a.y", "b.x")
FILTERS = (">", "a.>", "*.x", "a.x")
SCHEDULES = ("one", "two")
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Step:
    """One thing that is done."""


@dataclass(frozen=True)
class Wait(Step):
    """Let some ticks pass."""

    ticks: int


@dataclass(frozen=True)
class Publish(Step):
    """Publish a message of `size` bytes, perhaps under an id that may have been used before.

    `expected` is the sequence of what is the newest message of that subject, if the publisher is right.
    """

    subject: str
    id: str | None
    size: int
    expected: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the server is told with it."""
        found = {"Nats-Msg-Id": self.id, EXPECTED: None if self.expected is None else str(self.expected)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Pull(Step):
    """Ask for up to `batch` messages until so many ticks have passed."""

    consumer: int
    batch: int
    ticks: float


@dataclass(frozen=True)
class Answer(Step):
    """Answer a delivery that the consumer made, counted from the last one; `ticks` is the delay of a late nak."""

    consumer: int
    which: int
    word: str
    ticks: float = 0


@dataclass(frozen=True)
class Pause(Step):
    """Have the consumer hand out nothing for so many ticks; none ends that."""

    consumer: int
    ticks: float


@dataclass(frozen=True)
class Crash(Step):
    """The client that pulled is gone, with all it asked for; another one comes."""


@dataclass(frozen=True)
class Recreate(Step):
    """Delete the consumer and make it again, to begin as its policy says."""

    consumer: int
    policy: str


@dataclass(frozen=True)
class Purge(Step):
    """Forget all messages on a subject."""

    subject: str


@dataclass(frozen=True)
class Remove(Step):
    """Forget the message at a sequence."""

    sequence: int


@dataclass(frozen=True)
class Schedule(Step):
    """Publish a schedule that is due in so many ticks, or was before."""

    name: str
    ticks: float
    subject: str
    id: str | None


@dataclass(frozen=True)
class Cancel(Step):
    """End a schedule: by a purge, or in one write with a message on `subject`."""

    name: str
    subject: str | None


@dataclass(frozen=True)
class Look(Step):
    """Tell what the stream holds, and how far its consumers have come."""


@dataclass(frozen=True)
class Script:
    """A stream and two consumers by the settings of JetStream's API, subjects without their prefix, and the steps."""

    stream: dict[str, Any]
    consumers: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...]

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps, and a look at what they came to."""
        return (*self.steps, Wait(LAST_WAIT), Look())

    def subjects(self, prefix: str) -> dict[str, Any]:
        """The stream's settings, its subjects under `prefix`."""
        return {**self.stream, "name": prefix, "subjects": [f"{prefix}.>"]}

    def consumer(self, prefix: str, which: int, policy: str = "all") -> dict[str, Any]:
        """One consumer's settings, its filter under `prefix`."""
        settings = self.consumers[which]
        name = f"c{which}"
        return {
            **settings,
            "durable_name": name,
            "name": name,
            "deliver_policy": policy,
            "filter_subject": f"{prefix}.{settings['filter_subject']}",
        }


def nanoseconds(ticks: float) -> int:
    """So many ticks in JetStream's unit."""
    return int(ticks * TICK * NANOSECONDS)


_subjects = st.sampled_from(SUBJECTS)
_whichs = st.integers(0, 1)
_schedules = st.sampled_from(SCHEDULES)
_ids = st.sampled_from([None, None, "i1", "i2", "i3"])
_sizes = st.sampled_from([10, 10, 200])
_publishes = st.builds(Publish, _subjects, _ids, _sizes)
_expecting = st.builds(Publish, _subjects, _ids, _sizes, st.integers(0, 3))
_pulls = st.builds(Pull, _whichs, st.sampled_from([1, 2, 5]), st.sampled_from([EXPIRY, 2 + EXPIRY, 9 + EXPIRY]))
_words = st.sampled_from(["+ACK", "+ACK", "+TERM", "-NAK", "-NAK", "+WPI"])
_deliveries = st.sampled_from([0, 0, 1, 2, 4])
_answers = st.builds(Answer, _whichs, _deliveries, _words)
_late_naks = st.builds(Answer, _whichs, _deliveries, st.just("-NAK"), st.sampled_from([1 + NAK, 5 + NAK]))
_rare = (
    st.builds(Pause, _whichs, st.sampled_from([0, 2 + PAUSE, 4 + PAUSE])),
    st.builds(Crash),
    st.builds(Recreate, _whichs, st.sampled_from(["all", "new"])),
    st.builds(Purge, st.sampled_from([*SUBJECTS, "a.>", ">"])),
    st.builds(Remove, st.integers(1, 6)),
)
_usual = (
    _publishes,
    _publishes,
    _expecting,
    _pulls,
    _pulls,
    _answers,
    _answers,
    _late_naks,
    st.builds(Wait, st.integers(1, 4)),
)
_of_schedules = (
    st.builds(Schedule, st.sampled_from(SCHEDULES), st.sampled_from([-5, 1 + DUE, 3 + DUE, 6 + DUE]), _subjects, _ids),
    st.builds(Cancel, st.sampled_from(SCHEDULES), st.none() | _subjects),
)
_consumers = st.fixed_dictionaries(
    {
        "filter_subject": st.sampled_from(FILTERS),
        "ack_policy": st.just("explicit"),
        "ack_wait": st.sampled_from([nanoseconds(2 + ACK_WAIT), nanoseconds(6 + ACK_WAIT)]),
        "max_deliver": st.sampled_from([-1, -1, 1, 2, 3]),
        "max_ack_pending": st.sampled_from([1, 2, 1000, 1000]),
    }
)
_kept = {"storage": "file", "retention": "limits", "num_replicas": 1, "duplicate_window": nanoseconds(4.3)}
LIMITED: dict[str, Any] = {**_kept, "discard": "new"}
"""A stream that refuses what is new when it is full; its limit is still to be said."""
HOLDING: dict[str, Any] = {**_kept, "discard": "old", "allow_msg_schedules": True, "allow_rollup_hdrs": True}
"""A stream that holds schedules."""
_limits = st.sampled_from([{"max_msgs": 4}, {"max_bytes": 600}, {"max_bytes": 100_000}])


def _scripts(stream: dict[str, Any], *further: st.SearchStrategy[Any]) -> st.SearchStrategy[Script]:
    beginning = st.tuples(_publishes, _publishes, _pulls, _pulls)  # so that there is something to be answered
    steps = st.lists(st.one_of(*_usual, *_usual, *_usual, *_rare, *further), min_size=10, max_size=20)
    both = st.builds(lambda first, rest: (*first, *rest), beginning, steps)
    return st.builds(Script, st.just(stream), st.tuples(_consumers, _consumers), both)


def scripts() -> st.SearchStrategy[Script]:
    """Of a stream that refuses what is new when it is full, or of one that holds schedules."""
    limited = _limits.flatmap(lambda limit: _scripts({**LIMITED, **limit}))
    return limited | _scripts(HOLDING, *_of_schedules, *_of_schedules)
