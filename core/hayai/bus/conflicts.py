"""Conflicts: how the server is told what a publisher expects, and what it says where something else is there.

The server compares the subject's newest event. Its header for a subject with wildcards, which could watch all events of
a key, is not used: on a cluster an event that is on its way to the replicas slips past it (nats-server 2.15.1, seen in
12 of 63 under a race; never past the subject's own).
"""

from __future__ import annotations

from hayai.errors import Conflict

EXPECTED = "Nats-Expected-Last-Subject-Sequence"
"""The header that holds the sequence of the newest event on the very subject; 0 where there is none."""
WRONG_LAST = 10071
"""JSStreamWrongLastSequenceErrF: another one is there."""
UNDECIDED = 10164
"""JSStreamWrongLastSequenceConstantErr: another one is on its way to the replicas of a cluster, and may not arrive."""


def conflict(what: str) -> Conflict:
    """The error for an event called `what` that was not stored."""
    return Conflict(
        f"Another {what} of this key came first, and this one was not stored: ask last() anew, look again whether to "
        "publish, and expect what last() said."
    )
