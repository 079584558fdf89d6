"""Explain: what may be said of an error in a log line or a dead letter."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from hayai.errors import HayaiError

_LONGEST = 1000


def explained(wrong: BaseException) -> str:
    """An error's sentence if it is one of ours; of any other only its class and where it was raised.

    The text of a stranger's exception may hold what a person said.
    """
    if isinstance(wrong, HayaiError):
        return str(wrong)[:_LONGEST]
    frames = traceback.extract_tb(wrong.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(wrong).__name__}{place}"
