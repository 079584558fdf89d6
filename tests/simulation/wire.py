"""Wire: the connections between processes and the NATS server, slow, cut or broken off, and nats-py's way onto them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from urllib.parse import ParseResult

    from tests.simulation.loop import ProcessLoop
    from tests.simulation.nats_server import SimulatedNats
    from tests.simulation.world import Process, World

_LINE = b"\r\n"


class Channel:
    """One direction of a connection: what is sent arrives in order, after a while, or not before the cut is mended."""

    def __init__(self, link: Link, take: Callable[[Any], None]) -> None:
        self._link = link
        self._take = take
        self._sent, self._arrives = -1.0, 0.0
        self._packet: list[Any] = []
        self.held: list[Any] = []

    def send(self, data: Any) -> None:
        """On its way, together with what was sent at this very moment."""
        world = self._link.world
        if self._sent == world.now:
            self._packet.append(data)
            return
        packet = self._packet = [data]
        self._sent = world.now
        self._arrives = max(self._arrives, world.now + self._link.network.delay(self._link.process))
        world.after(self._arrives - world.now, lambda: self._arrive(packet))

    def _arrive(self, packet: list[Any]) -> None:
        self.held += packet
        if self._link.process not in self._link.network.cut:
            self.release()

    def release(self) -> None:
        """What was held back arrives."""
        held, self.held = self.held, []
        for each in held:
            self._take(each)


class Link:
    """One connection of a process to the server."""

    def __init__(self, network: Network, process: Process, reader: Reader) -> None:
        self.network = network
        self.world: World = network.world
        self.process = process
        self._reader = reader
        self.is_open = True
        self.at_server = Channel(self, self._reach_server)
        self.at_client = Channel(self, self._reach_client)

    def close(self) -> None:
        """The client's side is closed: the server learns it in the end."""
        if self.is_open:
            self.is_open = False
            self.at_server.send(None)

    def break_off(self) -> None:
        """The server's side is gone: the client learns it at once, however slow the way."""
        self.at_client.held.clear()
        self.network.server.forget(self)
        self.process.hear(self._reader.end)

    def _reach_server(self, command: bytes | None) -> None:
        if command is None:
            self.network.server.forget(self)
        else:
            self.network.server.hear(self, command)

    def _reach_client(self, data: bytes) -> None:
        self.process.hear(self._reader.feed, data)


class Network:
    """All connections; a process in `cut` reaches the server no more, one in `slow` late."""

    def __init__(self, world: World, server: SimulatedNats) -> None:
        self.world = world
        self.server = server
        self.cut: set[Process] = set()
        self.slow: set[Process] = set()
        self._links: list[Link] = []

    def delay(self, process: Process) -> float:
        """Seconds that one message takes."""
        chance = self.world.random
        return chance.uniform(0.01, 0.3) if process in self.slow else chance.uniform(0.0001, 0.002)

    def open(self, process: Process, reader: Reader) -> Link:
        """A new connection."""
        link = Link(self, process, reader)
        self._links = [each for each in self._links if each.is_open]
        self._links.append(link)
        process.at_death.append(link.close)
        self.server.greet(link)
        return link

    def mend(self, process: Process) -> None:
        """End a cut."""
        self.cut.discard(process)
        for link in self._links:
            if link.process is process:
                link.at_server.release()
                link.at_client.release()

    def break_off(self) -> None:
        """The server's process is gone, and all connections with it."""
        for link in self._links:
            if link.is_open:
                link.break_off()


class Reader:
    """What has come for one client and is not read yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._bytes = bytearray()
        self._waiting: asyncio.Future[None] | None = None
        self.ended = False

    def feed(self, data: bytes) -> None:
        """More has come."""
        self._bytes += data
        self._wake()

    def end(self) -> None:
        """Nothing more comes."""
        self.ended = True
        self._wake()

    async def line(self) -> bytes:
        """Up to the end of a line, or of everything."""
        while _LINE not in self._bytes and not self.ended:
            await self._wait()
        end = self._bytes.find(_LINE)
        return self._cut(len(self._bytes) if end < 0 else end + len(_LINE))

    async def all(self) -> bytes:
        """What is there, at least something; nothing at the end."""
        while not self._bytes and not self.ended:
            await self._wait()
        return self._cut(len(self._bytes))

    def is_done(self) -> bool:
        """Whether all is read and nothing more comes."""
        return self.ended and not self._bytes

    def _cut(self, size: int) -> bytes:
        taken = bytes(self._bytes[:size])
        del self._bytes[:size]
        return taken

    async def _wait(self) -> None:
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class SimulatedTransport:
    """Takes the place of nats-py's TcpTransport."""

    def __init__(self) -> None:
        self._reader: Reader | None = None
        self._link: Link | None = None

    def __bool__(self) -> bool:
        return self._link is not None

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: float) -> None:
        """Open a connection. Raises OSError, TimeoutError."""
        loop = cast("ProcessLoop", asyncio.get_running_loop())
        process, network = loop.process, loop.network
        if process in network.cut:
            await asyncio.sleep(connect_timeout)
            raise TimeoutError
        await asyncio.sleep(network.delay(process))
        if not network.server.is_up:
            raise ConnectionRefusedError(111, "nobody listens")
        self._reader = Reader(loop)
        self._link = network.open(process, self._reader)

    def write(self, payload: bytes) -> None:
        """Send one command."""
        self.writelines([payload])

    def writelines(self, payload: Sequence[bytes]) -> None:
        """Send commands."""
        if self._link is not None and self._link.is_open:
            for each in payload:
                self._link.at_server.send(each)

    async def drain(self) -> None:
        """Raises ConnectionResetError where the server has gone."""
        if self._reader is not None and self._reader.ended:
            raise ConnectionResetError(104, "the server has gone")

    async def read(self, buffer_size: int) -> bytes:
        """What has come."""
        assert self._reader is not None
        return await self._reader.all()

    async def readline(self) -> bytes:
        """One line."""
        assert self._reader is not None
        return await self._reader.line()

    def at_eof(self) -> bool:
        """Whether nothing more comes."""
        return self._reader is None or self._reader.is_done()

    def close(self) -> None:
        """End the connection."""
        if self._link is not None:
            self._link.close()
        if self._reader is not None:
            self._reader.end()

    async def wait_closed(self) -> None:
        """It is closed at once."""
