"""TwinServer: the streams of one server in memory, and its time, which stands still until it is told otherwise."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from hayai.bus.jetstream import Refused
from hayai.bus.twin.sources import Source
from hayai.bus.twin.stream import TwinStream

if TYPE_CHECKING:
    from hayai.bus.twin.stream import Published

_NO_STREAM = 503


SCHEDULING_PAUSE = 0.25
"""Seconds that nats-server 2.15 lets pass before it looks for what is due (server/scheduler.go: resetTimer)."""


class TwinServer:
    """Everything happens in the call that causes it, or in look(); nothing runs beside.

    `pause` is how long at least a schedule waits for the server to look at it, in seconds.
    """

    def __init__(self, *, pause: float = SCHEDULING_PAUSE) -> None:
        self._pause = pause
        self.now = 0.0
        """The server's time: seconds since 1970."""
        self.streams: dict[str, TwinStream] = {}
        self._sources: list[Source] = []

    def create(self, config: dict[str, Any]) -> TwinStream:
        """The stream of that configuration, which draws from streams that are there already."""
        stream = self.streams[config["name"]] = TwinStream(config, lambda: self.now, pause=self._pause)
        self._sources += [Source(self.streams[each["name"]], stream, each) for each in config.get("sources", [])]
        return stream

    def publish(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> Published:
        """Store a message in the stream that hears `subject`. Raises Refused where none does, or it will not."""
        for stream in self.streams.values():
            if stream.hears(subject):
                told = stream.publish(subject, body, headers or {})
                self._draw()
                return told
        raise Refused("no stream of the twin hears that subject", status=_NO_STREAM, code=0)

    def due(self) -> float:
        """The next instant at which something happens by itself; infinite where nothing will."""
        return min((due for stream in self.streams.values() if (due := stream.due()) is not None), default=inf)

    def look(self) -> None:
        """Do what is due by now, in every stream."""
        for stream in self.streams.values():
            stream.look()
        self._draw()

    def run_until(self, instant: float) -> None:
        """Let time pass up to `instant`, and each thing happen at its own."""
        while (due := self.due()) <= instant:
            self.now = max(self.now, due)
            self.look()
        self.now = instant

    def _draw(self) -> None:
        for source in self._sources:
            source.draw()
