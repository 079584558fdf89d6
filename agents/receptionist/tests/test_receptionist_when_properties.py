"""Whatever is written, the answer is well formed; and what is composed from known parts comes back as meant."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from inspect import signature
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from hayai_receptionist.when import lexicon
from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.scan import GRAMMAR
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Understanding, Window

ZONES = [ZoneInfo(name) for name in ("America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Los_Angeles")]
WORDS = sorted(
    {name for rules in GRAMMAR.rules.values() for r in rules for e in r.elements for name in e.names if name.islower()}
    | set(lexicon.ALIASES)
    | set(lexicon.WEEKDAYS)
    | set(lexicon.MONTHS)
    | {
        "3",
        "10",
        "12",
        "1530",
        "5th",
        "31st",
        "3:30",
        "25:99",
        "2pm",
        "5/1",
        "2027-02-30",
        "0",
        "24",
        "29",
        ",",
        ".",
        "?",
    },
)
NOWS = st.builds(
    lambda zone, minutes: (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(zone),
    st.sampled_from(ZONES),
    st.integers(0, 3 * 366 * 24 * 60),
)
DAYS = list(lexicon.WEEKDAYS)


def check(got: Understanding, now: datetime) -> None:
    """Every promise that holds for any text."""
    assert 0 <= got.confidence <= 1
    assert (got.question is None) == (got.confidence >= SURE)
    for window in (*got.windows, *got.choices):
        assert window.start.tzinfo is now.tzinfo
        assert window.end.tzinfo is now.tzinfo
        assert window.start.astimezone(UTC) < window.end.astimezone(UTC)
        assert got.question or window.start.astimezone(UTC) >= now.astimezone(UTC)


@given(st.text(max_size=200), NOWS)
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_raises(text: str, now: datetime) -> None:
    """Any characters."""
    check(understand(text, now=now, hours=Hours()), now)


@given(st.lists(st.sampled_from(WORDS), max_size=12), NOWS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_no_jumble_of_time_words_raises(words: list[str], now: datetime, with_context: bool) -> None:
    """Words of the grammar in any order, with and without a window under discussion."""
    start = now + timedelta(days=3)
    context = Window(start, start + timedelta(minutes=1), precise=True) if with_context else None
    check(understand(" ".join(words), now=now, hours=Hours(), context=context), now)


@given(
    st.integers(0, 6),
    st.sampled_from(["", "morning", "afternoon"]),
    st.integers(9, 16),
    st.sampled_from([0, 15, 30, 45]),
    st.sampled_from(["clock", "ampm", "words", "24h", "dot", "military"]),
    st.sampled_from(
        ["{day} {part} {clock}", "{clock} {day} {part}", "on {day} {part} at {clock}", "{clock} on {day} {part}"]
    ),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_composed_wish_comes_back_as_meant(
    weekday: int, part: str, hour: int, minute: int, form: str, template: str, upper: bool
) -> None:
    """A weekday, perhaps a part of the day, and a clock time in any of its forms and orders."""
    now = datetime(2026, 11, 18, 10, tzinfo=ZONES[0])
    if weekday == now.weekday():
        weekday = (weekday + 1) % 7
    part = part if (part == "morning") == (hour < 12) else ""
    text = template.format(day=DAYS[weekday], part=part, clock=_clock(hour, minute, form))
    got = understand(text.upper() if upper else text, now=now, hours=Hours())
    ahead = (weekday - now.weekday()) % 7
    expected = datetime.combine(now.date() + timedelta(ahead), time(hour, minute), tzinfo=now.tzinfo)
    assert got.confidence >= SURE, (text, got)
    assert [w.start for w in got.windows] == [expected], text


def _clock(hour: int, minute: int, form: str) -> str:
    names = ["twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
    twelve = hour % 12 or 12
    if form == "ampm":
        return (
            f"{twelve}:{minute:02d}{'am' if hour < 12 else 'pm'}"
            if minute
            else f"{twelve}{'am' if hour < 12 else 'pm'}"
        )
    if form == "24h":
        return f"{hour}:{minute:02d}"
    if form == "dot":
        return f"{hour}.{minute:02d}"
    if form == "military":
        return f"{hour:02d}{minute:02d}"
    if form == "clock":
        return f"{twelve}:{minute:02d}"
    name, following = names[hour % 12], names[(hour + 1) % 12]
    return {0: f"{name} o'clock", 15: f"quarter past {name}", 30: f"half past {name}", 45: f"quarter to {following}"}[
        minute
    ]


def test_every_rule_takes_what_its_pattern_hands_over() -> None:
    """A rule with the wrong number of captures would only fail when somebody says it."""
    for rules in GRAMMAR.rules.values():
        for rule in rules:
            signature(rule.make).bind(*[None] * sum(e.capture for e in rule.elements))
