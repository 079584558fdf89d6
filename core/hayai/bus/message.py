"""Message: one event on its way to one handler, whichever engine brought it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import deque

    from hayai.bus.streams import Address
    from hayai.envelope import Envelope


class Message(ABC):
    """What a stream handed over, and how far its handler has come with it."""

    def __init__(self, address: Address, body: bytes, *, sequence: int, delivered: int) -> None:
        self.address = address
        self.body = body
        self.sequence = sequence
        """Its place in the stream `address.stream`."""
        self.delivered = delivered
        """How often it was handed over so far, this time included, to whichever process."""
        self.attempt = max(1, delivered)
        """The try that is on, or comes next; 1 is the first."""
        self.defects = 0
        """How many tries in this process ended with a defect of the handler."""
        self.outbox: deque[Envelope] | None = None
        """What must be stored before this may be acknowledged; None until the handler's outcome stands."""
        self.given_up = False
        """The outbox holds the dead letter."""
        self.broken_off = 0
        """How often its handler was cancelled in this process."""
        self.deferred = 0
        """How often the outbox could not be stored."""

    @property
    def lane(self) -> str:
        """Events of one lane are handled one at a time, in order."""
        return f"{self.address.tenant}.{self.address.key}"

    @abstractmethod
    async def ack(self) -> None:
        """It is done with; never raises: an acknowledgement that is lost means another delivery."""

    @abstractmethod
    async def give_back(self) -> None:
        """Somebody else may have it, now; never raises."""
