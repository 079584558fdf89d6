"""Pull: a standing request to one consumer for as many messages as there is room for.

The requests are CONSUMER.MSG.NEXT on core NATS, and the messages come to an inbox of our own (nats-py's
`PullSubscription.fetch` stalls after idle times, its issues 933 and 986). What ends a request is told by a status; what
ends it silently (a reconnection, a server that hangs) is told by heartbeats that do not come.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from hayai.bus.streams import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sized

    from hayai.bus.connection import Connection
    from hayai.bus.inbox import Inbox, Raw

_log = logging.getLogger(__name__)
_EXPIRES_SECONDS = 30.0
_HEARD_SECONDS = 5.0
_PAUSE = 0.5
_MISSED_HEARTBEATS = 2
_LOST = ("Deleted", "Leadership Change", "Server Shutdown")
_HEARTBEAT, _NONE_YET, _TIMED_OUT, _CONFLICT, _NO_RESPONDER = "100", "404", "408", "409", "503"


class Pull:
    """Asks while it is open; `take` is given each message, `lost` is called when the consumer does not answer.

    `held` is what is in hand; `window` is the most that it may ever hold. Nothing is asked for while `is_ours` says no.
    """

    def __init__(
        self,
        connection: Connection,
        place: tuple[str, str],
        *,
        window: int,
        heartbeat: float,
        held: Sized,
        take: Callable[[Raw], None],
        lost: Callable[[], None],
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connection = connection
        self._next = "$JS.API.CONSUMER.MSG.NEXT.{}.{}".format(*place)
        self._window = window
        self._worthwhile = window // 2
        self._heartbeat = heartbeat
        self._held, self._is_ours, self._take, self._lost = held, is_ours, take, lost
        self._taking = take
        self._inbox: Inbox | None = None
        self._prefix = ""
        self._round = 0
        self._asked = 0
        self._heard = True
        self._open = False
        self.is_holding = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the inbox and ask."""
        self._open = True
        self._prefix = self._connection.new_inbox()
        self._inbox = await self._connection.take(f"{self._prefix}.*", self._receive)
        if not self._open:  # closed in the meantime
            await self._inbox.close()
            return
        self._start(self._listen_for_silence())
        self.again()

    async def close(self) -> None:
        """Ask no more; what the server has sent already is still taken before this returns."""
        self._open = False
        for task in self._tasks:
            task.cancel()
        if self._inbox is not None:
            await self._inbox.close()

    async def is_heard(self) -> bool:
        """Whether the server has come to all our requests: it takes them in turn, and one that is none it refuses."""
        return await self._connection.ask(self._next, b"{", headers={}, seconds=_HEARD_SECONDS) is not None

    def hold(self, *, deaf: bool) -> None:
        """Ask no more until again() is called; what comes all the same is not taken where that is `deaf`."""
        self.is_holding = True
        if deaf:
            self._take = _leave

    def again(self) -> None:
        """Forget what was asked for, and ask anew: the server has."""
        self.is_holding, self._take = False, self._taking
        self._round += 1
        self._asked = 0
        self.ask()

    def made_room(self) -> None:
        """Something in hand was let go: ask, once it pays."""
        if not self._asked or self._asked + len(self._held) <= self._worthwhile:
            self.ask()

    def ask(self) -> None:
        """Ask for what there is room for, once that is half the window or nothing is on its way."""
        room = self._window - len(self._held) - self._asked
        if not self._open or not self._connection.is_ready or room <= 0 or (self._asked and room < self._window // 2):
            return
        if not self.is_holding and self._is_ours():
            self._asked += room
            self._heard = True
            self._start(self._request(room))

    async def _request(self, batch: int) -> None:
        request = {
            "batch": batch,
            "expires": int(_EXPIRES_SECONDS * NANOSECONDS),
            "idle_heartbeat": int(self._heartbeat * NANOSECONDS),
        }
        await self._connection.post(self._next, json.dumps(request).encode(), reply=f"{self._prefix}.{self._round}")

    def _receive(self, message: Raw) -> None:
        self._heard = True
        if message.reply:
            if self._asked:
                self._asked -= 1
            self._take(message)
            if not self._asked:
                self.ask()
        elif message.subject == f"{self._prefix}.{self._round}":
            self._heed(message.headers or {})

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Do what a status asks for."""
        status, told = headers.get("Status", ""), headers.get("Description", "")
        if status == _HEARTBEAT:
            return
        if status == _NO_RESPONDER or (status == _CONFLICT and told.endswith(_LOST)):
            self._asked = 0
            self._lost()
        elif status in {_NONE_YET, _TIMED_OUT}:
            self._asked = max(0, self._asked - int(headers.get("Nats-Pending-Messages", self._asked)))
            self.ask()
        else:
            _log.info("A pull request ended with %s %s; it is asked again.", status, told)
            self._start(self._soon_again())

    async def _soon_again(self) -> None:
        await asyncio.sleep(_PAUSE)
        self.again()

    async def _listen_for_silence(self) -> None:
        silences = 0
        while True:
            await asyncio.sleep(self._heartbeat)
            silences = 0 if self._heard else silences + 1
            self._heard = False
            if not self._asked:
                self.ask()  # it was not ours for a moment
            elif self._connection.is_ready and silences >= _MISSED_HEARTBEATS:
                self._lost()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _leave(message: Raw) -> None:
    """The server is asked for it again."""
    del message
