"""Express: nats-py's client with a shorter way for the few things that happen for each event.

What nats-py does for a message takes it through a regular expression, coroutines, a queue and another task. Here it
goes from the bytes that were read to whoever takes it in one call, and its headers are parsed only where somebody asks
for them; what is sent goes into the line of what waits to be written in one step. All else, from the handshake to the
reconnection, is nats-py's own; what goes this way is not in its `stats`.

This leans on inner parts of nats-py: of the release that was tested, and of no other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from nats.aio.client import Client, __version__
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from hayai.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from nats.aio.subscription import Subscription

TESTED = "2.16.0"
"""The release of nats-py whose inner parts this knows."""

_ID = "Nats-Msg-Id"
_END = b"\r\n"
_HEADED = b"HMSG"
_MESSAGES = frozenset({b"MSG", _HEADED})
_UNANSWERED = 3
"""The words before the sizes of a message that waits for no answer."""


def refuse_untested() -> None:
    """Raises SettingsError where another nats-py is installed than the tested one."""
    if __version__ != TESTED:
        raise SettingsError(
            f"`express` under [bus] needs nats-py {TESTED}, and {__version__} is installed: install hayai[fast], or "
            "take `express` out of the tier file."
        )


class Express(Client):
    """A client that hands messages over as it reads them, and has a line into which to put what is to be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.takers: dict[bytes, Callable[[Taken], None]] = {}
        """Who takes the messages of a subscription, by its number on the wire."""
        self._ps = ExpressParser(self)

    def hand_over(self, subscription: Subscription, take: Callable[[Taken], None]) -> None:
        """From now on `take` is called with each of its messages at once; it must not wait for anything."""
        self.takers[_named(subscription._id)] = take  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        self.takers.pop(_named(sid), None)
        super()._remove_sub(sid, max_msgs)

    async def dispatch(self, subscription: int, subject: bytes, reply: bytes, data: bytes, head: bytes) -> None:
        """Leave a message to nats-py."""
        await self._process_msg(subscription, subject, reply, data, head)

    async def complain(self, wrong: Exception) -> None:
        """Tell of what somebody raised who took a message."""
        await self._error_cb(wrong)

    def headers(self, head: bytes) -> Mapping[str, str] | None:
        """What nats-py reads in `head`; its coroutine waits for nothing."""
        try:
            self._process_headers(head).send(None)  # pyright: ignore[reportUnknownMemberType]
        except StopIteration as done:
            found: dict[str, str] | None = done.value
            return found
        raise ProtocolError("nats: these headers wait for something")

    def put(self, subject: str, payload: bytes, reply: str = "", headers: Mapping[str, str] | None = None) -> bool:
        """Whether this is in the line of what is written next; where it is not, it is publish()'s to see to.

        For an acknowledgement, or an event with its id, on a subject that is known to be sound.
        """
        command, writer = _command(subject, payload, reply, headers), self._writer()
        if command is None or writer is None or len(payload) > self._max_payload:
            return False
        self._pending_data_size += len(command)
        self._pending.append(command)
        if writer.empty():
            writer.put_nowait(asyncio.Future())
        return True

    def _writer(self) -> asyncio.Queue[asyncio.Future[object]] | None:
        """Where to tell who writes the line; None while it is not written, or too long already."""
        flusher = cast("asyncio.Task[None] | None", self._flusher_task)  # pyright: ignore[reportUnknownMemberType]
        if self._status != Client.CONNECTED or flusher is None or flusher.done():
            return None
        return self._flush_queue if self._pending_data_size < self._max_pending_size else None


def _command(subject: str, payload: bytes, reply: str, headers: Mapping[str, str] | None) -> bytes | None:
    """What is sent for an acknowledgement, or for an event with its id; None for anything else."""
    if not subject:
        return None
    if headers is None:
        return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload)
    identity = headers.get(_ID)
    if identity is None or len(headers) > 1 or not (identity.isascii() and identity.isprintable()) or " " in identity:
        return None
    head = b"NATS/1.0\r\nNats-Msg-Id: %b\r\n\r\n" % identity.encode()
    sizes = len(head), len(head) + len(payload)
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (subject.encode(), reply.encode(), *sizes, head, payload)


class ExpressParser(Parser):
    """Finds messages in what was read; every other line of the protocol is left to nats-py's parser."""

    def __init__(self, client: Express) -> None:
        self._client = client
        self._resets = 0
        super().__init__(client)  # pyright: ignore[reportUnknownMemberType]

    def reset(self) -> None:
        """Forget what was read: another connection begins."""
        super().reset()
        self._resets += 1
        self._rest = bytearray()
        self._needed = 0

    async def parse(self, data: bytes = b"") -> None:
        """Hand over what is whole in `data` and in what was left before it. Raises ProtocolError."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
        done, self._needed, resets = 0, 0, self._resets
        while (end := data.find(_END, done)) >= 0:
            words, begin = data[done:end].split(), end + len(_END)
            if len(words) > _UNANSWERED and words[0] in _MESSAGES:
                finish = begin + _number(words[-1])
                if finish + len(_END) > len(data):
                    self._needed = finish + len(_END) - done
                    break
                done = finish + len(_END)
                if (rest := self._taken(words, data[begin:finish])) is not None:
                    await rest
            else:
                await self._line(data[done:begin])
                done = begin
            if self._resets != resets:
                return
        self._rest = bytearray(data[done:])

    async def _line(self, line: bytes) -> None:
        await super().parse(line)
        if self.buf:  # it waits for the rest of a line that is whole
            raise ProtocolError("nats: unknown protocol")

    def _taken(self, words: list[bytes], body: bytes) -> Coroutine[None, None, None] | None:
        """Give a message away: HMSG subject subscription [reply] head-bytes bytes, or MSG without the head-bytes.

        What is returned is left to be done: where nobody takes it here, or who takes it raises.
        """
        sizes = 2 if words[0] == _HEADED else 1
        reply = words[3] if len(words) == _UNANSWERED + sizes + 1 else b""
        head = _number(words[-2]) if sizes > 1 else 0
        take = self._client.takers.get(words[2])
        if take is None:
            return self._client.dispatch(_number(words[2]), words[1], reply, body[head:], body[:head])
        try:
            take(Taken(self._client, words[1], reply, body[head:], body[:head]))
        except Exception as wrong:  # noqa: BLE001 - as nats-py has it: the next message is read all the same
            return self._client.complain(wrong)
        return None


class Taken:
    """A message, whose headers are parsed when they are asked for."""

    __slots__ = ("_client", "_head", "data", "reply", "subject")

    def __init__(self, client: Express, subject: bytes, reply: bytes, data: bytes, head: bytes) -> None:
        self.subject = subject.decode()
        self.reply = reply.decode()
        self.data = data
        self._client = client
        self._head = head

    @property
    def headers(self) -> Mapping[str, str] | None:
        """As nats-py reads them; None without any."""
        return self._client.headers(self._head)


def _named(subscription: int) -> bytes:
    return b"%d" % subscription


def _number(word: bytes) -> int:
    """Raises ProtocolError."""
    if not word.isdigit():
        raise ProtocolError("nats: malformed MSG")
    return int(word)
