"""Expecting: an event is stored only where no other of its type and key has come since its publisher looked.

A single nats-server looks at the expectation before the id (a cluster does the reverse; 2.15.1), so an event whose
acknowledgement was lost is refused when it is sent again. It must then be the very next on its subject after what was
expected: nothing else could have made it be stored.
"""

from __future__ import annotations

from abc import abstractmethod
from time import perf_counter
from typing import TYPE_CHECKING

from hayai.bus.base import Bus
from hayai.bus.streams import event_subject, subject_of
from hayai.envelope import decode
from hayai.errors import Conflict, EnvelopeMalformed

if TYPE_CHECKING:
    from hayai.envelope import Envelope
    from hayai.event import Event


class ExpectingBus(Bus):
    """What both engines do about expectations; a subject is one that events are published on."""

    async def last(self, event: type[Event], *, tenant: str, key: str) -> int:
        """The place of the newest `event` of that key, for publish() to expect."""
        return await self.newest(event_subject(tenant, key, event.wire_type()))

    async def send_expected(self, envelope: Envelope, expected: int) -> None:
        """Store `envelope` unless another came after `expected`; once, however often this is called."""
        begun = perf_counter()
        try:
            await self.send_if(envelope, expected)
        except Conflict:
            if not _is(await self.after(subject_of(envelope), expected), envelope):
                raise
        self.meters.stored((envelope,), begun)

    @abstractmethod
    async def newest(self, subject: str) -> int:
        """The sequence of the newest event there; 0 where there is none. Raises Unavailable."""

    @abstractmethod
    async def after(self, subject: str, sequence: int) -> bytes | None:
        """The first event there behind `sequence`; None where there is none. Raises Unavailable."""

    @abstractmethod
    async def send_if(self, envelope: Envelope, expected: int) -> None:
        """Store `envelope` where `expected` is the newest. Raises Conflict, MessageTooLarge, Unavailable."""


def _is(body: bytes | None, envelope: Envelope) -> bool:
    """Whether `body` is that very event."""
    try:
        return body is not None and decode(body).id == envelope.id
    except EnvelopeMalformed:
        return False
