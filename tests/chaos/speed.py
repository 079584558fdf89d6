"""Speed: how long events took from being sent to being handled, and how many were, between two moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.chaos.oracle import Record


def waits(
    records: Iterable[Record], handler: str, event: str, between: tuple[float, float], *, keys: Callable[[str], bool]
) -> list[float]:
    """Seconds that each event of those keys took which was sent `between` two times of the machine's clock, sorted.

    One that was not handled is not in it.
    """
    sent: dict[tuple[str, int], float] = {}
    found = []
    for each in records:
        step = each.key, each.number
        if each.what == "sent" and each.who == event and between[0] <= each.at < between[1] and keys(each.key):
            sent[step] = each.at
        elif each.what == "handled" and each.who == handler and step in sent:
            found.append(each.at - sent.pop(step))
    return sorted(found)


def p95(found: list[float]) -> float:
    """The value below which 95 of 100 lie, in seconds; of a sorted list."""
    return found[int(len(found) * 0.95)] if found else 0.0


def sent(records: Iterable[Record], event: str, between: tuple[float, float]) -> int:
    """How many of those events were sent between two times."""
    return sum(each.what == "sent" and each.who == event and between[0] <= each.at < between[1] for each in records)
