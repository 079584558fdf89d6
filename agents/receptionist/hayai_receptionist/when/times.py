"""Times of day as a clause says them: at, around, before, after, between, and parts of the day."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hayai_receptionist.when.clock import MIDNIGHT, NOON, Clock, Times
from hayai_receptionist.when.grammar import Rule, rule

if TYPE_CHECKING:
    from hayai_receptionist.when.tokens import Token


def _at(clock: Clock) -> Times:
    return Times(at=clock)


def _lone(token: Token) -> Times:
    """A number with nothing before it that makes it a time; its neighbours must vouch for it."""
    if "HHMM" in token.keys:
        clock = Clock(token.value // 100, token.value % 100, fixed=token.value >= 1300 or token.text[0] == "0")
    else:
        clock = Clock(token.value, fixed=len(token.text) == 2 and token.text[0] == "0")
    return Times(at=clock, bare=True, doubtful=bool({"DOUBTFUL", "YEAR"} & token.keys))


def _between(low: Clock, high: Clock) -> Times:
    if high.half and not low.half and not low.fixed and low.hour <= 12:
        low = _sharing_half(low, high)
    return Times(low=low, high=high)


def _turn(low: Clock, high: Clock) -> Times:
    """Thus "from 2 to 4" is a range, but in "move it from 2 to 4" the wish is 4."""
    return replace(_between(low, high), turn=True)


def _sharing_half(low: Clock, high: Clock) -> Clock:
    """In "2-4pm" the first hour is pm too, in "11-1pm" it is not."""
    same = replace(low, half=high.half)
    if same.minutes[0] < high.minutes[0]:
        return same
    return replace(low, half="am" if high.half == "pm" else "pm")


def _dashed(low: Token, high: Token, half: Token | None) -> Times | None:
    """Thus "9-11" is a range of hours when both may be hours and something else vouches for it."""
    if half is None:
        times = _between(Clock(low.value), Clock(high.value))
        return replace(times, bare=True)
    return _between(Clock(low.value), Clock(high.value, half=half.word[0] + "m"))


def _to_range(low: Token, high: Token, half: Token | None) -> Times | None:
    """Thus "10 to 4" may be ten minutes to four: only minutes that people say so are in doubt."""
    times = _dashed(low, high, half)
    minutes_idiom = low.value in {20, 25} or (low.value == 5 and not 5 < high.value < 9)
    if times is None or minutes_idiom or (low.value in {5, 10} and "SPELLED" in low.keys):
        return None
    return replace(times, doubtful=low.value in {5, 10}, turn=True)


def _part(how: str | None, part: str) -> Times:
    early = {"early": "early ", "earlier": "early ", "mid": "mid ", "late": "late ", "later": "late ", "end": "late "}
    early |= {"beginning": "early ", "start": "early "}
    return Times(bands=(f"{early[how]}{part}" if how else part,))


def _edge(preposition: str, part: str) -> Times:
    if part in {"lunch", "work", "school", "dinner", "breakfast"}:
        return Times(bands=(f"{preposition} {part}",))
    starts: dict[str, Clock] = {
        "morning": Clock(6, fixed=True),
        "afternoon": NOON,
        "evening": Clock(17),
        "night": Clock(18),
    }
    ends = {"morning": NOON, "afternoon": Clock(17), "evening": Clock(21), "night": MIDNIGHT}
    return Times(high=starts[part]) if preposition == "before" else Times(low=ends[part])


def _shift(word: str) -> Times:
    return Times(shift="earlier" if word == "sooner" else word)


PREP_AFTER = "after|past|following|beyond"
PREP_BEFORE = "before|by|until"
PARTS = "=morning|afternoon|evening|night"

TIME_RULES: tuple[Rule, ...] = (
    rule("TIME", "HOUR to HOUR AMPM?", _to_range),
    rule("TIME", "between MOMENT and|to|-|& MOMENT", _between),
    rule("TIME", "from MOMENT to MOMENT", _turn),
    rule("TIME", "from MOMENT until|-|through MOMENT", _between),
    rule("TIME", "CLOCK", _at),
    rule("TIME", "CLOCK ish", lambda c: Times(at=replace(c, about=True))),
    rule("TIME", "CLOCK sharp|exactly|precisely", _at),
    rule("TIME", "CLOCK or so|thereabouts", lambda c: Times(at=replace(c, about=True))),
    rule(
        "TIME",
        "about|around|roughly|approximately|approx|circa|nearly|~ MOMENT",
        lambda c: Times(at=replace(c, about=True)),
    ),
    rule("TIME", "at|exactly exactly? MOMENT sharp|exactly|precisely?", _at),
    rule("TIME", "the? earliest|soonest i|we can|could do|make|come|manage? is MOMENT", lambda c: Times(low=c)),
    rule("TIME", "the? latest i|we can|could do|make|come|manage? is MOMENT", lambda c: Times(high=c)),
    rule("TIME", "time is|of|would be? MOMENT", _at),
    rule("TIME", "HOUR sharp|exactly|precisely", lambda t: Times(at=Clock(t.value))),
    rule("TIME", "HOUR ish", lambda t: Times(at=Clock(t.value, about=True))),
    rule("TIME", "HOUR", _lone),
    rule("TIME", "HHMM", _lone),
    rule("TIME", "HOUR MINDIGITS", lambda t, m: Times(at=Clock(t.value, m.value), bare=True)),
    rule(
        "MINDIGITS", "MIN", lambda m: m if len(m.text) == 2 and ("DOM" not in m.keys or m.value in {15, 30}) else None
    ),
    rule("TIME", "for HOUR", lambda t: replace(_lone(t), party=True)),
    rule("TIME", "at? MOMENT or later|after|onward", lambda c: Times(low=c)),
    rule("TIME", "MOMENT onward|forward", lambda c: Times(low=c)),
    rule("TIME", "at? MOMENT and|or after|later|onward", lambda c: Times(low=c)),
    rule("TIME", "at|by? MOMENT or earlier|before|sooner", lambda c: Times(high=c)),
    rule("TIME", "MOMENT at? the? latest", lambda c: Times(high=c)),
    rule("TIME", "MOMENT at? the? earliest", lambda c: Times(low=c)),
    rule("TIME", f"any? anytime? sometime? {PREP_AFTER} MOMENT", lambda c: Times(low=c)),
    rule("TIME", "from MOMENT onward|forward?", lambda c: Times(low=c)),
    rule("TIME", "starting|start|beginning from|at? MOMENT", lambda c: Times(low=c)),
    rule(
        "TIME",
        "not|no|nothing|never before|until|till|earlier|sooner than? MOMENT",
        lambda c: Times(low=c, against=True),
    ),
    rule(
        "TIME",
        "not|never|no|nothing before MOMENT or|and|nor after|past MOMENT",
        lambda a, b: Times(low=a, high=b, against=True),
    ),
    rule(
        "TIME",
        "not|never|no|nothing after|past MOMENT or|and|nor before MOMENT",
        lambda a, b: Times(low=b, high=a, against=True),
    ),
    rule("TIME", "at or|and after MOMENT", lambda c: Times(low=c)),
    rule("TIME", "later than MOMENT", lambda c: Times(low=c)),
    rule("TIME", "earlier|sooner than MOMENT", lambda c: Times(high=c)),
    rule("TIME", f"any? anytime? sometime? up? {PREP_BEFORE} MOMENT", lambda c: Times(high=c)),
    rule("TIME", "up to MOMENT", lambda c: Times(high=c)),
    rule("TIME", "not|no|nothing|never after|past|later than? MOMENT", lambda c: Times(high=c, against=True)),
    rule("TIME", "CLOCK to MOMENT", _turn),
    rule("TIME", "CLOCK until|-|through MOMENT", _between),
    rule("TIME", "HOUR|HHMM - CLOCK", lambda t, c: _between(_moment(t), c)),
    rule("TIME", "HOUR|HHMM to|until|through CLOCK", lambda t, c: _between(_moment(t), c)),
    rule("TIME", "HHMM - HHMM", lambda a, b: _between(_moment(a), _moment(b))),
    rule("TIME", "HHMM to|until HHMM", lambda a, b: _between(_moment(a), _moment(b))),
    rule("TIME", "HOUR - HOUR AMPM?", _dashed),
    rule("TIME", "HOUR until|through HOUR AMPM?", _dashed),
    # Parts of the day.
    rule("TIME", f"in|during|over|on|for|at? the|an|a? =early|mid|late|earlier|later? {PARTS}", _part),
    rule("TIME", f"=early|mid|late|earlier|later in|of the {PARTS}", _part),
    rule("TIME", f"in? the? =early|mid|end|beginning|start of|in the? {PARTS}", _part),
    rule("TIME", f"towards|toward|at|near the end of the {PARTS}", lambda p: Times(bands=(f"late {p}",))),
    rule("TIME", "at|over|during|around|for|in? the|my? lunch hour|break|time?", lambda: Times(bands=("lunch",))),
    rule("TIME", "at? lunch time|hour|break", lambda: Times(bands=("lunch",))),
    rule("TIME", f"=before|after the? {PARTS}", _edge),
    rule("TIME", "=before|after my? the? =lunch|work|school|dinner|breakfast time|hour|break?", _edge),
    rule("TIME", "by|until the? end? of? lunch", lambda: Times(bands=("before lunch",))),
    rule("TIME", "first thing in? the? morning?", lambda: Times(bands=("opening",))),
    rule("TIME", "the? first appointment|slot|one of the day|morning?", lambda: Times(bands=("opening",))),
    rule("TIME", "when|once|after|at you? open|opening time?", lambda: Times(bands=("opening",))),
    rule(
        "TIME",
        "the|your? very first appointment|slot|appt|one in|of|on? the? day|morning?",
        lambda: Times(bands=("opening",)),
    ),
    rule("TIME", "as soon as you open", lambda: Times(bands=("opening",))),
    rule("TIME", "at? the|your? latest appointment|slot|appt|one|time|opening|gap", lambda: Times(bands=("closing",))),
    rule("TIME", "at? the|your? latest you can|have|got|could do|offer?", lambda: Times(bands=("closing",))),
    rule("TIME", "at? the? end|close of the? day|business|play", lambda: Times(bands=("closing",))),
    rule("TIME", "at? the? last thing|appointment|slot of? the? day? at? night?", lambda: Times(bands=("closing",))),
    rule("TIME", "before|at|by you? close|closing time?", lambda: Times(bands=("closing",))),
    rule("TIME", "eod|cob", lambda: Times(bands=("closing",))),
    rule("TIME", "at|make? it? a? =quarter|half past", lambda w: Times(past=15 if w == "quarter" else 30)),
    rule("TIME", "at|for? INT past", lambda t: Times(past=t.value) if t.value in {5, 10, 20, 25} else None),
    rule("TIME", "at? the? same time|hour", lambda: Times(same=True)),
    rule(
        "TIME",
        "any? time? anytime? =after|before|until|by that|then",
        lambda w: Times(shift="later" if w == "after" else "earlier", that=True),
    ),
    rule("TIME", "any? time? anytime? from that|then on|onward?", lambda: Times(shift="from", that=True)),
    rule("TIME", "not|no|never before|until that|then", lambda: Times(shift="from", that=True)),
    rule("TIME", "nearer|closer to? MOMENT", lambda c: Times(at=replace(c, about=True))),
    rule("TIME", "the same but|only|just|again|except", lambda: Times(same=True)),
    rule("TIME", "that time", lambda: Times(same=True)),
    rule("TIME", "a? bit|little|lot|much|somewhat|slightly|anything|something|any? =later|earlier|sooner", _shift),
    rule("TIME", "=later|earlier on|then?", _shift),
)


def _moment(token: Token) -> Clock:
    return _lone(token).at or NOON


def merge(one: Times, two: Times) -> Times | None:
    """Both said of the same day, as one; None when they cannot both hold, so that each stands alone."""
    fields: dict[str, Any] = {}
    for name in ("at", "low", "high"):
        a, b = getattr(one, name), getattr(two, name)
        if a and b and a != b:
            return None
        fields[name] = a or b
    if fields["at"] and (fields["low"] or fields["high"]):
        return None
    bands = one.bands + tuple(b for b in two.bands if b not in one.bands)
    if len(bands) > len(one.bands) and one.bands and two.bands and not _nested(one.bands, two.bands):
        return None
    doubtful = one.doubtful or two.doubtful
    return Times(
        **fields,
        bands=bands,
        bare=one.bare and two.bare,
        doubtful=doubtful,
        same=one.same or two.same,
        shift=one.shift or two.shift,
    )


def _nested(one: tuple[str, ...], two: tuple[str, ...]) -> bool:
    """Thus "in the morning, late morning" is one wish; "opening" and "closing" go with any part."""

    def free(band: str) -> bool:
        return band in {"opening", "closing"} or band.startswith(("after ", "before "))

    return any(a.split()[-1] == b.split()[-1] or free(a) or free(b) for a in one for b in two)
