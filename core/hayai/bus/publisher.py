"""Publisher: an event is sent, with the same id, until the stream acknowledges it or the deadline has passed."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from typing import TYPE_CHECKING

from hayai.bus.conflicts import EXPECTED, UNDECIDED, WRONG_LAST, conflict
from hayai.bus.jetstream import refusal
from hayai.errors import MessageTooLarge, Unavailable

if TYPE_CHECKING:
    from hayai.bus.connection import Connection
    from hayai.bus.inbox import Raw
    from hayai.bus.jetstream import Refused

_ACK_SECONDS = 5.0
_PAUSE = 0.25
_TOO_LARGE = 10054  # JSStreamMessageExceedsMaximumErr
_FULL = frozenset({10023, 10047, 10077})  # insufficient resources; storage exceeded; store failed: a limit was reached
_HEADER_BYTES = len(b"NATS/1.0\r\nNats-Msg-Id: \r\n\r\n")
_EXPECTED_BYTES = len(f"{EXPECTED}: {2**64}\r\n")
_STORED = b'{"stream":'
_WINDOW = 1024
"""The most events of one process that wait for their acknowledgement at once; whoever publishes more waits."""


class Publisher:
    """Many events at once over one inbox; the acknowledgements are told apart by a number in the reply's subject."""

    def __init__(self, connection: Connection, *, deadline: float) -> None:
        self._connection = connection
        self.deadline = deadline
        """How many seconds an event waits for its acknowledgement."""
        self._patience = min(_ACK_SECONDS, deadline)
        self._prefix = ""
        self._number = 0
        self.is_silent = False
        """The server is connected, and let the last event go unacknowledged for seconds."""
        self._under_way = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._waiting: dict[str, asyncio.Future[bytes | None]] = {}
        self._looked_at: list[str] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        connection.watch(self._lost, self._found)

    async def start(self) -> None:
        """Open the inbox of the acknowledgements."""
        self._loop = asyncio.get_running_loop()
        self._prefix = self._connection.new_inbox()
        await self._connection.take(f"{self._prefix}.*", self._receive)

    async def send(
        self,
        subject: str,
        body: bytes,
        *,
        id: str,  # noqa: A002 - CloudEvents' word
        what: str,
        expected: int | None = None,
        until: float | None = None,
    ) -> None:
        """Return once the server has acknowledged `body`; `what` names it in a sentence, `until` the last instant.

        Waits its turn while as many are under way as one connection should carry. Raises MessageTooLarge, Unavailable
        at the deadline or at once where the server has no room, or Conflict where the newest event on `subject` is not
        the one at `expected`; that may be this very one, if it was sent before.
        """
        headers = {"Nats-Msg-Id": id}
        if expected is None:
            self.fits(body, id=id, what=what)
        else:
            headers[EXPECTED] = str(expected)
            self.fits(body, id=id, what=what, further=_EXPECTED_BYTES)
        until = until or self._loop.time() + self.deadline
        if self._under_way >= _WINDOW:
            await self._turn(until)
        if not self._connection.is_ready:
            await self._connection.ready(until)
        self._under_way += 1
        try:
            while not await self._stored(subject, body, headers, what):
                await asyncio.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - spreads load, guards no secret
                if self._loop.time() >= until:
                    raise self.silence()
                await self._connection.ready(until)
        finally:
            self._under_way -= 1
            if self._queue:
                self._next()

    async def _turn(self, until: float) -> None:
        """Wait until one of those under way is done. Raises Unavailable at `until`."""
        place = self._loop.create_future()
        self._queue.append(place)
        try:
            async with asyncio.timeout_at(until):
                await place
        except TimeoutError:
            raise self.silence() from None

    def _next(self) -> None:
        """Let the first who waits for a turn go on."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return

    def silence(self) -> Unavailable:
        """The sentence for a server that is there and acknowledges nothing."""
        return Unavailable(
            f"The NATS server at {self._connection.server} is there and acknowledges nothing: if its log says that no "
            "space is left on its disk, free some and restart it (it writes no more until then), else see that it runs "
            "with JetStream on; then publish again with the same id."
        )

    async def _stored(self, subject: str, body: bytes, headers: dict[str, str], what: str) -> bool:
        """Whether the stream has it now; False where nobody answered and the same should be sent again."""
        self._number += 1
        reply = f"{self._prefix}.{self._number}"
        answer: asyncio.Future[bytes | None] = self._loop.create_future()
        self._waiting[reply] = answer
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._patience / 2, self._look)
        try:
            await self._connection.post(subject, body, reply=reply, headers=headers)
            told = await answer
        finally:
            del self._waiting[reply]
        if told is not None and told.startswith(_STORED):
            self.is_silent = False
            return True
        if told:
            self._refused(told, what)
        return False

    def _look(self) -> None:
        """Give up on the answers that were waited for at the last look already: the server is silent."""
        self._sweep = self._loop.call_later(self._patience / 2, self._look) if self._waiting else None
        for reply in self._looked_at:
            if (answer := self._waiting.get(reply)) is not None and not answer.done():
                self.is_silent = self._connection.is_ready
                answer.set_result(None)
        self._looked_at = list(self._waiting)

    def _refused(self, answer: bytes, what: str) -> None:
        told = json.loads(answer)
        if "error" in told and (wrong := refusal(told["error"])).code != UNDECIDED:
            raise self._told(wrong, what)

    def _told(self, wrong: Refused, what: str) -> Exception:
        if wrong.code == _TOO_LARGE:
            return MessageTooLarge(f"{what} has more bytes than its stream takes: keep large content elsewhere.")
        if wrong.code == WRONG_LAST:
            return conflict(what)
        if wrong.code in _FULL:
            return Unavailable(
                f"The bus has no room for {what} ({wrong}): free space on the NATS server's disk, or raise the "
                "stream's max_bytes (`nats stream edit`, and [bus] in the tier file); then publish it again."
            )
        return Unavailable(f"The bus did not take {what} ({wrong}): publish it again with the same id.")

    def fits(self, body: bytes, *, id: str, what: str, further: int = 0) -> None:  # noqa: A002 - CloudEvents' word
        """Raises MessageTooLarge where the server would not take `body`, its id and `further` bytes of headers."""
        size = _HEADER_BYTES + len(id) + further + len(body)
        if size > self._connection.max_payload:
            raise MessageTooLarge(
                f"{what} has {size} bytes and the bus carries {self._connection.max_payload}: keep large content "
                "elsewhere and publish where it is."
            )

    def _receive(self, message: Raw) -> None:
        answer = self._waiting.get(message.subject)
        if answer is not None and not answer.done():
            answer.set_result(message.data)

    def _found(self) -> None:
        """Another connection, and perhaps another server: nothing is known against it."""
        self.is_silent = False

    def _lost(self) -> None:
        """What was under way on the lost connection is sent again at once, with its id, on the next one."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)
