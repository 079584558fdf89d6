"""What people write, and what it must come to: exact, never silently wrong, seldom asked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hayai_receptionist.when.frame import OPEN_END, REACH
from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE, Understanding, Window

ZONE = ZoneInfo("America/New_York")
HERE = Path(__file__).parent


def _days(days: str, *pairs: tuple[float, float]) -> dict[int, tuple[tuple[time, time], ...]]:
    opens = tuple((_time(a), _time(b)) for a, b in pairs)
    return {int(d): opens for d in days}


def _time(hour: float) -> time:
    return time(int(hour) % 24, int(hour % 1 * 60))


PROFILES = {
    "office": Hours(),
    "lunch": Hours(_days("01234", (8, 12), (13, 18)) | _days("5", (9, 13))),
    "late": Hours(_days("12345", (10, 20))),
    "early": Hours(_days("01234", (7, 15.5))),
    "London": Hours(_days("01234", (8.5, 18))),
    "New York": Hours(_days("01234", (9, 17)) | _days("5", (10, 14))),
    "round": Hours(_days("0123456", (0, 0))),
}


@dataclass(frozen=True)
class Phrase:
    """One line of the data."""

    text: str
    expected: str
    ambiguous: bool
    group: str
    section: str
    now: datetime
    hours: Hours
    context: Window | None = None


def load(section: str) -> list[Phrase]:
    """All phrases of one section of the data file."""
    data: dict[str, Any] = tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
    plain = [
        Phrase(
            text=line[0],
            expected=line[1],
            ambiguous="ambiguous" in line[2:],
            group=group["name"],
            section=group.get("section", "list"),
            now=datetime.fromisoformat(group["now"]).replace(tzinfo=ZONE),
            hours=PROFILES[group["hours"]],
        )
        for group in data["group"]
        for line in group.get("phrases", ())
        if group.get("section", "list") == section
    ]
    return plain + [
        p for group in data["group"] if group.get("section") == section and "talks" in group for p in _talks(group)
    ]


def _talks(group: dict[str, Any]) -> list[Phrase]:
    """Phrases that each have a `now` of their own, and some a window under discussion."""
    zone = ZoneInfo(group["zone"])
    return [
        Phrase(
            text=text,
            expected=expected,
            ambiguous=bool(flag),
            group=group["name"],
            section=group["section"],
            now=datetime.fromisoformat(now).replace(tzinfo=zone),
            hours=PROFILES[group["hours"]],
            context=_context(context, zone),
        )
        for now, context, text, expected, *flag in group.get("talks", ())
    ]


def _context(text: str, zone: ZoneInfo) -> Window | None:
    if not text:
        return None
    start = datetime.fromisoformat(text).replace(tzinfo=zone)
    precise = "T" in text
    return Window(start, start + (timedelta(minutes=1) if precise else timedelta(1)), precise)


def expected_windows(phrase: Phrase) -> list[tuple[datetime, datetime, bool]]:
    """The windows that the notation of the data file stands for."""
    found = [w for part in phrase.expected.split(" | ") for w in _expand(part, phrase)]
    now = phrase.now.replace(tzinfo=None)
    return [(s if p else max(s, now), e, p) for s, e, p in found if e > now and (s >= now or not p)]


def _expand(part: str, phrase: Phrase) -> list[tuple[datetime, datetime, bool]]:
    today = phrase.now.date()
    if part == "open":
        return [_whole(today, today + timedelta(OPEN_END))]
    if part.startswith("daily "):
        days = (today + timedelta(n) for n in range(REACH))
        return [_timed(d, part.removeprefix("daily ")) for d in days if phrase.hours.is_open(d)]
    head, _, clock = part.partition(" ")
    if ".." in head:
        first, last = head.split("..")
        start = _date(first, today)
        begin, end, _ = _whole(start, _date(last, start))
        return [(begin, end - timedelta(1) + _minutes(clock) if clock else end, False)]
    return [_timed(_date(head, today), clock)] if clock else [_whole(_date(head, today), _date(head, today))]


def _date(text: str, today: date) -> date:
    month, day = (int(p) for p in text.split("-"))
    years = (y for y in range(today.year, today.year + 9) if (month, day) != (2, 29) or y % 4 == 0)
    return next(d for y in years if (d := date(y, month, day)) >= today)


def _whole(first: date, last: date) -> tuple[datetime, datetime, bool]:
    return datetime.combine(first, time()), datetime.combine(last + timedelta(1), time()), False


def _timed(day: date, clock: str) -> tuple[datetime, datetime, bool]:
    midnight = datetime.combine(day, time())
    if "-" in clock:
        low, high = (midnight + _minutes(part) for part in clock.split("-"))
        return low, high, False
    start = midnight + _minutes(clock.removesuffix("~"))
    return start, start + timedelta(minutes=30 if clock.endswith("~") else 1), True


def _minutes(clock: str) -> timedelta:
    hour, minute = clock.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _plain(window: Window) -> tuple[datetime, datetime, bool]:
    return window.start.replace(tzinfo=None, fold=0), window.end.replace(tzinfo=None, fold=0), window.precise


def verdict(phrase: Phrase, got: Understanding) -> str:
    """exact, asked, or wrong; an expected question that is not asked is wrong."""
    asked = got.confidence < SURE
    if phrase.expected == "?":
        return "exact" if asked and got.question else "wrong"
    if asked:
        return "asked"
    expected = [] if phrase.expected == "-" else expected_windows(phrase)
    return "exact" if [_plain(w) for w in got.windows] == expected else "wrong"


def judge(section: str) -> tuple[str, dict[str, int], int]:
    """A report of every phrase that is not exact, the count of each verdict, and of unambiguous ones asked about."""
    lines, counts, asked = [], {"exact": 0, "asked": 0, "wrong": 0}, 0
    for phrase in load(section):
        got = understand(phrase.text, now=phrase.now, hours=phrase.hours, context=phrase.context)
        result = verdict(phrase, got)
        counts[result] += 1
        asked += result == "asked" and not phrase.ambiguous
        if result != "exact":
            said = got.question or ", ".join(
                f"{s:%m-%d %H:%M}/{e:%m-%d %H:%M}" for s, e, _ in map(_plain, got.windows[:4])
            )
            lines.append(f"{result}: [{phrase.group}] {phrase.text!r} expected {phrase.expected}; got {said}")
    return "\n".join(lines), counts, asked


@pytest.mark.parametrize(
    "section",
    [
        "list",
        "held out",
        "held out again",
        "held out a third time",
        "held out a fourth time",
        "unseen, in London",
        "unseen, in New York",
    ],
)
def test_phrases_are_read_exactly_or_asked_about(section: str) -> None:
    """At least 95 % exact, none silently wrong, at most 15 % of the unambiguous asked about."""
    report, counts, asked = judge(section)
    phrases = load(section)
    unambiguous = sum(not p.ambiguous and p.expected != "?" for p in phrases)
    figures = f"{section}: {len(phrases)} phrases, {counts}, {asked} of {unambiguous} unambiguous asked about"
    print(f"{figures}\n{report}")
    assert len(phrases) >= 75, figures
    assert counts["wrong"] == 0, report
    assert counts["exact"] >= 0.95 * len(phrases), report
    assert asked <= 0.15 * unambiguous, report
