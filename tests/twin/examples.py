"""Examples: scripts that are always run beside the random ones, one for each thing that a server does."""

from __future__ import annotations

from typing import Any

from tests.twin.script import (
    ACK_WAIT,
    DUE,
    EXPIRY,
    HOLDING,
    LIMITED,
    NAK,
    PAUSE,
    Answer,
    Cancel,
    Crash,
    Pause,
    Publish,
    Pull,
    Purge,
    Recreate,
    Remove,
    Schedule,
    Script,
    Step,
    Wait,
    nanoseconds,
)

_LONG = 9 + EXPIRY
_X = Publish("a.x", None, 10)
_CONSUMER = {
    "filter_subject": ">",
    "ack_policy": "explicit",
    "ack_wait": nanoseconds(2 + ACK_WAIT),
    "max_deliver": -1,
    "max_ack_pending": 1000,
}
_ROOMY = {**LIMITED, "max_bytes": 100_000}


def _script(*steps: Step, stream: dict[str, Any] | None = None, **consumer: Any) -> Script:
    return Script(stream or _ROOMY, ({**_CONSUMER, **consumer}, {**_CONSUMER, "filter_subject": "a.x"}), steps)


def _wide(*steps: Step, **consumer: Any) -> Script:
    """With a long ack_wait: nothing is handed over again by itself."""
    return _script(*steps, ack_wait=nanoseconds(20 + ACK_WAIT), **consumer)


EXAMPLES = (
    # what is in work is left alone; what is not comes again, until it has come often enough
    _script(_X, Pull(0, 5, _LONG), Wait(1), Answer(0, 0, "+WPI"), _X, _X, Wait(4)),
    _script(_X, Pull(0, 5, _LONG), Wait(4), _X, Wait(6), max_deliver=3),
    _script(_X, Pull(0, 5, _LONG), Wait(4), Answer(0, 0, "+ACK"), Wait(4), _X, max_deliver=1),
    # answers: at once, for later, at last; late ones; one that ends a wait for another delivery
    _wide(
        _X, _X, Pull(0, 5, _LONG), Answer(0, 1, "-NAK"), Answer(0, 0, "-NAK", 1 + NAK), Wait(2), Answer(0, 1, "+ACK")
    ),
    _wide(_X, Pull(0, 5, _LONG), Answer(0, 0, "-NAK", 5 + NAK), Answer(0, 0, "-NAK"), Answer(0, 1, "+TERM"), Wait(6)),
    _wide(_X, Pull(0, 1, _LONG), Answer(0, 0, "-NAK"), Answer(0, 0, "+ACK"), Pull(0, 1, EXPIRY), Wait(2)),
    # requests take turns, and end
    _wide(Pull(0, 2, _LONG), Pull(0, 2, _LONG), _X, _X, _X, _X, _X),
    _wide(Pull(0, 1, EXPIRY), Wait(2), _X, Pull(0, 1, _LONG), _X),
    # a client that is gone: what it asked for is nobody's, what was to come again goes behind the others
    _wide(
        _X, _X, Pull(0, 2, _LONG), Pull(0, 5, _LONG), Crash(), Answer(0, 1, "-NAK"), Answer(0, 1, "-NAK"), Pull(0, 5, 5)
    ),
    # limits: unsettled at once, messages, bytes
    _wide(_X, _X, _X, Pull(0, 5, _LONG), Answer(0, 0, "+ACK"), Answer(0, 0, "-NAK"), max_ack_pending=1),
    _script(
        *[Publish("b.x", None, 200)] * 3,
        Remove(1),
        *[Publish("b.x", None, 200)] * 2,
        stream={**LIMITED, "max_bytes": 600},
    ),
    _script(*[_X] * 5, Purge("a.>"), _X, stream={**LIMITED, "max_msgs": 4}),
    # a pause keeps what comes back as well as what is new; it ends early or by itself
    _script(_X, Pause(0, 4 + PAUSE), Pull(0, 5, _LONG), Wait(1), Pause(0, 0), _X, Pause(0, 2 + PAUSE), _X, Wait(4)),
    _wide(_X, Pause(0, 4 + PAUSE), Pull(0, 1, 3 + EXPIRY), Pull(0, 1, _LONG), Pause(0, 0), Wait(3), _X),
    _wide(_X, Publish("b.x", None, 10), Pull(0, 5, 3 + EXPIRY), Purge("a.x"), Wait(1), _X, max_ack_pending=1),
    # ids: for the window, in whichever subject
    _wide(Publish("a.x", "i1", 10), Publish("b.x", "i1", 10), Wait(4), Publish("a.x", "i1", 10), Pull(0, 5, EXPIRY)),
    # expectations: of the subject alone, before the id is looked at and before there is room; what is gone is no more
    _wide(
        Publish("a.x", "i1", 10, 0),
        Publish("a.x", "i1", 10, 0),
        Publish("a.x", "i1", 10, 1),
        Publish("b.x", None, 10),
        Publish("a.x", "i2", 10, 2),
        Publish("a.x", "i2", 10, 1),
        Remove(3),
        Publish("a.x", None, 10, 3),
        Publish("a.x", None, 10, 1),
        Purge("a.x"),
        Publish("a.x", None, 10, 4),
        Publish("a.x", None, 10, 0),
    ),
    _script(*[_X] * 4, Publish("a.x", None, 10, 3), Publish("a.x", None, 10, 4), stream={**LIMITED, "max_msgs": 4}),
    # what is gone from the stream comes no more
    _wide(
        _X, Publish("b.x", None, 10), _X, Pull(0, 2, _LONG), Purge("a.x"), Answer(0, 0, "-NAK"), Pull(0, 5, 5 + EXPIRY)
    ),
    _wide(_X, _X, Pull(0, 1, _LONG), Remove(1), Answer(0, 0, "-NAK"), Pull(0, 5, _LONG), Purge(">"), _X),
    _wide(_X, Publish("b.x", None, 10), _X, Pull(0, 5, EXPIRY), Answer(0, 2, "+ACK"), Purge("b.x"), Wait(1)),
    _wide(_X, _X, Pull(0, 5, _LONG), Remove(1), Wait(1), max_ack_pending=1),
    # a consumer that is made again begins at the beginning, or with what is next
    _wide(
        _X, _X, Pull(0, 1, EXPIRY), Recreate(0, "all"), Pull(0, 5, EXPIRY), Recreate(0, "new"), Pull(0, 5, _LONG), _X
    ),
    # schedules: due, past due, said again, cancelled, cancelled by what makes them moot
    _script(
        Pull(0, 5, _LONG),
        Pull(0, 5, _LONG),
        Schedule("one", 6 + DUE, "a.x", None),
        Schedule("two", -5, "a.y", "i1"),
        Schedule("two", -5, "a.y", "i1"),
        Schedule("one", 3 + DUE, "b.x", None),
        Wait(4),
        Schedule("one", 3 + DUE, "a.x", None),
        Cancel("one", None),
        Schedule("two", 3 + DUE, "a.x", None),
        Cancel("two", "b.x"),
        stream=HOLDING,
        ack_wait=nanoseconds(30 + ACK_WAIT),
    ),
    # a schedule that is cancelled while nobody waits for anything: a purge wakes whoever does at times of its own
    _script(
        Schedule("one", 6 + DUE, "a.x", None),
        Cancel("one", None),
        Wait(4),
        stream=HOLDING,
        ack_wait=nanoseconds(30 + ACK_WAIT),
    ),
)
