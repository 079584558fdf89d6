"""Coverage: which kinds of steps and of outcomes a history holds, so that a run can say what it has tried."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.twin.script import Answer, Cancel, Crash, Pause, Publish, Purge, Recreate, Remove, Schedule, Step

if TYPE_CHECKING:
    from tests.twin.history import History, Moment
    from tests.twin.script import Script

_TOLD = ("stored", "duplicate", "refused", "removed")

MUST_OCCUR = (
    "acknowledged",
    "terminated",
    "given back",
    "given back for later",
    "in work",
    "paused",
    "resumed",
    "client crashed",
    "consumer made again: all",
    "consumer made again: new",
    "message removed",
    "subject purged",
    "published: stored",
    "published: duplicate",
    "published: refused",
    "published as expected: stored",
    "published as expected: duplicate",
    "published as expected: refused",
    "scheduled: stored",
    "schedule cancelled",
    "schedule cancelled with a message: stored",
    "handed over at once",
    "handed over later",
    "handed over again at once",
    "handed over again later",
    "handed over for the third time",
)
"""A run in which one of these never happened proves too little."""
_NOTHING = {"nothing to answer", "purged 0", "not there"}
_PLAIN = {Crash: "client crashed", Remove: "message removed", Purge: "subject purged"}
_ANSWERS = {"+ACK": "acknowledged", "+TERM": "terminated", "-NAK": "given back", "+WPI": "in work"}


def covered(script: Script, history: History) -> Counter[str]:
    """What happened, and how often."""
    found: Counter[str] = Counter()
    for step, moment in zip(script.all_steps, history, strict=False):
        found.update(_kinds(step, moment))
        for consumer, deliveries in moment.deliveries.items():
            when = "at once" if getattr(step, "consumer", None) == consumer or isinstance(step, Publish) else "later"
            for each in deliveries:
                found[f"handed over {'' if each.count == 1 else 'again '}{when}"] += 1
                found["handed over for the third time"] += each.count > 2
    return found


def _kinds(step: Step, moment: Moment) -> list[str]:
    told = next((word for word in _TOLD if moment.told.startswith(word)), "")
    match step:
        case Answer(word=word, ticks=ticks):
            kind = _ANSWERS[word] + (" for later" if ticks else "")
        case Publish(expected=expected):
            kind = f"published{'' if expected is None else ' as expected'}: {told}"
        case Schedule():
            kind = f"scheduled: {told}"
        case Cancel(subject=subject):
            kind = f"schedule cancelled with a message: {told}" if subject else "schedule cancelled"
        case Pause(ticks=ticks):
            kind = "paused" if ticks else "resumed"
        case Recreate(policy=policy):
            kind = f"consumer made again: {policy}"
        case _:
            kind = _PLAIN.get(type(step), "")
    return [kind] if kind and moment.told not in _NOTHING else []
