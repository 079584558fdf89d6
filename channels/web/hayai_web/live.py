"""Live: what is signalled to the open sockets of a conversation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hayai.ports.conversations import Line


def line_hint(line: Line) -> bytes:
    """Word that the transcript has grown up to `line`; the line itself is read from there."""
    return json.dumps({"kind": "line", "position": line.position}).encode()
