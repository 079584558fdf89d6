"""History: what a script came to on one side, and when each step was done there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Delivery:
    """A message that a consumer handed over: to which request, and how often it had been by then."""

    request: int
    sequence: int
    count: int


@dataclass
class Moment:
    """One step: what was told of it, and what each consumer had handed over by the time of the next one."""

    heard: float
    """When all that had come by then was taken in; times are seconds since 1970."""
    began: float
    told: str = ""
    ended: float = 0
    deliveries: dict[int, list[Delivery]] = field(default_factory=lambda: {0: [], 1: []})

    def outcome(self) -> str:
        """What came of it, in a line."""
        given = [
            f"consumer {consumer} gave " + ", ".join(f"{each.sequence}x{each.count} to {each.request}" for each in some)
            for consumer, some in self.deliveries.items()
            if some
        ]
        return "; ".join([self.told or "-", *given])


class History(list[Moment]):
    """The moments of a script, one for each step and one for the wait at its end."""

    def first_difference(self, other: History) -> int | None:
        """The first step whose outcome is another one there, as far as both go; None where all are the same."""
        for step, (here, there) in enumerate(zip(self, other, strict=False)):
            if (here.told, here.deliveries) != (there.told, there.deliveries):
                return step
        return None
