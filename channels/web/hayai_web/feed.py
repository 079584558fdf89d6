"""Feed: the lines of one conversation, and the pieces of an answer in the making, on their way to one browser.

The transcript is the truth and is read again on every hint that it grew. Hints come over the bus and may be lost, so
it is read now and then without one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.channel import live_topic
from hayai.errors import TransientError
from hayai_web.frames import LineSaid, Piece

if TYPE_CHECKING:
    from hayai.ports.conversations import Line
    from hayai_web.desk import Desk
    from hayai_web.session import Session
    from hayai_web.wire import Wire

_log = logging.getLogger(__name__)
_PAGE = 100
"""Lines that are held at once for one socket."""
WHILE_WAITING = 5.0
"""Seconds between two unprompted looks while the customer waits for an answer."""
WHILE_IDLE = 60.0
_AFTER_A_FAILURE = 2.0


class Feed:
    """Sends each line behind `after` once, in order."""

    def __init__(self, wire: Wire, desk: Desk, session: Session, *, after: int, known: dict[str, str]) -> None:
        self._wire = wire
        self._desk = desk
        self._session = session
        self._sent = after
        self._known = known
        self._lines: list[Line] = []
        self._awaited = False
        self._hint = asyncio.Event()
        self._bringing = asyncio.Lock()

    async def catch_up(self) -> int:
        """Read the next lines, and how far they go: the position of the last. Raises Unavailable.

        What is behind the first page is read again when it is sent: a reader that is slow must not make us hold it all.
        """
        page = self._lines = self._lines or await self._page(self._sent)
        last = page[-1].position if page else self._sent
        while len(page) == _PAGE:
            page = await self._page(last)
            last = page[-1].position if page else last
        return last

    def look(self) -> None:
        """There may be a new line."""
        self._hint.set()

    async def run(self) -> None:
        """Send until the socket is gone."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            await self._follow()

    async def _follow(self) -> None:
        while True:
            self._hint.clear()
            try:
                await self._bring()
            except TransientError:
                await asyncio.sleep(_AFTER_A_FAILURE)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(WHILE_WAITING if self._awaited else WHILE_IDLE):
                    await self._hint.wait()

    async def _bring(self) -> None:
        """Send every line that there is. Raises Unavailable."""
        async with self._bringing:
            await self._send_lines()
            while lines := await self._page(self._sent):
                self._lines = lines
                await self._send_lines()

    async def _send_lines(self) -> None:
        while self._lines:
            line = self._lines.pop(0)
            self._sent = line.position
            self._awaited = line.speaker == "customer"
            await self._wire.send(
                LineSaid(
                    position=line.position,
                    id=line.id,
                    speaker=line.speaker,
                    text=line.text,
                    choices=line.choices,
                    at=line.at,
                    say=self._known.get(line.id),
                )
            )

    async def _listen(self) -> None:
        """Pass pieces on and take hints; where the bus is away, try again: the lines go on without it."""
        topic = live_topic(self._session.tenant, self._session.conversation)
        while True:
            try:
                async with self._desk.bus.listen(topic) as pieces:
                    self.look()  # whatever was said before we listened
                    async for piece in pieces:
                        await self._take(piece)
            except TransientError:
                _log.debug("The bus cannot be listened to just now; the transcript is read without it.")
            await asyncio.sleep(_AFTER_A_FAILURE)

    async def _take(self, piece: bytes) -> None:
        try:
            told = json.loads(piece)
        except ValueError:
            return
        if not (isinstance(told, dict) and told.get("kind") == "piece" and isinstance(told.get("text"), str)):
            self.look()
            return
        if not self._awaited:  # the first piece may be quicker than the question that it answers
            with suppress(TransientError):
                await self._bring()
        await self._wire.send(Piece(text=told["text"]))

    async def _page(self, after: int) -> list[Line]:
        session = self._session
        return await self._desk.tier.conversations.lines(session.tenant, session.conversation, after=after, limit=_PAGE)
