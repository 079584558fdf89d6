"""Bodies: how much a request may bring, so that nobody fills the memory of a route that reads all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1 << 20
"""Bytes of one request: a provider's webhook has some thousands."""
_SAID = f"A request can bring {MOST_BYTES} bytes and this one brings more: send less at once."


class BoundedBodies:
    """Ends the reading of a body that is longer; one that nobody reads costs nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        await self._app(scope, _counted(scope, receive) if scope["type"] == "http" else receive, send)


def _counted(scope: Scope, receive: Receive) -> Receive:
    announced = Headers(scope=scope).get("content-length", "0")
    left = -1 if announced.isdecimal() and int(announced) > MOST_BYTES else MOST_BYTES

    async def counted() -> Message:
        nonlocal left
        message = await receive() if left >= 0 else {"type": "http.request"}
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, _SAID)
        return message

    return counted
