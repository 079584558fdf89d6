"""What a schedule takes, and what it refuses, each in a sentence."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hayai.schedule import Opening, Schedule
from hayai.testing.practice import practice


def changed(**changes: Any) -> Schedule:
    """The practice as a data file would give it, with some keys changed."""
    return Schedule.model_validate({**practice().model_dump(mode="json"), **changes})


def test_a_schedule_survives_json() -> None:
    """As the database keeps it."""
    schedule = practice()
    assert Schedule.model_validate_json(schedule.model_dump_json()) == schedule
    assert schedule.zone.key == "America/New_York"


@pytest.mark.parametrize("closes", ["24:00", "24:00:00", "00:00", time(0)])
def test_closing_at_midnight_may_be_written_either_way(closes: object) -> None:
    """24:00 is the end of the day, kept as 00:00."""
    assert Opening.model_validate({"opens": "18:00", "closes": closes}).closes == time(0)


CHAIR = {"id": "c", "name": "C", "kind": "chair"}
CHECKUP = {"id": "checkup", "name": "Check-up", "duration": 1800, "needs": ["chair"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timezone": "America/Springfield"}, "no time zone 'America/Springfield'"),
        ({"timezone": "../etc/passwd"}, "no time zone"),
        ({"hours": {"7": []}}, "no weekday 7"),
        ({"resources": [{**CHAIR, "hours": {"-1": []}}], "services": []}, "no weekday -1"),
        ({"hours": {"0": [{"opens": "17:00", "closes": "09:00"}]}}, "from 17:00 to 09:00 ends before it begins"),
        ({"hours": {"0": [{"opens": "09:00", "closes": "09:00"}]}}, "ends before it begins"),
        ({"hours": {"0": [{"opens": "09:00+01:00", "closes": "17:00"}]}}, "without an offset"),
        ({"exceptions": [{"day": "2026-12-25"}] * 2}, "exception '2026-12-25' is there twice"),
        ({"services": [CHECKUP] * 2}, "service 'checkup' is there twice"),
        ({"resources": [CHAIR] * 2, "services": []}, "resource 'c' is there twice"),
        ({"services": [{**CHECKUP, "needs": []}]}, "name at least one kind under `needs`"),
        ({"services": [{**CHECKUP, "needs": ["laser"]}]}, "needs 1 of the kind 'laser' and there are 0"),
        ({"services": [{**CHECKUP, "needs": ["chair"] * 3}]}, "needs 3 of the kind 'chair' and there are 2"),
        ({"services": [{**CHECKUP, "duration": 0}]}, "greater than 0"),
        ({"services": [{**CHECKUP, "before": -60}]}, "greater than or equal to 0"),
        ({"step": 5}, "greater than or equal to 1 minute"),
        ({"holidays": []}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_schedule_is_refused_in_a_sentence(changes: dict[str, Any], said: str) -> None:
    """What is wrong, and for our own rules what to do."""
    with pytest.raises(ValidationError) as refused:
        changed(**changes)
    assert said in str(refused.value)


def test_a_night_is_two_openings() -> None:
    """As the refusal advises."""
    night = {"0": [{"opens": "22:00", "closes": "24:00"}], "1": [{"opens": "00:00", "closes": "02:00"}]}
    assert changed(hours=night, step=timedelta(minutes=30)).hours[1][0].closes == time(2)
