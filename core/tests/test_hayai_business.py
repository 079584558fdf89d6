"""The business file: what it gives, and the sentence for everything that can be wrong with one."""

from __future__ import annotations

import copy
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hayai.business import load_business, parse_business
from hayai.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

FILE: dict[str, Any] = {
    "tenant": "river-yoga",
    "name": "River Yoga",
    "timezone": "Europe/Lisbon",
    "hours": {"monday": ["09:00-12:00", "13:00-24:00"], "sunday": "00:00-24:00"},
    "exceptions": [{"day": date(2026, 12, 24), "hours": "09:00-12:00", "reason": "Christmas Eve"}],
    "services": [
        {"id": "flow", "name": "Slow flow", "also": ["flow"], "minutes": 75, "after": 15, "needs": ["room"]},
        {"id": "talk", "name": "First talk", "minutes": 20, "needs": ["room"]},
    ],
    "resources": [{"id": "hall", "name": "Hall", "kind": "room", "hours": {"monday": "13:00-20:00"}}],
}


def changed(**changes: Any) -> dict[str, Any]:
    """The file with some of its keys changed."""
    return {**copy.deepcopy(FILE), **changes}


def refusal(table: dict[str, Any]) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(SettingsError) as refused:
        parse_business(table, "yoga.toml")
    return str(refused.value)


def test_a_file_becomes_a_business_with_its_schedule() -> None:
    """Minutes become lengths, weekdays numbers, hours openings, and 24:00 midnight."""
    business = parse_business(FILE)
    schedule = business.schedule
    assert (business.name, schedule.tenant, business.contact) == ("River Yoga", "river-yoga", "never")
    assert [(each.opens, each.closes) for each in schedule.hours[0]] == [
        (time(9), time(12)),
        (time(13), time(0)),
    ]
    assert (schedule.hours[6][0].opens, schedule.hours[6][0].closes) == (time(0), time(0))
    assert 1 not in schedule.hours
    assert schedule.services[0].duration == timedelta(minutes=75)
    assert schedule.services[0].after == timedelta(minutes=15)
    assert schedule.exceptions[0].openings[0].closes == time(12)
    assert schedule.resources[0].hours is not None
    assert list(schedule.resources[0].hours) == [0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"serivces": []}, "serivces is no key of a business file (did you mean 'services'?)"),
        ({"timezone": "Europe/Lisabon"}, "there is no time zone 'Europe/Lisabon' (did you mean 'Europe/Lisbon'?)"),
        ({"hours": {"monday": "17:00-09:00"}}, "'17:00-09:00' closes before it opens"),
        ({"hours": {"monday": "09:00-09:00"}}, "closes before it opens"),
        ({"hours": {"mondey": "09:00-17:00"}}, "there is no weekday 'mondey' (did you mean 'monday'?)"),
        ({"hours": {"monday": "9 to 5"}}, 'hours are written "09:00-17:00"'),
        ({"hours": {"monday": "09:00-24:30"}}, "is no time of a day"),
        ({"hours": {"monday": 9}}, "hours: hours are written"),
        ({"hours": {}}, "no weekday has hours"),
        ({"hours": "always"}, "hours"),
        ({"services": []}, "services"),
        ({"tenant": "+1 207 555 0142"}, "The tenant is not an opaque token"),
        ({"contact": "maybe"}, "contact"),
        ({"step_minutes": 0}, "step_minutes"),
        ({"resources": [{"id": "Hall 1", "name": "Hall", "kind": "room"}]}, "the resource id 'Hall 1' is not"),
        ({"resources": [{"id": "hall", "name": "Hall", "kind": "rooms"}]}, "(did you mean 'rooms'?)"),
        ({"exceptions": [{"day": date(2026, 12, 24)}] * 2}, "2026-12-24 is an exception twice"),
        ({"exceptions": [{"day": date(2026, 12, 24), "houres": "09:00-12:00"}]}, "(did you mean 'hours'?)"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(wrong: dict[str, Any], told: str) -> None:
    """The sentence names the place, what is wrong there, and the nearest right name."""
    sentence = refusal(changed(**wrong))
    assert told in sentence
    assert sentence.startswith("The business file yoga.toml is wrong: ")


def test_a_service_that_needs_what_nobody_is_is_refused() -> None:
    """A need that no resource meets could never be booked."""
    services = [{"id": "flow", "name": "Slow flow", "minutes": 75, "needs": ["teacher"]}]
    assert "the service 'flow' needs a 'teacher', which no resource is" in refusal(changed(services=services))


def test_a_service_that_needs_nothing_is_refused() -> None:
    """Nothing would keep two customers of it apart."""
    services = [{"id": "flow", "name": "Slow flow", "minutes": 75}]
    assert "services.0.needs is missing" in refusal(changed(services=services))


def test_a_service_that_needs_more_than_there_is_is_refused() -> None:
    """What only a whole schedule can know is a sentence, too."""
    services = [{"id": "flow", "name": "Slow flow", "minutes": 75, "needs": ["room", "room"]}]
    assert "room" in refusal(changed(services=services))


def test_two_services_of_one_id_are_refused() -> None:
    """An appointment remembers its service by the id."""
    assert "two of the services have the id 'talk'" in refusal(
        changed(services=[{"id": "talk", "name": "Talk", "minutes": 20, "needs": ["room"]}] * 2)
    )


def test_everything_that_is_missing_is_said_at_once() -> None:
    """An operator corrects a file once."""
    sentence = refusal({"tenant": "river-yoga"})
    assert all(f"{key} is missing" in sentence for key in ("name", "timezone", "hours", "services", "resources"))


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    """The parser's line and column reach the operator."""
    (tmp_path / "broken.toml").write_text('name = "River\n')
    with pytest.raises(SettingsError, match=r"is not TOML: .*line 1"):
        load_business(str(tmp_path / "broken.toml"))


@pytest.mark.parametrize(
    "source",
    ["no/such/file.toml", "no_such_package:file.toml", "hayai:no-such-file.toml", "json.decoder:file.toml", "nul\0"],
)
def test_a_file_that_is_not_there_is_named(source: str) -> None:
    """The sentence names the source as the tier file gave it, and how to write one."""
    with pytest.raises(SettingsError, match=r"cannot be read .*package:path") as refused:
        load_business(source)
    assert source in str(refused.value)


def test_a_file_on_disk_is_read(tmp_path: Path) -> None:
    """A path is as good as a packaged file."""
    (tmp_path / "tiny.toml").write_text(
        'tenant = "tiny"\nname = "Tiny"\ntimezone = "Asia/Tokyo"\n[hours]\nfriday = "10:00-11:00"\n'
        '[[services]]\nid = "a"\nname = "A"\nminutes = 30\nneeds = ["b"]\n'
        '[[resources]]\nid = "b"\nname = "B"\nkind = "b"\n'
    )
    assert load_business(str(tmp_path / "tiny.toml")).schedule.hours[4][0].opens == time(10)
