"""Message: one event on its way to one handler, whichever engine brought it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Coroutine

    from hayai.bus.streams import Address
    from hayai.envelope import Envelope
    from hayai.ledger.outcome import Fence


class Message(ABC):
    """What a stream handed over, and how far its handler has come with it."""

    defects = 0
    """How many tries in this process ended with a defect of the handler."""
    outbox: deque[Envelope] | None = None
    """What must be stored before this may be acknowledged; None until the handler's outcome stands."""
    given_up = False
    """The outbox holds the dead letter."""
    broken_off = 0
    """How often its handler was cancelled in this process."""
    deferred = 0
    """How often the outbox could not be stored."""
    committed = False
    """The ledger has its outcome: nothing is left but the acknowledgement."""
    id: str = ""
    """The event's id, once it is read."""
    inherited = False
    """It may have been in the hands of a process that died."""
    counted = False
    """This process is among those that began with it after one had died."""
    fence: Fence | None = None
    """The lease under which it is handled."""

    def __init__(self, address: Address, body: bytes, *, sequence: int, delivered: int) -> None:
        self.address = address
        self.body = body
        self.sequence = sequence
        """Its place in the stream `address.stream`."""
        self.delivered = delivered
        """How often it was handed over so far, this time included, to whichever process."""
        self.attempt = delivered or 1
        """The try that is on, or comes next; 1 is the first."""
        self.lane = address.lane
        """Events of one lane are handled one at a time, in order."""

    @abstractmethod
    def resume(self, again: float | None) -> None:
        """Go on with its lane: None when it is settled, else the seconds until its next try."""

    @abstractmethod
    def ack(self) -> Coroutine[None, None, None]:
        """It is done with; never raises: an acknowledgement that is lost means another delivery."""

    @abstractmethod
    def give_back(self) -> Coroutine[None, None, None]:
        """Somebody else may have it, now; never raises."""
