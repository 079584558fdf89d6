"""Unsettled: what a consumer has handed over and not heard the end of, and what of that is to be handed over again.

The rules are those of nats-server 2.15 (server/consumer.go: trackPending, checkPending, processNak, processAckMsg,
moveAckFloor), oddities included: a nak of what is acknowledged means nothing, a delayed nak takes a message out of the
queue again, word that a message is in work does not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Given:
    place: int
    """The consumer's number of the first delivery."""
    since: float


class Unsettled:
    """Messages by their sequence; times in seconds. `most` deliveries are made of one, 0 for no limit."""

    def __init__(self, ack_wait: float, most: int) -> None:
        self.ack_wait = ack_wait
        self.queue: dict[int, None] = {}
        """What is to be handed over again, in this order."""
        self.counts: dict[int, int] = {}
        """How often each was handed over again."""
        self._most = most
        self._given: dict[int, _Given] = {}

    def __len__(self) -> int:
        return len(self._given)

    def __contains__(self, sequence: object) -> bool:
        return sequence in self._given

    @property
    def places(self) -> dict[int, int]:
        """The number of the first delivery of each message."""
        return {sequence: given.place for sequence, given in self._given.items()}

    def give(self, sequence: int, place: int, now: float) -> None:
        """Note that a message was handed over, for the first time or again."""
        self._given.setdefault(sequence, _Given(place, now)).since = now

    def end(self, sequence: int) -> int | None:
        """Note that a message is done with; the number of its first delivery, None where nobody waited for it."""
        self.counts.pop(sequence, None)
        self.queue.pop(sequence, None)
        given = self._given.pop(sequence, None)
        return given.place if given else None

    def drop(self, sequence: int) -> int | None:
        """Give up on a message that was handed over often enough; how often is remembered."""
        given = self._given.pop(sequence, None)
        return given.place if given else None

    def at_work(self, sequence: int, now: float) -> None:
        """Somebody works on it: wait for as long again."""
        if sequence in self._given:
            self._given[sequence].since = now

    def again(self, sequence: int) -> None:
        """Queue it for another delivery."""
        if sequence in self._given:
            self.queue.setdefault(sequence)

    def later(self, sequence: int, delay: float, now: float) -> None:
        """Queue it for another delivery once `delay` has passed."""
        if sequence in self._given:
            self.queue.pop(sequence, None)
            self._given[sequence].since = now - self.ack_wait + delay

    def overdue(self, now: float) -> list[int]:
        """Queue what nobody was heard of for too long, in order; what was handed over often enough is told instead."""
        late = sorted(
            sequence
            for sequence, given in self._given.items()
            if given.since + self.ack_wait <= now and sequence not in self.queue
        )
        spent = [sequence for sequence in late if self._most and self.counts.get(sequence, 1) >= self._most]
        self.queue.update(dict.fromkeys(sequence for sequence in late if sequence not in spent))
        return spent

    def due(self) -> float | None:
        """The next instant at which overdue() would do something."""
        waiting = (given.since + self.ack_wait for sequence, given in self._given.items() if sequence not in self.queue)
        return min(waiting, default=None)
