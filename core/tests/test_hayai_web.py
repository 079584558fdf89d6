"""The HTTP door: who is let in, what a refusal looks like, what staff can read."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from icalendar import Calendar as Ical

from hayai.bus.memory import MemoryBus
from hayai.business import Business
from hayai.errors import Unavailable
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Opening, Resource, Schedule, Service
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryCalendar
from hayai.testing.memory_identity import MemoryIdentity
from hayai.tier import Tier
from hayai.web.door import door
from hayai.web.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
NINE_TO_FIVE = {day: (Opening(opens=time(9), closes=time(17)),) for day in range(5)}

SCHEDULE = Schedule(
    tenant="acme",
    timezone="UTC",
    hours=NINE_TO_FIVE,
    services=(Service(id="visit", name="Visit", duration=timedelta(minutes=30), needs=("room",)),),
    resources=(Resource(id="room-1", name="Room one", kind="room"),),
)
BUSINESS = Business(
    tenant="acme",
    name="Acme & Sons",
    trade="testers",
    timezone="UTC",
    address="1 Test Road",
    phone="+1 555 0100",
    email="desk@acme.example",
    greeting="Hello.",
    contact="never",
    answers=(),
    schedule=SCHEDULE,
)


class Desk:
    """A door on twins, with one business, one appointment and a broken part when a test wants one."""

    def __init__(self) -> None:
        self.clock = MovableClock(MONDAY)
        self.calendar = MemoryCalendar(clock=self.clock)
        self.identity = MemoryIdentity()
        self.broken: str | None = None
        self.defect: Exception | None = None
        self.bus = MemoryBus()
        tier = Tier({"calendar": self.calendar, "identity": self.identity}, [BUSINESS])
        app = door(tier, self.bus, [], {"bus": self._check}, self.clock)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://desk"
        )

    async def _check(self) -> None:
        if self.defect:
            raise self.defect
        if self.broken:
            raise Unavailable(self.broken)

    async def key(self, role: Any = "staff", tenant: str = "acme") -> dict[str, str]:
        """The header of a caller with that role."""
        issued = await self.identity.issue(tenant=tenant, role=role, label="a test")
        return {"Authorization": f"Bearer {issued.get_secret_value()}"}

    async def booked(self) -> Appointment:
        """A confirmed appointment at ten on Monday."""
        who = Customer(person="p1", name="Ada Lovelace", contact="ada@example.com")
        held = await self.calendar.hold("acme", "visit", MONDAY + timedelta(hours=3), customer=who, key="k1")
        return await self.calendar.confirm("acme", held.id)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk with its schedule installed."""
    made = Desk()
    await made.bus.start()
    await made.calendar.install(SCHEDULE)
    yield made
    await made.http.aclose()
    await made.bus.stop()


async def test_staff_read_their_appointments(desk: Desk) -> None:
    """With a key of the business the booking is there, name and all, for those are its own customers."""
    kept = await desk.booked()
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=await desk.key())
    assert answer.status_code == 200
    assert [(each["id"], each["customer"]["name"]) for each in answer.json()] == [(kept.id, "Ada Lovelace")]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "No API key was given"),
        ({"Authorization": "Bearer hk_nobody_nothing"}, "API key"),
        ({"Authorization": "Basic !!!"}, "No API key was given"),
        ({"Authorization": "Digest x"}, "No API key was given"),
    ],
)
async def test_nobody_enters_without_a_key(desk: Desk, headers: dict[str, str], says: str) -> None:
    """No key, an unknown one or a garbled one: 401, and how to send one."""
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=headers)
    assert answer.status_code == 401
    assert says in answer.json()["detail"]
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_a_key_of_another_business_opens_nothing(desk: Desk) -> None:
    """The tenant in the path does not widen what the key may see."""
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=await desk.key(tenant="other"))
    assert answer.status_code == 403
    assert "belongs to another business" in answer.json()["detail"]


async def test_a_role_without_the_right_is_told_which_has_it(desk: Desk) -> None:
    """An operator sees dead letters, not customers."""
    operator = await desk.key("operator")
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=operator)
    assert answer.status_code == 403
    assert "takes owner or staff" in answer.json()["detail"]
    assert (await desk.http.get("/v1/tenants/acme/dead-letters", headers=operator)).json() == []


async def test_a_calendar_program_gets_one_booking_and_a_feed(desk: Desk) -> None:
    """Both parse as iCalendar and hold the appointment; a program logs in with the key as its password."""
    kept = await desk.booked()
    bearer = (await desk.key())["Authorization"].removeprefix("Bearer ")
    basic = {"Authorization": "Basic " + base64.b64encode(f"calendar:{bearer}".encode()).decode()}
    for path in (f"appointments/{kept.id}.ics", "resources/room-1.ics"):
        answer = await desk.http.get(f"/v1/tenants/acme/{path}", headers=basic)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/calendar")
        (event,) = Ical.from_ical(answer.text).walk("VEVENT")
        assert event.decoded("DTSTART") == kept.starts_at


@pytest.mark.parametrize(
    ("path", "title"), [("appointments/nope.ics", "AppointmentGone"), ("resources/nope.ics", "ResourceUnknown")]
)
async def test_what_is_not_there_is_404(desk: Desk, path: str, title: str) -> None:
    """One sentence, as a problem document that says which of them it is."""
    answer = await desk.http.get(f"/v1/tenants/acme/{path}", headers=await desk.key())
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == title


@pytest.mark.parametrize("query", ["start=yesterday", "start=2026-11-23T09:00:00"])
async def test_a_malformed_query_is_named_without_its_value(desk: Desk, query: str) -> None:
    """Which part of the request is wrong, and how; not what was sent."""
    answer = await desk.http.get(f"/v1/tenants/acme/appointments?{query}", headers=await desk.key())
    assert answer.status_code == 422
    assert "query.start" in answer.json()["detail"]
    assert query.partition("=")[2] not in answer.text


@pytest.mark.parametrize("start", ["9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00%2B05:00"])
async def test_a_wild_window_is_no_defect(desk: Desk, start: str) -> None:
    """Nobody is booked at the ends of the calendar."""
    answer = await desk.http.get(f"/v1/tenants/acme/appointments?start={start}", headers=await desk.key())
    assert (answer.status_code, answer.json()) == (200, [])


async def test_an_empty_window_is_refused(desk: Desk) -> None:
    """An end before the start is said, not answered with nothing."""
    query = "start=2026-11-24T09:00:00Z&end=2026-11-23T09:00:00Z"
    answer = await desk.http.get(f"/v1/tenants/acme/appointments?{query}", headers=await desk.key())
    assert (answer.status_code, answer.json()["title"]) == (422, "WindowEmpty")


async def test_health_tells_that_a_part_is_ill_and_the_log_tells_why(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Live whenever the process answers; ready only while every part works, else 503; no address for passers-by."""
    assert (await desk.http.get("/health/live")).json() == {"status": "live"}
    desk.broken = "The bus at 10.0.0.7 does not answer."
    answer = await desk.http.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["parts"]["bus"].startswith("does not work: ")
    assert "10.0.0.7" not in answer.text
    assert caplog.messages == ["Not ready: bus: The bus at 10.0.0.7 does not answer."]


async def test_health_is_asked_at_most_once_a_second() -> None:
    """A crowd at the open door costs the bus and the database one question."""
    asked: list[int] = []

    async def check() -> None:
        asked.append(1)
        await asyncio.sleep(0)

    readiness = Readiness({"bus": check})
    assert await asyncio.gather(*(readiness.parts() for _ in range(50))) == [{"bus": True}] * 50
    assert len(asked) == 1


async def test_what_staff_read_is_kept_by_no_cache_and_no_page_loads_from_elsewhere(desk: Desk) -> None:
    """Customers' names are in there; and the door has no page that needs a foreign script."""
    await desk.booked()
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=await desk.key())
    assert answer.headers["cache-control"] == "no-store"
    assert (await desk.http.get("/docs")).status_code == 404
    assert "frame-ancestors 'none'" in (await desk.http.get("/")).headers["content-security-policy"]


async def test_a_defect_is_a_problem_document_that_says_nothing_of_it(desk: Desk) -> None:
    """The text of an exception may be a person's."""
    desk.defect = ValueError("Ada Lovelace")
    answer = await desk.http.get("/health/ready")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "Ada" not in answer.text


async def test_the_front_page_is_html(desk: Desk) -> None:
    """Whoever opens the address in a browser sees where to go."""
    answer = await desk.http.get("/")
    assert "Hayai is running" in answer.text


async def test_a_server_that_is_away_is_told_without_its_address(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller learns that it is worth another try; who runs this finds the sentence in the log."""

    async def away(credential: object) -> None:
        raise Unavailable("hayai_application at 10.0.0.7:5432/hayai: Postgres does not answer.")

    key = await desk.key()
    monkeypatch.setattr(desk.identity, "verify", away)
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "10.0.0.7" not in answer.text
    assert "10.0.0.7" in caplog.text
