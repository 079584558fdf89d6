"""Clock times and parts of the day: what was said about the hour, still without a date."""
# ruff: noqa: PLR2004 - 12, 24 and 60, 7 and 31 are what a clock and a calendar are made of

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hayai_receptionist.when.grammar import Rule, rule

if TYPE_CHECKING:
    from hayai_receptionist.when.tokens import Token


@dataclass(frozen=True)
class Clock:
    """A clock time as said: `half` is "am" or "pm" when said, `fixed` when the hour has only one reading.

    `doubtful` is a number before a word that it may count.
    """

    hour: int
    minute: int = 0
    half: str | None = None
    fixed: bool = False
    about: bool = False
    doubtful: bool = False

    @property
    def valid(self) -> bool:
        """Whether such a time exists at all: not 25:00, not 3:75, not 15 am."""
        in_day = self.hour < 24 or (self.hour == 24 and self.minute == 0)
        return in_day and self.minute < 60 and not (self.half == "am" and self.hour > 12)

    @property
    def minutes(self) -> tuple[int, ...]:
        """Its readings in minutes after midnight, the morning first."""
        if self.fixed or self.hour == 0 or self.hour > 12:
            return (self.hour * 60 + self.minute,)
        morning = self.hour % 12 * 60 + self.minute
        if self.half:
            return (morning + (720 if self.half == "pm" else 0),)
        return morning, morning + 720


@dataclass(frozen=True)
class Times:
    """What one clause says about the time of day.

    `bare` marks a number that its neighbours must vouch for, `doubtful` one that must be asked about; `same` is "the
    same time" and `shift` "later" or "earlier" than the window under discussion; `turn` is a range that says "to",
    and `against` a bound put as a negation ("not before 10"), which an exclusion before it does not turn round;
    `past` are minutes past the hour under discussion ("make it quarter past"), and `that` marks
    "after that", which may lean on a day; `party` is "for 2", which beside another clock time counts people;
    `edge` marks the part of the day on which an open end hangs: "by Friday morning".
    """

    at: Clock | None = None
    low: Clock | None = None
    high: Clock | None = None
    bands: tuple[str, ...] = ()
    bare: bool = False
    doubtful: bool = False
    same: bool = False
    shift: str = ""
    turn: bool = False
    against: bool = False
    past: int | None = None
    that: bool = False
    party: bool = False
    edge: bool = False


NOON = Clock(12, 0, fixed=True)
MIDNIGHT = Clock(24, 0, fixed=True)

BANDS: dict[str, tuple[int, int]] = {
    "morning": (6 * 60, 12 * 60),
    "early morning": (6 * 60, 10 * 60),
    "mid morning": (9 * 60, 11 * 60),
    "late morning": (10 * 60, 12 * 60),
    "lunch": (12 * 60, 14 * 60),
    "afternoon": (12 * 60, 17 * 60),
    "early afternoon": (12 * 60, 15 * 60),
    "mid afternoon": (14 * 60, 16 * 60),
    "late afternoon": (15 * 60, 18 * 60),
    "evening": (17 * 60, 21 * 60),
    "early evening": (17 * 60, 19 * 60),
    "mid evening": (18 * 60, 20 * 60),
    "late evening": (19 * 60, 22 * 60),
    "night": (17 * 60, 24 * 60),
    "early night": (17 * 60, 20 * 60),
    "mid night": (20 * 60, 22 * 60),
    "late night": (20 * 60, 24 * 60),
    "after lunch": (13 * 60, 17 * 60),
    "before lunch": (0, 12 * 60),
    "after work": (17 * 60, 24 * 60),
    "before work": (0, 9 * 60),
    "after school": (15 * 60, 24 * 60),
    "before school": (0, 8 * 60 + 30),
    "after dinner": (19 * 60, 24 * 60),
    "before dinner": (0, 18 * 60),
    "after breakfast": (9 * 60, 12 * 60),
    "before breakfast": (0, 8 * 60),
}
"""Parts of the day in minutes after midnight. "opening" and "closing" depend on the day's hours."""

HALVES = {
    "morning": (0, 720),
    "afternoon": (720, 1200),
    "lunch": (660, 900),
    "evening": (900, 1440),
    "night": (960, 1440),
}
"""Where an hour said together with a part of the day must lie: "6 in the afternoon" is 18:00."""


def _from_token(token: Token) -> Clock:
    digits = token.text.lstrip("t")
    hour, _, minute = digits.replace(".", ":").replace("h", ":").partition(":")
    return Clock(int(hour), int(minute[:2] or 0), fixed="h" in digits or (len(hour) == 2 and hour[0] == "0"))


def _hhmm(token: Token) -> Clock:
    fixed = len(token.text) == 4 and (token.text[0] == "0" or token.value >= 1300)
    return Clock(token.value // 100, token.value % 100, fixed=fixed)


def _bare(token: Token) -> Clock:
    fixed = len(token.text) == 2 and token.text[0] == "0"
    return Clock(token.value, 0, fixed=fixed, doubtful="DOUBTFUL" in token.keys)


def _halved(clock: Clock, half: Token | None) -> Clock:
    return replace(clock, half=half.word if half.word in {"am", "pm"} else half.text[0] + "m") if half else clock


def _past(minutes: int, hour: Token, half: Token | None) -> Clock | None:
    return _halved(Clock(hour.value, minutes), half) if hour.value <= 23 else None


def _to_hour(minutes: Token, hour: Token, half: Token | None) -> Clock | None:
    """Thus "5 to 3" is 2:55; "10 to 3" in digits may also be from ten to three, and is doubtful."""
    clock = _to(minutes.value, hour, half)
    range_too = minutes.value == 10 or 5 == minutes.value < hour.value < 9
    in_digits = "SPELLED" not in minutes.keys and half is None
    return replace(clock, doubtful=True) if clock and range_too and in_digits else clock


def _to(minutes: int, hour: Token, half: Token | None) -> Clock | None:
    if not 0 < minutes < 60 or hour.value > 23:
        return None
    if hour.value in {0, 24}:
        return Clock(23, 60 - minutes, fixed=True)
    if hour.value > 12:
        return Clock(hour.value - 1, 60 - minutes, fixed=True)
    clock = _halved(Clock(hour.value, 0), half)
    moved = hour.value - 1 or 12
    # 12:30 am less a quarter changes the half: noon less ten minutes is am.
    half_word = {"am": "pm", "pm": "am"}[clock.half] if clock.half and hour.value == 12 else clock.half
    return Clock(moved, 60 - minutes, half_word)


def _past_noon(minutes: int, word: str) -> Clock:
    return Clock(12 if word == "noon" else 0, minutes, fixed=True)


def _to_noon(minutes: int, word: str) -> Clock:
    return Clock(11 if word == "noon" else 23, 60 - minutes, fixed=True)


def _short_of_noon(minutes: Token, word: str) -> Clock:
    """Thus "5 to noon" is 11:55; "10 to noon" in digits may also be from ten to noon, and is doubtful."""
    clock = _to_noon(minutes.value, word)
    return replace(clock, doubtful=minutes.value == 10 and "SPELLED" not in minutes.keys)


def _spoken(hour: Token, minute: Token, half: Token | None) -> Clock | None:
    ok = minute.value < 60 and hour.value <= 23 and (minute.value >= 10)
    return _halved(Clock(hour.value, minute.value), half) if ok else None


def _in_a_row(hour: Token, minute: Token, half: Token | None) -> Clock | None:
    """Thus "9 30" is a time, while "9 10" may be two hours."""
    clock = _spoken(hour, minute, half)
    sure = half or "SPELLED" in hour.keys or minute.value in {15, 30, 45}
    return replace(clock, doubtful=True) if clock and not sure else clock


CLOCK_RULES: tuple[Rule, ...] = (
    rule("CLOCK", "CLK AMPM?", lambda t, h: _halved(_from_token(t), h)),
    rule("CLOCK", "INT ish AMPM", lambda t, h: replace(_halved(_bare(t), h), about=True)),
    rule("CLOCK", "HOUR and a half", lambda t: Clock(t.value, 30, doubtful=True)),
    rule("CLOCK", "INT AMPM", lambda t, h: _halved(_hhmm(t) if t.value > 24 else _bare(t), h)),
    rule("CLOCK", "INT MIN AMPM", _spoken),
    rule("CLOCK", "INT o'clock AMPM?", lambda t, h: _halved(_bare(t), h)),
    rule("CLOCK", "INT o clock AMPM?", lambda t, h: _halved(_bare(t), h)),
    rule("CLOCK", "INT oh|o INT AMPM?", lambda t, m, h: _halved(Clock(t.value, m.value), h) if m.value < 10 else None),
    rule("CLOCK", "oh|o|zero? INT hundred hour?", lambda t: Clock(t.value, 0, fixed=True) if t.value < 24 else None),
    rule("CLOCK", "INT hour sharp?", lambda t: _hhmm(t) if "HHMM" in t.keys and len(t.text) == 4 else None),
    rule("CLOCK", "a? half past|after HOURISH AMPM?", lambda t, h: _past(30, t, h)),
    rule("CLOCK", "half HOURISH AMPM?", lambda t, h: _past(30, t, h)),
    rule("CLOCK", "a? quarter past|after HOURISH AMPM?", lambda t, h: _past(15, t, h)),
    rule("CLOCK", "a? quarter to|of|until|before HOURISH AMPM?", lambda t, h: _to(15, t, h)),
    rule(
        "CLOCK", "INT minute? past|after HOURISH AMPM?", lambda m, t, h: _past(m.value, t, h) if m.value < 60 else None
    ),
    rule("CLOCK", "five and twenty minute? past HOURISH AMPM?", lambda t, h: _past(25, t, h)),
    rule("CLOCK", "five and twenty minute? to HOURISH AMPM?", lambda t, h: _to(25, t, h)),
    rule("CLOCK", "CLK hour", _from_token),
    rule("CLOCK", "MINUTES to HOURISH AMPM?", _to_hour),
    rule("CLOCK", "MINUTES until HOURISH AMPM?", _to_hour),
    rule("CLOCK", "MINUTES of|before HOURISH AMPM?", lambda m, t, h: _to(m.value, t, h)),
    rule("CLOCK", "INT minute to|of|until|before HOURISH AMPM?", lambda m, t, h: _to(m.value, t, h)),
    rule("CLOCK", "a? half past|after =noon|midnight", lambda w: _past_noon(30, w)),
    rule("CLOCK", "a? quarter past|after =noon|midnight", lambda w: _past_noon(15, w)),
    rule("CLOCK", "a? quarter to|of|before =noon|midnight", lambda w: _to_noon(15, w)),
    rule(
        "CLOCK", "INT minute? past|after =noon|midnight", lambda m, w: _past_noon(m.value, w) if m.value < 60 else None
    ),
    rule(
        "CLOCK",
        "INT minute to|of|before =noon|midnight",
        lambda m, w: _to_noon(m.value, w) if 0 < m.value < 60 else None,
    ),
    rule("CLOCK", "MINUTES of|before =noon|midnight", lambda m, w: _to_noon(m.value, w)),
    rule("CLOCK", "MINUTES to =noon|midnight", _short_of_noon),
    rule("CLOCK", "SPELLEDHOUR SPELLEDMIN AMPM?", _spoken),
    rule("CLOCK", "HOURISH noon", lambda t: NOON if t.value == 12 else None),
    rule("CLOCK", "HOURISH midnight", lambda t: MIDNIGHT if t.value == 12 else None),
    rule("CLOCK", "noon", lambda: NOON),
    rule("CLOCK", "noonish", lambda: replace(NOON, about=True)),
    rule("CLOCK", "midnight", lambda: MIDNIGHT),
    rule("CLOCK", "noon|midnight ish", lambda: replace(NOON, about=True)),
    rule("CLOCK", "OVER o'clock|AMPM", lambda t, _: Clock(t.value)),
    rule("HOURISH", "HOUR", lambda t: t),
    rule("HOURISH", "HOUR o'clock", lambda t: t),
    rule("SPELLEDHOUR", "HOUR", lambda t: t if "SPELLED" in t.keys and t.value <= 12 else None),
    rule("SPELLEDMIN", "MIN", lambda t: t if "SPELLED" in t.keys else None),
    rule("MINUTES", "INT", lambda t: t if t.value in {5, 10, 20, 25} else None),
    # The hour after a preposition may stand bare.
    rule("MOMENT", "CLOCK", lambda c: c),
    rule("MOMENT", "CLOCK ish", lambda c: replace(c, about=True)),
    rule("MOMENT", "CLOCK or so|thereabouts", lambda c: replace(c, about=True)),
    rule("MOMENT", "HOUR or so|thereabouts", lambda t: replace(_bare(t), about=True)),
    rule("MOMENT", "HOUR", _bare),
    rule("MOMENT", "HOUR ish", lambda t: replace(_bare(t), about=True)),
    rule("MOMENT", "HHMM", _hhmm),
    rule("MOMENT", "HOUR MIN AMPM?", _in_a_row),
    rule("MOMENT", "nearer|closer to? MOMENT", lambda c: replace(c, about=True)),
    rule("MOMENT", "about|around|roughly|approximately|approx|circa|nearly|~ MOMENT", lambda c: replace(c, about=True)),
)
