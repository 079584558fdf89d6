"""Business: one business as its file describes it, read once and checked with sentences."""

from __future__ import annotations

import difflib
import re
import tomllib
from datetime import date, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hayai.errors import KeyNotOpaque, SettingsError
from hayai.schedule import DayException, Hours, Opening, Resource, Schedule, Service
from hayai.tokens import token

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*\Z")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_FOLDERS = re.compile(r"[A-Za-z_][\w.]*:[^:\\]+\Z")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Table):
    """A question that customers ask beside appointments: the words that mark it, and what to say."""

    about: tuple[str, ...] = Field(min_length=1)
    says: str = Field(min_length=1)


class Business(_Table):
    """A business: who it is, what it offers and when, and what it answers."""

    tenant: str
    name: str
    trade: str
    timezone: str
    address: str
    phone: str
    email: str
    greeting: str
    contact: Literal["ask", "never"]
    """Whether a booking needs a telephone number or a mail address."""
    contact_hours: Opening
    """When customers are reached of our own accord, wall time where they are; the rest are quiet hours."""
    answers: tuple[Answer, ...]
    schedule: Schedule


def load_business(source: str) -> Business:
    """The business in a TOML file: `package:path` (a file that a package ships) or the path of a file.

    Raises SettingsError, one sentence for everything that is wrong with it.
    """
    try:
        table = tomllib.loads(_read(source))
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError(f"The business file {source} is not TOML: {wrong}. Correct it there.") from None
    return parse_business(table, source)


def parse_business(table: dict[str, Any], source: str = "business file") -> Business:
    """The business in a file's table, as `load_business` has read it. Raises SettingsError."""
    try:
        file = _File.model_validate(table)
    except ValidationError as wrong:
        raise SettingsError(_told(source, [_sentence(each) for each in wrong.errors()])) from None
    if problems := _contradictions(file):
        raise SettingsError(_told(source, problems))
    try:
        return file.business()
    except ValidationError as wrong:  # what a schedule knows beyond its file
        raise SettingsError(_told(source, [_sentence(each) for each in wrong.errors()])) from None


def _read(source: str) -> str:
    try:
        if _FOLDERS.match(source) and not Path(source).exists():
            package, _, path = source.partition(":")
            return files(package).joinpath(path).read_text(encoding="utf-8")
        return Path(source).read_text(encoding="utf-8")
    except (OSError, ImportError, TypeError, ValueError) as wrong:  # TypeError: of a module that is no package
        raise SettingsError(
            f"The business file {source} cannot be read ({type(wrong).__name__}): name it as a path, or as "
            "package:path for one that an installed package ships."
        ) from None


def _openings(value: Any) -> Any:
    """`"09:00-17:00"`, or a list of such; 24:00 closes at midnight."""
    spans: list[Any] = list(value) if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownArgumentType]
    return tuple(_opening(each) for each in spans)


def _opening(span: Any) -> Opening:
    if isinstance(span, Opening):
        return span
    found = _HOURS.match(span) if isinstance(span, str) else None
    if found is None:
        raise ValueError(f'hours are written "09:00-17:00", not {span!r}')
    opens, closes = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    if max(opens[1], closes[1]) >= 60 or closes > (24, 0) or opens[0] > 23:  # noqa: PLR2004 - a clock's
        raise ValueError(f"{span!r} is no time of a day: it runs from 00:00 to 24:00")
    if closes <= opens:
        raise ValueError(f"{span!r} closes before it opens: for a night, close at 24:00 and open the next day at 00:00")
    return Opening(opens=time(*opens), closes=time(closes[0] % 24, closes[1]))


def _week(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    days: dict[str, Any] = dict(value)  # pyright: ignore[reportUnknownArgumentType] - TOML's keys are strings
    if strange := [day for day in days if day not in WEEKDAYS]:
        raise ValueError(f"there is no weekday {strange[0]!r}{_near(strange[0], WEEKDAYS)}")
    return {WEEKDAYS.index(day): _openings(spans) for day, spans in days.items()}


class _Service(_Table):
    id: str
    name: str = Field(min_length=1)
    also: tuple[str, ...] = ()
    minutes: int = Field(ge=5, le=24 * 60)
    before: int = Field(default=0, ge=0, le=24 * 60)
    after: int = Field(default=0, ge=0, le=24 * 60)
    needs: tuple[str, ...] = Field(min_length=1)
    price: str = ""

    def service(self) -> Service:
        return Service(
            id=self.id,
            name=self.name,
            also=self.also,
            duration=timedelta(minutes=self.minutes),
            before=timedelta(minutes=self.before),
            after=timedelta(minutes=self.after),
            needs=self.needs,
            price=self.price,
        )


class _Resource(_Table):
    id: str
    name: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    hours: Hours | None = None

    _read_hours = field_validator("hours", mode="before")(_week)


class _Exception(_Table):
    day: date
    hours: tuple[Opening, ...] = ()
    reason: str = ""

    _read_hours = field_validator("hours", mode="before")(_openings)


class _File(_Table):
    """The file as it is written: minutes, hours and days are plain numbers, weekdays have their names."""

    tenant: str
    name: str = Field(min_length=1)
    trade: str = ""
    timezone: str
    address: str = ""
    phone: str = ""
    email: str = ""
    greeting: str = ""
    contact: Literal["ask", "never"] = "never"
    contact_hours: Opening = Opening(opens=time(8), closes=time(21))
    step_minutes: int = Field(default=15, ge=5, le=24 * 60)
    notice_minutes: int = Field(default=120, ge=0)
    horizon_days: int = Field(default=90, ge=1, le=730)
    hold_minutes: int = Field(default=5, ge=1, le=60)
    hours: Hours
    exceptions: tuple[_Exception, ...] = ()
    services: tuple[_Service, ...] = Field(min_length=1)
    resources: tuple[_Resource, ...] = Field(min_length=1)
    answers: tuple[Answer, ...] = ()

    _read_hours = field_validator("hours", mode="before")(_week)
    _read_contact_hours = field_validator("contact_hours", mode="before")(_opening)

    def business(self) -> Business:
        told = {name: getattr(self, name) for name in Business.model_fields if name != "schedule"}
        return Business(**told, schedule=self.schedule())

    def schedule(self) -> Schedule:
        return Schedule(
            tenant=self.tenant,
            timezone=self.timezone,
            hours=self.hours,
            exceptions=tuple(DayException(day=e.day, openings=e.hours, reason=e.reason) for e in self.exceptions),
            services=tuple(each.service() for each in self.services),
            resources=tuple(Resource(**each.model_dump()) for each in self.resources),
            step=timedelta(minutes=self.step_minutes),
            minimum_notice=timedelta(minutes=self.notice_minutes),
            horizon=timedelta(days=self.horizon_days),
            hold=timedelta(minutes=self.hold_minutes),
        )


def _contradictions(file: _File) -> list[str]:
    """What each table alone cannot know."""
    found: list[str] = []
    try:
        token(file.tenant, what="tenant")
    except KeyNotOpaque as wrong:
        found.append(str(wrong).rstrip("."))
    if file.timezone not in available_timezones():
        found.append(f"there is no time zone {file.timezone!r}{_near(file.timezone, sorted(available_timezones()))}")
    if not any(file.hours.values()):
        found.append('no weekday has hours: write monday = "09:00-17:00" under [hours]')
    for what, ids in (("service", [s.id for s in file.services]), ("resource", [r.id for r in file.resources])):
        found += [f"the {what} id {each!r} is not 1 to 64 of a-z, 0-9 and '-'" for each in ids if not _ID.match(each)]
        found += [f"two of the {what}s have the id {each!r}" for each in sorted({i for i in ids if ids.count(i) > 1})]
    kinds = sorted({each.kind for each in file.resources})
    for service in file.services:
        missing = [kind for kind in service.needs if kind not in kinds]
        found += [f"the service {service.id!r} needs a {k!r}, which no resource is{_near(k, kinds)}" for k in missing]
    return found + [f"{day} is an exception twice" for day in _twice([e.day for e in file.exceptions])]


def _twice(days: list[date]) -> list[date]:
    return sorted({day for day in days if days.count(day) > 1})


def _sentence(error: Any) -> str:
    place = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{place} is no key of a business file{_near(str(error['loc'][-1]), _siblings(error['loc']))}"
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "value_error":
        return f"{place}: {error['ctx']['error']}".removeprefix(": ")
    return f"{place}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _place(way: tuple[Any, ...]) -> str:
    """`services.2.minutes`: tables of a list by their place, days by their names."""
    hours = "hours" in way[:-1]
    return ".".join(
        WEEKDAYS[part] if hours and isinstance(part, int) and part < len(WEEKDAYS) else str(part) for part in way
    )


def _siblings(place: tuple[Any, ...]) -> tuple[str, ...]:
    tables: dict[str, type[BaseModel]] = {"services": _Service, "resources": _Resource, "exceptions": _Exception}
    return tuple((tables | {"answers": Answer}).get(str(place[0]) if len(place) > 1 else "", _File).model_fields)


def _near(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _told(source: str, problems: list[str]) -> str:
    return f"The business file {source} is wrong: {'; '.join(problems)}. Correct it there and start again."
