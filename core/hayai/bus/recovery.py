"""Recovery: how a consumer finds its place again after the server was away, or the place was lost there."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.bus.connection import Silent
from hayai.errors import HayaiError
from hayai.ledger.places import Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.connection import Connection
    from hayai.bus.durable import Durable
    from hayai.bus.hand import Hand
    from hayai.bus.received import Identity, NatsMessage

_log = logging.getLogger(__name__)
_PAUSE, _LONGEST_PAUSE = 0.25, 5.0


class Recovery:
    """Told of the server's absence, it does not end before the place is there again.

    `confirm` says whether the place is ours alone, for certain; `recreated` is told behind which sequence a lost one
    goes on; `elsewhere` that it goes on in another stream.
    """

    def __init__(
        self,
        connection: Connection,
        durable: Durable,
        hand: Hand,
        *,
        confirm: Callable[[], Awaitable[bool]],
        recreated: Callable[[int], None],
        elsewhere: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._durable = durable
        self._hand = hand
        self._confirm = confirm
        self._recreated = recreated
        self._moved = elsewhere
        self._hasten = asyncio.Event()
        self._elsewhere: set[Identity] = set()
        """What is held of a stream that is gone: its sequences say nothing about the one that took its place."""
        self.is_on = False
        self.reached = 0
        """The sequence up to which all was handled at the start."""
        self.latest: NatsMessage | None = None

    def hasten(self) -> None:
        """The server is there again: it need not be waited for any longer."""
        self._hasten.set()

    async def run(self) -> None:
        """Find the consumer again or make it again, however long that takes."""
        pause, recovered = _PAUSE, False
        while not recovered:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hasten.wait()
            self._hasten.clear()
            pause = min(2 * pause, _LONGEST_PAUSE)
            recovered = await self._try()
        self.is_on = False

    async def _try(self) -> bool:
        try:
            if not await self._is_there():
                self._recreated(await self._recreate())
        except HayaiError as wrong:
            _log.warning("The consumer %s is lost and cannot be had back yet: %s", self._durable.name, wrong)
            if isinstance(wrong, Silent) and self._connection.is_ready:
                await self._connection.renew()
            return False
        return True

    async def _is_there(self) -> bool:
        """Whether the server has our place; with what was lost on its way to us to come first. Raises Unavailable."""
        if await self._confirm():
            return await self._durable.catch_up(self._hand.count_up_to)
        return await self._durable.exists()

    async def _recreate(self) -> int:
        """Make the lost consumer again; the sequence behind which it goes on. Raises Unavailable."""
        wanted = self._handled_up_to()
        after = await self._durable.recreate(wanted)
        if after < wanted:  # in another stream
            self._elsewhere.update(self._hand.held)
            self._hand.drop_parked()
            self.reached, self.latest = after, None
            self._moved()
        return after

    def place(self) -> Place | None:
        """Up to where nothing is left to do; None while the place is looked for."""
        return None if self.is_on else Place(self._durable.born, self._handled_up_to())

    def _handled_up_to(self) -> int:
        """The sequence up to which nothing is left to do here."""
        reached = max(self.reached, self.latest.sequence if self.latest else 0)
        return self._hand.lowest(self._elsewhere, default=reached + 1) - 1
