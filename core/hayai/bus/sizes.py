"""Sizes: how many bytes of its limits a stream counts for a message; nats-server's filestore.go says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_RECORD = 30
"""Of a record on disk around its subject and body: lengths, sequence, time, hash."""
_HEADERS = 4
_VERSION = len("NATS/1.0\r\n\r\n")
_LINE = len(": \r\n")


def size_of(subject: str, body: bytes, headers: Mapping[str, str] | None) -> int:
    """The bytes that the server counts against a stream's max_bytes."""
    size = _RECORD + len(subject) + len(body)
    if not headers:
        return size
    return size + _HEADERS + _VERSION + sum(len(name) + len(value) + _LINE for name, value in headers.items())
