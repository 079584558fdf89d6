"""Switch: a TCP door in front of a server that can lead to another one, as the address of a load balancer can."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from typing import Self

_PIECE = 1 << 16


class Switch:
    """A door at one port that leads to another; a context manager, in the running loop."""

    is_deaf = False
    """What comes from the other side is swallowed, as on a line that is cut and nobody has noticed yet."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def __aenter__(self) -> Self:
        """Open the door."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it, and drop whoever is inside."""
        assert self._server is not None
        self._server.close()
        self.point(self._target)
        await self._empty.wait()

    def point(self, target: int) -> None:
        """Lead there from now on, and drop the connections that led elsewhere."""
        self._target = target
        for each in list(self._open):
            each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
            both = {writer, their_writer}
            self._open |= both
            self._empty.clear()
            try:
                async with asyncio.TaskGroup() as pipes:
                    pipes.create_task(self._pour(reader, their_writer))
                    pipes.create_task(self._pour(their_reader, writer, back=True))
            finally:
                self._open -= both
                if not self._open:
                    self._empty.set()
        writer.transport.abort()

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool = False) -> None:
        """Until one side hangs up; then the other is hung up on."""
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                if not (back and self.is_deaf):
                    writer.write(piece)
                    await writer.drain()
        writer.transport.abort()
