"""Member: one memory bus at work for one handler: what it was handed, until it is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.bus.message import Message
from hayai.bus.streams import address_of
from hayai.bus.twin.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.memory_log import Log
    from hayai.bus.twin.consumer import TwinConsumer
    from hayai.bus.twin.requests import Handed

_WINDOW = 512
"""The most messages in hand."""


class Member:
    """Asks for messages from enter() to leave(); `take` is given each, once however often it is handed over."""

    def __init__(self, log: Log, place: TwinConsumer, take: Callable[[MemoryMessage], None]) -> None:
        self.held: dict[int, MemoryMessage] = {}
        self._log = log
        self._place = place
        self._take = take
        self._request = Request(self._receive, 0)

    def enter(self) -> None:
        """Begin to ask."""
        self._log.enter(self)
        self._ask()

    def leave(self) -> None:
        """Ask no more; what is held may still be settled."""
        self._request.is_heard = False

    def die(self) -> None:
        """As a process that is killed: nothing that was held will be heard of again."""
        self.leave()
        self.held.clear()
        self._log.leave(self)

    def beat(self, now: float) -> None:
        """Say that what is held is worked on."""
        for message in self.held.values():
            self._place.at_work(message.handed, now)

    def ack(self, message: MemoryMessage) -> None:
        """It is done with."""
        if self._let_go(message):
            self._place.ack(message.handed)
            self._settled()

    def give_back(self, message: MemoryMessage) -> None:
        """Somebody else may have it."""
        if self._let_go(message):
            self._place.nak(message.handed)
            self._settled()

    def _let_go(self, message: MemoryMessage) -> bool:
        return self.held.pop(message.sequence, None) is not None

    def _settled(self) -> None:
        if self._request.is_heard and not self._request.left:
            self._ask()
        if not self.held:
            self._log.stir()

    def _ask(self) -> None:
        self._request = Request(self._receive, _WINDOW - len(self.held))
        self._place.ask(self._request)

    def _receive(self, handed: Handed) -> None:
        held = self.held.get(handed.message.sequence)
        if held is not None:
            held.handed = handed  # the server waits for the newest delivery's answer
            return
        message = self.held[handed.message.sequence] = MemoryMessage(self, handed)
        self._log.idle.clear()
        self._take(message)


class MemoryMessage(Message):
    """A message in the hands of one member."""

    def __init__(self, member: Member, handed: Handed) -> None:
        stored = handed.message
        super().__init__(address_of(stored.subject), stored.body, sequence=stored.sequence, delivered=handed.count)
        self.handed = handed
        self._member = member

    def resume(self, again: float | None) -> None:
        """Never parked: this bus has no ledger."""
        del again

    async def ack(self) -> None:
        """It is done with."""
        self._member.ack(self)

    async def give_back(self) -> None:
        """Have it handed out again now."""
        self._member.give_back(self)
