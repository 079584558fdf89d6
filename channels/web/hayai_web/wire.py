"""Wire: one WebSocket as frames; whatever ends it is Gone, whatever is refused on it is TurnedAway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import WebSocketDisconnect
from pydantic import ValidationError

from hayai_web.frames import BROWSER_FRAMES, Refused
from hayai_web.limits import neighbourhood

if TYPE_CHECKING:
    from fastapi import WebSocket

    from hayai_web.frames import Hello, Ping, RefusedCode, Say, ToBrowser

POLICY, TOO_LARGE, DEFECT, RESTART, LATER = 1008, 1009, 1011, 1012, 1013
"""Close codes (RFC 6455, 7.4.1 and the IANA registry); a browser comes back after all but the first."""
_MOST_BYTES = 64 * 1024
_MOST_FAULTS = 5


class Gone(Exception):
    """The socket is closed, by either side."""


class TurnedAway(Exception):
    """Something was not taken; `frame` says why, `closing` is the close code where it ends the socket."""

    def __init__(
        self,
        code: RefusedCode,
        reason: str,
        *,
        id: str | None = None,  # noqa: A002 - the frame's word
        again: float | None = None,
        closing: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.frame = Refused(code=code, reason=reason, id=id, again=again)
        self.closing = closing


class Wire:
    """Frames in, frames out."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sending = asyncio.Lock()
        self._faults = 0
        self.address = neighbourhood(socket.client.host) if socket.client else "unknown"
        """Where the visitor connects from: for limits, never for a log line."""

    async def open(self) -> None:
        """Take the socket; only then can a refusal be told in words."""
        await self._socket.accept()

    async def receive(self) -> Hello | Say | Ping:
        """The next frame. Raises Gone, or TurnedAway for one that is none; the fifth such ends the socket."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        text = message.get("text")
        if text is None:
            raise self._fault("This chat speaks JSON in text frames: send no binary ones.")
        if len(text) > _MOST_BYTES:
            raise TurnedAway("too_long", "That is more than one message can hold: send less.", closing=TOO_LARGE)
        try:
            return BROWSER_FRAMES.validate_json(text)
        except ValidationError as wrong:
            raise self._fault(_told(wrong)) from None

    async def send(self, frame: ToBrowser) -> None:
        """Send one frame. Raises Gone."""
        try:
            async with self._sending:
                await self._socket.send_text(frame.model_dump_json(exclude_none=True))
        except (WebSocketDisconnect, RuntimeError):  # Starlette's two ways of saying that the socket is closed
            raise Gone from None

    async def turn_away(self, turned: TurnedAway) -> None:
        """Say why; where that ends the socket, close it and raise Gone."""
        await self.send(turned.frame)
        if turned.closing is not None:
            await self.close(turned.closing)
            raise Gone

    async def close(self, code: int) -> None:
        """Close the socket; it may be closed already."""
        try:
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError):
            return

    def _fault(self, reason: str) -> TurnedAway:
        self._faults += 1
        return TurnedAway("unreadable", reason, closing=POLICY if self._faults >= _MOST_FAULTS else None)


def _told(wrong: ValidationError) -> str:
    """Where a frame does not fit and why, never the values: they may be personal."""
    first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "That was no JSON: send one object in each frame."
    if first["type"].startswith("union_tag"):
        return 'That is no frame of this chat: its "type" is hello, say or ping.'
    return f"That frame does not fit ({'.'.join(map(str, first['loc']))}: {first['type']}): see the chat's protocol."
