"""Two date libraries as oracles: where both agree on a day and the grammar is sure, it must be the same day."""

from __future__ import annotations

import warnings
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from hayai_receptionist.when.hours import Hours
from hayai_receptionist.when.understand import understand
from hayai_receptionist.when.window import SURE

if TYPE_CHECKING:
    from collections.abc import Callable

ZONE = ZoneInfo("America/New_York")
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
NOWS = [
    datetime.fromisoformat(f"{text}:00")
    for text in ("2026-11-18T10", "2027-02-26T09", "2028-02-28T08", "2026-12-30T12")
]
PLAIN = [
    *(f"{day}{tail}" for day in ("monday", "tuesday", "thursday", "saturday", "sunday") for tail in ("", " at 3pm")),
    *(
        "tomorrow",
        "today",
        "day after tomorrow",
        "tomorrow at 10am",
        "in 3 days",
        "in 10 days",
        "in two weeks",
        "in 2 weeks",
    ),
    *(f"{month} {n}" for month in MONTHS for n in (3, 17)),
    *(f"{n} {month}" for month in MONTHS for n in (8, 25)),
    *(f"{month} 12th, 2029 at 4pm" for month in MONTHS),
    *("2027-03-04", "2028-12-31", "2027-03-04 15:30", "25/12/2027", "12/25/2027"),
    *("in 5 days at 2pm", "the day after tomorrow at 10", "a week from monday", "Friday week", "the 28th at 10"),
    *("next month on the 5th", "first monday in december", "christmas eve", "noon on black friday"),
]


@pytest.fixture(scope="module")
def oracles() -> list[Callable[[str, datetime], date | None]]:
    """Both libraries as functions from a text and a now to a day; imported here, for they warn as they load."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dateparser
        import timesense
    parser: Any = timesense.TimeSenseParser(timesense.TimeConfig(timezone="UTC", default_language="en"))

    def by_dateparser(text: str, now: datetime) -> date | None:
        options = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "future"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dateparser.parse(text, languages=["en"], settings=options)
        return found.date() if found else None

    def by_timesense(text: str, now: datetime) -> date | None:
        try:
            found = parser.parse(text, now=now)
        except Exception:  # noqa: BLE001 - an oracle that fails has no opinion
            return None
        names = ("datetime_at", "start_at", "deadline")
        moment = next((m for n in names if isinstance(m := getattr(found, n, None), datetime)), None)
        return moment.date() if moment else None

    return [by_dateparser, by_timesense]


def test_where_both_oracles_agree_on_a_day_so_does_the_grammar(
    oracles: list[Callable[[str, datetime], date | None]],
) -> None:
    """Over plain dates at several moments; no disagreement is known, so none is allowed."""
    agreed, differences = 0, {}
    for now in NOWS:
        for text in PLAIN:
            days = {oracle(text, now) for oracle in oracles}
            got = understand(text, now=now.replace(tzinfo=ZONE), hours=Hours())
            if len(days) != 1 or None in days or got.confidence < SURE or not got.windows:
                continue
            agreed += 1
            mine = got.windows[0].start.date()
            if mine not in days:
                differences[text, now.isoformat()] = (mine, days)
    print(f"{agreed} agreed readings compared")
    assert agreed > 150
    assert not differences
