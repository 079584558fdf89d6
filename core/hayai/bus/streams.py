"""Streams: which there are, how each is configured, and which subject an event travels on; declared here alone.

| stream      | subjects                                 | holds                                    |
|-------------|------------------------------------------|------------------------------------------|
| EVENTS      | ev.P.TENANT.KEY.noun.verbed.vN           | every event                              |
| DEADLETTERS | dead.P.TENANT.KEY.event.deadlettered.vN  | one event for each that was given up     |
| SCHEDULES   | at.TENANT.SCHEDULE                       | an event that is not due yet             |
|             | due.TENANT.KEY.noun.verbed.vN            | what became due; EVENTS draws it in      |

An event is published without the P: the server puts it there, the partition of its tenant and key. All events of a key
are in one partition, so that one process at a time can have them all.

EVENTS and DEADLETTERS keep what they hold until it is too old, and refuse what is new when they are full: nothing is
dropped unread. A stream that refuses so cannot hold schedules (the server's rule), so these have one without a limit
of bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hayai.envelope import encode
from hayai.errors import EnvelopeMalformed
from hayai.ledger.outcome import Outgoing
from hayai.tokens import token
from hayai.vocabulary.operations import DeadLettered

if TYPE_CHECKING:
    from hayai.envelope import Envelope

NANOSECONDS = 1_000_000_000
_WIRE_TYPE = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)+\.v[1-9][0-9]*\Z")
_PREFIX_TOKENS = 4
_KNOWN = 16_384
"""Of how many subjects the words are remembered: a talk's next event has the same."""


@dataclass(frozen=True)
class Stream:
    """One stream's name and the first token of its subjects."""

    name: str
    prefix: str


EVENTS = Stream("EVENTS", "ev")
DEADLETTERS = Stream("DEADLETTERS", "dead")
SCHEDULES = "SCHEDULES"
_SOURCES = {EVENTS.name: [{"name": SCHEDULES, "subject_transforms": [{"src": "due.>", "dest": "ev.>"}]}]}
"""The server puts the partition into what it draws in, as into what is published."""


@dataclass(frozen=True)
class Address:
    """What a subject says of the event that travels on it."""

    stream: str
    partition: int
    tenant: str
    key: str
    type: str
    """The wire type, `noun.verbed.vN`."""

    lane: tuple[str, str]
    """Events of one lane are handled one at a time, in order."""


def stream_of(name: str) -> Stream:
    """The stream that holds events called `name` (`noun.verbed`)."""
    return DEADLETTERS if name == DeadLettered.type else EVENTS


def subject_of(envelope: Envelope) -> str:
    """The subject that `envelope` is published on; the stream adds the partition.

    Raises KeyNotOpaque where tenant, key, conversation or id is no opaque token, EnvelopeMalformed where the type is
    no `noun.verbed.vN`.
    """
    token(envelope.id, what="event id")
    if envelope.conversation is not None and envelope.conversation != envelope.subject:
        token(envelope.conversation, what="conversation")
    return event_subject(envelope.tenant, envelope.subject, envelope.type)


@lru_cache(_KNOWN)
def event_subject(tenant: str, key: str, wire_type: str) -> str:
    """The subject on which events of that type, tenant and key are published. Raises what subject_of() does."""
    tenant, key = token(tenant, what="tenant"), token(key, what="ordering key")
    if _WIRE_TYPE.match(wire_type) is None:
        raise EnvelopeMalformed("The envelope's type is no noun.verbed.vN: publish an hayai.event.Event.")
    return f"{stream_of(wire_type.rpartition('.')[0]).prefix}.{tenant}.{key}.{wire_type}"


def stored_on(subject: str) -> str:
    """The filter for what was published on `subject`: the partition that the stream put into it may be any."""
    prefix, _, rest = subject.partition(".")
    return f"{prefix}.*.{rest}"


def outgoing(envelope: Envelope) -> Outgoing:
    """`envelope` as it is published. Raises KeyNotOpaque, EnvelopeMalformed."""
    return Outgoing(envelope.id, subject_of(envelope), envelope.type, encode(envelope))


@lru_cache(_KNOWN)
def address_of(subject: str) -> Address:
    """What the `subject` of a stored event says; one that is none of ours gives words that match no envelope."""
    prefix, partition, tenant, key, wire_type, *_ = (*subject.split(".", _PREFIX_TOKENS), "", "", "", "")
    stream = (DEADLETTERS if prefix == DEADLETTERS.prefix else EVENTS).name
    return Address(stream, int(partition) if partition.isdecimal() else 0, tenant, key, wire_type, lane=(tenant, key))


def filter_of(name: str, partition: int) -> str:
    """The subjects of every version of the event called `name` in one partition, of every tenant and key."""
    return f"{stream_of(name).prefix}.{partition}.*.*.{name}.*"


def filter_matches(name: str, address: Address) -> bool:
    """Whether what travels at `address` passes filter_of(name, address.partition)."""
    return address.stream == stream_of(name).name and address.type.rpartition(".")[0] == name


def configuration(
    stream: Stream, *, partitions: int, replicas: int, max_bytes: int, max_age: float, window: float
) -> dict[str, Any]:
    """The stream as JetStream's API wants it; `max_age` and the duplicate `window` in seconds.

    Discarding what is new when the stream is full makes the publisher wait; discarding what is old would lose
    acknowledged events that no handler has seen.
    """
    return {
        "name": stream.name,
        "subjects": [f"{stream.prefix}.>"],
        "subject_transform": {
            "src": f"{stream.prefix}.*.*.>",
            "dest": f"{stream.prefix}.{{{{partition({partitions},1,2)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}.>",
        },
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "num_replicas": replicas,
        "max_bytes": max_bytes,
        "max_age": int(max_age * NANOSECONDS),
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "duplicate_window": int(window * NANOSECONDS),
        "allow_direct": True,
        "allow_atomic": True,
        "allow_batched": True,
        "sources": _SOURCES.get(stream.name, []),
    }


def schedules_configuration(*, replicas: int, max_age: float, window: float) -> dict[str, Any]:
    """The stream of schedules as JetStream's API wants it; `max_age` and the duplicate `window` in seconds."""
    return {
        "name": SCHEDULES,
        "subjects": ["at.>", "due.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": replicas,
        "max_bytes": -1,
        "max_age": int(max_age * NANOSECONDS),
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "duplicate_window": int(window * NANOSECONDS),
        "allow_msg_schedules": True,
        "allow_rollup_hdrs": True,
    }


_PROMISES = (
    "subjects",
    "subject_transform",
    "storage",
    "retention",
    "discard",
    "num_replicas",
    "max_msgs",
    "max_msgs_per_subject",
    "allow_atomic",
    "sources",
    "allow_msg_schedules",
    "allow_rollup_hdrs",
)
_LIMITS = ("max_bytes", "max_age", "duplicate_window")
_UNSAFE = {"no_ack": False, "sealed": False, "persist_mode": "default"}


def broken_promises(declared: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Where the stream on the server keeps less than this release promises, as words; empty when it is sound."""
    told = [
        f"{name} {found.get(name)!r} instead of {declared.get(name)!r}"
        for name in _PROMISES
        if _differs(name, declared, found)
    ]
    unsafe = {name: found.get(name) or safe for name, safe in _UNSAFE.items()}
    return told + [f"{name} {unsafe[name]!r}" for name, safe in _UNSAFE.items() if unsafe[name] != safe]


def other_limits(declared: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Where the limits on the server are others than the settings', as words: an operator may have raised them."""
    return [
        f"{name} {found.get(name)!r} instead of {declared[name]!r}"
        for name in _LIMITS
        if _differs(name, declared, found)
    ]


def _differs(name: str, declared: dict[str, Any], found: dict[str, Any]) -> bool:
    return bool((found.get(name) or None) != (declared.get(name) or None))  # the server leaves out what is empty
