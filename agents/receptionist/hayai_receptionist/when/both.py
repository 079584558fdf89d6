"""Words that name a day and a time of day at once: "tonight", "this afternoon", "early Monday"."""

from __future__ import annotations

from datetime import timedelta

from hayai_receptionist.when.clock import Times
from hayai_receptionist.when.days import single
from hayai_receptionist.when.frame import Anchor, DaySpec, Mask
from hayai_receptionist.when.grammar import Rule, rule
from hayai_receptionist.when.masks import one_day

Both = tuple[DaySpec, Times]

_TODAY = Anchor(single(lambda f: f.today))
_TOMORROW = Anchor(lambda f: (one_day(f.today + timedelta(1)),))


def _this(how: str | None, part: str) -> Both:
    return _TODAY, Times(bands=(f"{how} {part}" if how in {"early", "late", "mid"} else part,))


def _early(how: str, day: DaySpec) -> Both:
    """Thus "early on Monday" is the early morning, "late on Friday" the late afternoon."""
    return day, Times(bands=("early morning" if how == "early" else "late afternoon",))


BOTH_RULES: tuple[Rule, ...] = (
    rule("BOTH", "=early|late|later? tonight", lambda how: _this(how, "night")),
    rule("BOTH", "=early|late|mid|later|earlier? this =morning|afternoon|evening|lunch|night", _this),
    rule("BOTH", "later|earlier|sometime|still on? today", lambda: (_TODAY, Times())),
    rule("BOTH", "first thing tomorrow morning?", lambda: (_TOMORROW, Times(bands=("opening",)))),
    rule(
        "BOTH",
        "=early|mid|late on? NAMED =morning|afternoon|evening|night",
        lambda how, day, part: (day, Times(bands=(f"{how} {part}",))),
    ),
    rule("BOTH", "bright? and? =early|late on? NAMED", _early),
    rule("BOTH", "NAMED =early|late", lambda day, how: _early(how, day)),
    rule("BOTH", "NAMED all day long?", lambda day: (day, Times())),
    rule("BOTH", "all day on? NAMED", lambda day: (day, Times())),
    rule("NAMED", "WD", lambda t: Mask(weekdays=frozenset({t.value}), typo=t.other)),
    rule("NAMED", "DATE", lambda d: d),
    rule("NAMED", "tomorrow", lambda: _TOMORROW),
    rule("NAMED", "today", lambda: _TODAY),
)
