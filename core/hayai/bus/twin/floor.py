"""Floor: up to where a consumer has no message left to wait for, by its own numbers and by the stream's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Floor:
    """Moves as nats-server's does (consumer.go: moveAckFloor), which a late answer may be measured against."""

    place: int
    """Every delivery up to this number is settled."""
    sequence: int
    """Every message up to this sequence is settled."""

    def settle(self, place: int, sequence: int, waiting: dict[int, int], reached: tuple[int, int]) -> None:
        """The message at `sequence`, first handed over as number `place`, is settled; others are `waiting`.

        `reached` are the number and the sequence of the newest delivery.
        """
        if not waiting:
            self.place, self.sequence = reached
        elif place == self.place + 1:
            self.place, self.sequence = place, sequence
            behind = [other for other in waiting if sequence < other <= reached[1]]
            if behind and (first := min(behind)):
                self.place, self.sequence = waiting[first] - 1, first - 1
