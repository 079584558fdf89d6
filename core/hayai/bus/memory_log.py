"""Log: what a server would keep for the memory bus: its streams, each handler's place in them, and who listens."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from hayai.bus.streams import (
    DEADLETTERS,
    EVENTS,
    NANOSECONDS,
    configuration,
    filter_of,
    schedules_configuration,
    stream_of,
)
from hayai.bus.twin.server import TwinServer
from hayai.clock import system_clock
from hayai.errors import HandlerMisdeclared

if TYPE_CHECKING:
    from hayai.bus.memory_member import Member
    from hayai.bus.pieces import Pieces
    from hayai.bus.twin.consumer import TwinConsumer
    from hayai.bus.twin.store import Stored
    from hayai.clock import Clock

_LOOK_SECONDS = 0.02
"""How often the clock is looked at while time matters: a test's clock tells nobody that it was moved."""
_MAX_AGE = 365 * 86_400.0
_MOST_UNSETTLED = 1024


class Log:
    """The twin of one server, with the streams as the engine on NATS declares them; its time is that of `clock`.

    The buses that share it see the same events. A stream holds `max_bytes`; an id is stored once within `window`
    seconds; what a bus held that died is handed to another `ack_wait` seconds after it was last heard of.
    """

    def __init__(
        self, clock: Clock = system_clock, *, max_bytes: int = 2 * 1024**3, window: float = 600, ack_wait: float = 5
    ) -> None:
        # Whoever moves a clock by hand wants to see what is due then: nothing waits for the server's next look.
        self.server = TwinServer(pause=0)
        self.listeners: dict[str, list[Pieces]] = {}
        self.idle = asyncio.Event()
        """Set while nobody is at work."""
        self._clock = clock
        self._ack_wait = ack_wait
        self._members: dict[Member, None] = {}
        self._users: set[object] = set()
        self._calm_until = -inf
        self._looking: asyncio.TimerHandle | None = None
        self.server.create(schedules_configuration(replicas=1, max_age=_MAX_AGE, window=window))
        for stream in (EVENTS, DEADLETTERS):
            self.server.create(
                configuration(stream, partitions=1, replicas=1, max_bytes=max_bytes, max_age=_MAX_AGE, window=window)
            )
        self.stir()

    @property
    def streams(self) -> dict[str, list[Stored]]:
        """What each stream holds, in order."""
        return {name: list(stream.store.messages.values()) for name, stream in self.server.streams.items()}

    def stir(self) -> None:
        """See whether anybody is still at work."""
        if any(member.held for member in self._members):
            self.idle.clear()
        else:
            self.idle.set()

    def append(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Store `body` unless its stream has seen its id lately. Raises Refused where there is no room."""
        self.look()
        self.server.publish(subject, body, headers)

    def place(self, name: str, event: str) -> TwinConsumer:
        """How far the handler called `name` has come, whoever runs it; a new one begins with the next event.

        Raises HandlerMisdeclared where that place is in another event.
        """
        wanted = filter_of(event, 0)
        found = self.server.streams[stream_of(event).name].consumer(
            f"{name}_0",
            {
                "filter_subject": wanted,
                "ack_wait": int(self._ack_wait * NANOSECONDS),
                "max_deliver": -1,
                "max_ack_pending": _MOST_UNSETTLED,
                "deliver_policy": "new",
            },
        )
        if found.filters != [wanted]:
            raise HandlerMisdeclared(
                f"{name} reads {found.filters[0]} so far and now wants {wanted}: give the new handler a name of "
                "its own."
            )
        return found

    def enter(self, member: Member) -> None:
        """Let `member` be heard of."""
        self._members[member] = None

    def leave(self, member: Member) -> None:
        """Hear of `member` no more."""
        self._members.pop(member, None)
        self.stir()

    def open(self, user: object) -> None:
        """Look at the clock for `user` where that is needed."""
        self._users.add(user)

    def close(self, user: object) -> None:
        """`user` needs that no longer."""
        self._users.discard(user)
        if not self._users and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def look(self, *, anew: bool = False) -> None:
        """Let happen what is due by now, and look again soon while time matters.

        `anew` where what is due may have changed other than by a delivery.
        """
        now = self._clock().timestamp()
        if anew or now >= self._calm_until:
            self._catch_up(now)
        self.server.now = now
        if self._looking is None and self._users and self.server.due() < inf:
            self._looking = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._looking = None
        self.look()

    def _catch_up(self, now: float) -> None:
        """Everything at its own time. Whoever is there was there all the while: nothing in their hands is overdue."""
        while True:
            for member in self._members:
                member.beat(now)
            if (due := self.server.due()) > now:
                break
            self.server.now = due
            self.server.look()
        self._calm_until = min(due, now + self._ack_wait)
