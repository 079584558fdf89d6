"""Requests: the standing pull requests of one consumer, each for some messages, served in turn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.bus.twin.store import Stored


@dataclass(frozen=True)
class Handed:
    """One delivery of a message."""

    message: Stored
    place: int
    """The consumer's own number of this delivery."""
    count: int
    """How often the message was handed over so far, this time included."""


@dataclass
class Request:
    """A request for `left` messages until the instant `expires`; `take` is given each."""

    take: Callable[[Handed], None]
    left: int
    expires: float = inf
    is_heard: bool = True
    """Whether anybody listens: a client that died does not."""


class Requests:
    """The requests that wait, in turn: who was given a message goes to the end."""

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, request: Request) -> None:
        """Let `request` wait for its turn."""
        self._waiting.append(request)

    def turn(self, now: float) -> Request | None:
        """Whose turn it is; None where nobody listens any more."""
        while self._waiting:
            request = self._waiting.popleft()
            if request.is_heard and now < request.expires:
                request.left -= 1
                if request.left:
                    self._requeue(request)
                return request
        return None

    def expire(self, now: float) -> None:
        """Forget who has waited long enough."""
        if any(each.expires <= now for each in self._waiting):
            self._waiting = deque(each for each in self._waiting if now < each.expires)

    def due(self) -> float:
        """When the first of them will have waited long enough; infinite where none ever will."""
        return min((each.expires for each in self._waiting), default=inf)

    def tidy(self) -> None:
        """Forget who listens no more."""
        if not all(each.is_heard for each in self._waiting):
            self._waiting = deque(each for each in self._waiting if each.is_heard)

    def _requeue(self, request: Request) -> None:
        self._waiting.append(request)
