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
    way = places(wrong)
    return f"{type(wrong).__name__} at {way[-1].partition(' ')[0]}" if way else type(wrong).__name__


def places(wrong: BaseException) -> list[str]:
    """`file:line in function` from the outermost call to where it was raised; reads no file."""
    frames = traceback.walk_tb(wrong.__traceback__)
    return [f"{PurePath(each.f_code.co_filename).name}:{line} in {each.f_code.co_name}" for each, line in frames]
