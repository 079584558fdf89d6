"""Special days: the exceptions of the business file by the names that it gives them: "Australia Day at 9"."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from hayai_receptionist.words import words

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk

_TELLING = 2
"""A name of fewer words may stand for anything."""


def dated(text: str, desk: Desk) -> str:
    """`text` with the names of exceptional days to come replaced by their dates, where only one has that name."""
    coming = [each for each in desk.business.schedule.exceptions if each.day >= desk.today()]
    names = Counter(each.reason.casefold() for each in coming)
    for each in sorted(coming, key=lambda each: -len(each.reason)):
        if len(words(each.reason)) >= _TELLING and names[each.reason.casefold()] == 1:
            text = re.sub(rf"\b{re.escape(each.reason)}\b", each.day.isoformat(), text, flags=re.IGNORECASE)
    return text
