"""Advisories: what the server gives up without us becomes a dead letter too, instead of going unsaid.

No consumer of ours has a last delivery, so the server gives nothing up by itself. It does where somebody else
terminates an event (+TERM) or edits a consumer, and says so once, to whoever listens just then. A small stream keeps
that until one of us has written the letter.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from hayai.bus.ground import ensure
from hayai.bus.letter import dead_letter, tenant_of
from hayai.bus.streams import EVENTS, NANOSECONDS, Stream, address_of, filter_of
from hayai.envelope import decode
from hayai.errors import EnvelopeMalformed, GivenUp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hayai.bus.nats import NatsBus
    from hayai.bus.streams import Address
    from hayai.bus.tap import Taken
    from hayai.ledger.ledger import Ledger

ADVISORIES = Stream("ADVISORIES", "$JS.EVENT.ADVISORY.CONSUMER")
NAME = "dead_letters"
"""The consumer on the server that keeps the place."""
_TERMINATED = "io.nats.jetstream.advisory.v1.terminated"
_KINDS = ("MAX_DELIVERIES", "MSG_TERMINATED")
_MAX_AGE = 7 * 86_400
_MAX_BYTES = 16 * 1024 * 1024

_log = logging.getLogger(__name__)


class Abandoned(NamedTuple):
    """An event that the server hands out no more, as `dead_letter` wants it."""

    address: Address
    body: bytes
    sequence: int
    attempt: int


class Advisories:
    """Writes the letters from start() to stop(); several processes share the work.

    `versions` are the handlers' by their names. An event that the `ledger` has an outcome of needs no letter.
    """

    def __init__(self, bus: NatsBus, *, versions: Mapping[str, str], ledger: Ledger | None = None) -> None:
        self._bus = bus
        self._versions = versions
        self._ledger = ledger
        self._tap = bus.tap(ADVISORIES, NAME, self._take)

    async def start(self) -> None:
        """Make the stream where it is missing, and go on where it was left. Raises Unavailable."""
        events = await self._bus.jetstream.stream(EVENTS.name)
        replicas = events["config"]["num_replicas"] if events else 1
        await ensure(self._bus.jetstream, [_configuration(replicas)])
        await self._tap.start()

    async def stop(self) -> None:
        """Stop; what was not written yet is written the next time."""
        await self._tap.stop()

    async def _take(self, several: Sequence[Taken]) -> None:
        for each in several:
            try:
                await self._tell(json.loads(each.document))
            except (ValueError, KeyError) as wrong:
                _log.warning("%s %d is no advisory: %s.", ADVISORIES.name, each.sequence, type(wrong).__name__)

    async def _tell(self, told: dict[str, Any]) -> None:
        """Write the letter that an advisory asks for. Raises Unavailable, ValueError, KeyError."""
        sequence, consumer = int(told["stream_seq"]), str(told["consumer"])
        found = await self._bus.jetstream.message(EVENTS.name, sequence)
        if found is None:
            _log.warning("The server gave up %s %d for %s, and it is gone.", EVENTS.name, sequence, consumer)
            return
        abandoned = Abandoned(address_of(found[0]), found[1], sequence, int(told.get("deliveries", 1)))
        handler = await self._handler(consumer, abandoned.address)
        if handler is None or await self._is_done(handler, abandoned):
            return
        _log.warning("The server gave up %s %d for %s; it becomes a dead letter.", EVENTS.name, sequence, handler)
        version, codec, clock = self._versions.get(handler, ""), self._bus.codec, self._bus.clock
        wrong = GivenUp(_explained(told))
        await self._bus.send(dead_letter(abandoned, wrong, handler, version=version, codec=codec, clock=clock))

    async def _handler(self, consumer: str, address: Address) -> str | None:
        """The handler whose consumer that is, in the partition of such an event; None where it is none of ours."""
        handler, _, partition = consumer.rpartition("_")
        found = await self._bus.jetstream.consumer(EVENTS.name, consumer)
        if found is None or partition != str(address.partition):
            return None
        name = address.type.rpartition(".")[0]
        return handler if found["config"].get("filter_subject") == filter_of(name, address.partition) else None

    async def _is_done(self, handler: str, abandoned: Abandoned) -> bool:
        """Whether the ledger has an outcome all the same: our acknowledgement came too late. Raises Unavailable."""
        if self._ledger is None:
            return False
        try:
            event = decode(abandoned.body).id
        except EnvelopeMalformed:
            return False
        return bool(await self._ledger.seen(handler, [(tenant_of(abandoned), event)]))


def _explained(told: Mapping[str, Any]) -> str:
    if told.get("type") == _TERMINATED:
        what = "Somebody terminated it on the server (+TERM)"
    else:
        what = f"The server handed it out {told.get('deliveries', 1)} times, as often as its consumer was edited to"
    return f"{what}: see who did so, and publish the event again if it is still wanted."


def _configuration(replicas: int) -> dict[str, Any]:
    """What is old goes: nobody is held up by what nobody reads."""
    return {
        "name": ADVISORIES.name,
        "subjects": [f"{ADVISORIES.prefix}.{kind}.{EVENTS.name}.*" for kind in _KINDS],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": replicas,
        "max_bytes": _MAX_BYTES,
        "max_age": _MAX_AGE * NANOSECONDS,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "duplicate_window": 120 * NANOSECONDS,
    }
