"""Received: a message as the server handed it over, and the subject on which it wants to hear what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.bus.base import UNKNOWN
from hayai.bus.message import Message
from hayai.bus.streams import address_of
from hayai.errors import KeyNotOpaque
from hayai.tokens import known_token, token

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hayai.bus.consumer import Consumer
    from hayai.bus.inbox import Raw

ACK, NAK, IN_PROGRESS = b"+ACK", b"-NAK", b"+WPI"
_SHORT_REPLY = 9

Identity = tuple[str, str]
"""A message's place in its stream and its time: a stream that was made anew uses the places again, not the times."""


class NatsMessage(Message):
    """A message and the subject on which the server wants to hear what became of it.

    The subject (NATS ADR-15) ends in delivered.sequence.consumer-sequence.time.pending, and a random word behind these
    where it begins with a domain and an account.
    """

    def __init__(self, consumer: Consumer, raw: Raw) -> None:
        words = raw.reply.split(".")
        if len(words) > _SHORT_REPLY:
            del words[2:4]
        address = address_of(raw.subject)
        super().__init__(address, raw.data, sequence=int(words[5]), delivered=int(words[4]))
        self.identity: Identity = words[5], words[7]
        self.reply = raw.reply
        self.fence = consumer.fence
        self.inherited = self.sequence <= consumer.inherited
        if not consumer.ordered:
            self.lane = address.tenant, f"{words[5]}.{words[7]}"  # its own
        self._raw = raw
        self._consumer = consumer

    def claimed(self) -> tuple[str, str]:
        """Whose it is and its id, unread, from what the server keeps beside it.

        The id is empty where it keeps none, or one that none of ours can be: the database might not even take it.
        """
        claimed = self.address.tenant, (self._raw.headers or {}).get("Nats-Msg-Id", "")
        try:
            known_token(claimed[0], "tenant")
            token(claimed[1], what="event id")
        except KeyNotOpaque:
            return UNKNOWN, ""
        return claimed

    def resume(self, again: float | None) -> None:
        """Go on with its lane: None when it is settled, else the seconds until its next try."""
        self._consumer.resume(self, again)

    def ack(self) -> Coroutine[None, None, None]:
        """Tell the server that it is done with."""
        return self._consumer.settle(self, ACK)

    def give_back(self) -> Coroutine[None, None, None]:
        """Tell the server to hand it out again now."""
        return self._consumer.settle(self, NAK)
