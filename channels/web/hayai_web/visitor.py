"""Visitor: somebody at the chat without a browser, for smoke tests and scripts; remembers what a browser would."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import ClientConnection, connect

from hayai.tokens import fresh

if TYPE_CHECKING:
    from types import TracebackType

Frame = dict[str, Any]


class Visitor:
    """One browser: a socket that may be lost and opened again, a session, and the lines that have come so far.

    `url` is the chat's socket, as in `ws://127.0.0.1:8080/web/socket/smile-dental`.
    """

    def __init__(self, url: str, *, session: str | None = None, origin: str | None = None) -> None:
        self.session = session
        self.lines: dict[int, Frame] = {}
        """What was said, by position; the same position again is not noted again."""
        self.others: list[Frame] = []
        """Every frame that is not a line, oldest first."""
        self._url = url
        self._origin = origin
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        """Connect and be welcomed."""
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        await self.leave()

    @property
    def texts(self) -> list[str]:
        """What was said, in order."""
        return [self.lines[position]["text"] for position in sorted(self.lines)]

    async def connect(self, *, pending: tuple[str, ...] = ()) -> Frame:
        """Open a socket and say hello; returns the welcome, or the refusal."""
        await self.dial()
        hello = {"type": "hello", "session": self.session, "after": max(self.lines, default=0), "pending": pending}
        await self.send(hello)
        answer = await self.until("welcome", "refused")
        self.session = answer.get("session", self.session)
        return answer

    async def dial(self) -> None:
        """Open a socket and say nothing."""
        headers = {"Origin": self._origin} if self._origin else None
        self._socket = await connect(self._url, additional_headers=headers, proxy=None)

    async def leave(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            await self._socket.close()

    def vanish(self) -> None:
        """Lose the connection without a goodbye."""
        self._connected().transport.abort()

    async def send(self, frame: Frame | str | bytes) -> None:
        """Send a frame, or whatever text or bytes."""
        await self._connected().send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def say(self, text: str, *, id: str | None = None) -> Frame:  # noqa: A002 - the frame's word
        """Write a message; returns its acknowledgement or its refusal."""
        chosen = id or fresh()
        await self.send({"type": "say", "id": chosen, "text": text})
        return await self.until("received", "refused")

    async def until(self, *types: str, seconds: float = 10.0) -> Frame:
        """The next frame of one of these types; notes all that come before. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                frame: Frame = json.loads(await self._connected().recv())
                if frame["type"] == "line":
                    self.lines.setdefault(frame["position"], frame)
                else:
                    self.others.append(frame)
                if frame["type"] in types:
                    return frame

    async def until_line(self, text: str, *, seconds: float = 10.0) -> Frame:
        """The line with that text, once it is there. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                for line in self.lines.values():
                    if line["text"] == text:
                        return line
                await self.until("line", seconds=seconds)

    async def closed(self) -> int:
        """Wait until the other side has closed the socket; returns its code."""
        await self._connected().wait_closed()
        return self._connected().close_code or 0

    def _connected(self) -> ClientConnection:
        if self._socket is None:
            raise RuntimeError("Connect first.")
        return self._socket
