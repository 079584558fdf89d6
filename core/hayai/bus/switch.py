"""Switch: handlers are paused and resumed on the server, where it holds for every process and outlives them.

A paused consumer hands nothing out and loses nothing: what arrives waits, in order. What a process has in hand already
it still finishes. NATS ADR-26 and its consumer pause API, from nats-server 2.11 on.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hayai.bus.lookout import Lookout, handler_of
from hayai.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_FOR_EVER = timedelta(days=36_500)
_MOMENT = timedelta(milliseconds=300)
"""Until the server has heard of it; a request that takes longer wakes nobody until their next request."""
_ANSWER_SECONDS = 120.0
"""As long as it takes a process to finish what it has in hand, end, and be at work again."""


def subject_of(plugin: str) -> str:
    """Where words to the keeper of `plugin` are sent: core NATS, since nobody is to hear them later."""
    return f"hayai.plugins.{plugin}"


class Switch(Lookout):
    """A connection that turns handlers off and on; it needs no running Hayai."""

    async def pause(self, handlers: Collection[str], *, seconds: float | None = None) -> None:
        """Hand them nothing for so long, or until they are resumed.

        Raises SettingsError where one of them has no place on the server, Unavailable.
        """
        length = _FOR_EVER if seconds is None else timedelta(seconds=seconds)
        until = _written(datetime.now(UTC) + length)
        await self._turn(handlers, lambda _: until)

    async def resume(self, handlers: Collection[str]) -> None:
        """Hand them their events again, those that came in the meantime first. Raises as pause() does.

        nats-server 2.15 wakes nobody where a pause is lifted, but it does where one comes to its end: so it does in a
        moment, by the server's own clock.
        """
        await self._turn(handlers, lambda place: _written(datetime.fromisoformat(place["ts"]) + _MOMENT))
        await asyncio.sleep(_MOMENT.total_seconds())

    async def tell(self, plugin: str, word: str) -> str | None:
        """What the process that keeps `plugin` isolated answers to a word; None where there is none."""
        told = await self._connection.ask(subject_of(plugin), word.encode(), headers={}, seconds=_ANSWER_SECONDS)
        return told.decode() if told else None

    async def _turn(self, handlers: Collection[str], until: Callable[[dict[str, Any]], str]) -> None:
        places = [each for each in (await self.consumers()).values() if handler_of(each["name"]) in handlers]
        if missing := set(handlers).difference(handler_of(each["name"]) for each in places):
            raise SettingsError(
                f"{', '.join(sorted(missing))} has no place on the bus: it has never run with this tier file, so there "
                "is nothing to pause; leave it out of the tier file, or start Hayai once."
            )
        pausing = (self.jetstream.pause_consumer(each["stream_name"], each["name"], until(each)) for each in places)
        await asyncio.gather(*pausing)


def _written(instant: datetime) -> str:
    """RFC 3339, as the server has it."""
    return instant.isoformat().replace("+00:00", "Z")
