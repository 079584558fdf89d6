"""Assets: the files that a page loads, read once and served from memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from fastapi import Response

if TYPE_CHECKING:
    from fastapi import Request

_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS = {
    # a home page anywhere may load them; they hold nothing but our code
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    # asked for anew each time and answered 304: modules of two releases must not meet in one page
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class Asset:
    """One file."""

    body: bytes
    media_type: str
    etag: str

    def answer(self, request: Request) -> Response:
        """The file, or 304 where the browser has it."""
        headers = {**_HEADERS, "ETag": self.etag}
        if self.etag in request.headers.get("if-none-match", ""):  # one of several, or made weak by a proxy
            return Response(status_code=304, headers=headers)
        return Response(self.body, media_type=self.media_type, headers=headers)


def read_assets() -> dict[str, Asset]:
    """Every file of the folder `static`, by name. Blocks: call it in a thread."""
    folder = files("hayai_web") / "static"
    return {each.name: _asset(each.name, each.read_bytes()) for each in folder.iterdir() if each.is_file()}


def _asset(name: str, body: bytes) -> Asset:
    return Asset(body, _TYPES[name.rpartition(".")[2]], f'"{hashlib.sha256(body).hexdigest()[:20]}"')
