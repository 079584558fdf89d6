"""Looking: a question about another day while a start is kept; it is answered, and what is kept stays."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from hayai_receptionist import finding, reasons, say
from hayai_receptionist.talk import Wish
from hayai_receptionist.timing import dates

if TYPE_CHECKING:
    from hayai_receptionist.desk import Desk
    from hayai_receptionist.hearing import Heard
    from hayai_receptionist.talk import Talk

_ASKING = re.compile(
    r"^\W*(?:(?:so|and|hm+|wait|but|oh|ok|okay|sorry|just curious)\W+)*"
    r"(?:is|are|do|does|was|isn't|aren't|don't|who|why|have)\b.*\?\s*\Z",
    re.IGNORECASE,
)
_SUGGESTING = re.compile(
    r"\b(?:can|could|instead|rather|what about|how about|possible|move|change|ok|okay|suit|better)\b"
    r"|\bworks?\s*(?:for|with|\?)",
    re.IGNORECASE,
)
_MOST = 3
_DAY = timedelta(days=1)


async def looked(talk: Talk, heard: Heard, desk: Desk) -> str:
    """What there is on the day that is only asked about; empty where the message asks for no day, or wishes one."""
    only_asks = _ASKING.search(heard.text) and not _SUGGESTING.search(heard.text)
    if not talk.held or heard.services or heard.when.has_time or not only_asks:
        return ""
    wishes = [Wish(start=desk.midnight(day), end=desk.midnight(day + _DAY)) for day in dates(heard.text, desk, _MOST)]
    if not wishes or talk.start is None or any(each.start <= talk.start < each.end for each in wishes):
        return ""
    found = await finding.offers(desk, talk.service, wishes)
    told = f"There I have {say.starts(found, desk)}." if found else reasons.none_free(desk, talk.service, wishes)
    return f"{told} I still keep {desk.title(talk.service)} on {say.moment(talk.start, desk)} for you."
