"""The HTTP door: who is let in, what a refusal looks like, what staff can read."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import APIRouter, Request
from icalendar import Calendar as Ical

from hayai.bus.memory import MemoryBus
from hayai.business import Business
from hayai.channel import Channel
from hayai.contracts.registry import Part, Registry
from hayai.errors import Unavailable
from hayai.ports.calendar import Appointment, Customer
from hayai.schedule import Opening, Resource, Schedule, Service
from hayai.testing.clock import MovableClock
from hayai.testing.memory_calendar import MemoryCalendar
from hayai.testing.memory_identity import MemoryIdentity
from hayai.tier import Tier
from hayai.vocabulary.messages import MessageReceived
from hayai.web import readiness
from hayai.web.door import door
from hayai.web.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.handlers import Context
    from hayai.ports.conversations import Line
    from hayai.vocabulary.messages import ReplyReady

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
    contact_hours=Opening(opens=time(8), closes=time(21)),
    answers=(),
    schedule=SCHEDULE,
)


class Paged(Channel):
    """A channel with a page, and a route that reads all that it is sent."""

    name = "paged"

    def router(self) -> APIRouter:
        """How long the body was."""
        router = APIRouter()

        async def measure(request: Request) -> int:
            return len(await request.body())

        router.add_api_route("/measure", measure, methods=["POST"])
        return router

    def page(self, tenant: str) -> str:
        """Where it would be."""
        return f"/paged/{tenant}"

    async def deliver(self, reply: ReplyReady, line: Line, context: Context) -> None:
        """Nobody is asked to."""


class Desk:
    """A door on twins, with one business, one appointment and a broken part when a test wants one."""

    def __init__(self) -> None:
        self.clock = MovableClock(MONDAY)
        self.calendar = MemoryCalendar(clock=self.clock)
        self.identity = MemoryIdentity()
        self.broken: str | None = None
        self.bus = MemoryBus()
        tier = Tier({"calendar": self.calendar, "identity": self.identity}, [BUSINESS])
        app = door(tier, self.bus, [], {"bus": self._check}, self.clock)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://desk"
        )

    async def _check(self) -> None:
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
        ({"Authorization": b"Basic \xe9"}, "No API key was given"),
        ({"Authorization": "Digest x"}, "No API key was given"),
    ],
)
async def test_nobody_enters_without_a_key(desk: Desk, headers: dict[str, Any], says: str) -> None:
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


@pytest.mark.parametrize("path", ["appointments/nope.ics", "resources/nope.ics"])
async def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    """One sentence, as a problem document."""
    answer = await desk.http.get(f"/v1/tenants/acme/{path}", headers=await desk.key())
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("query", ["start=yesterday", "start=2026-11-23T09:00:00"])
async def test_a_malformed_query_is_named_without_its_value(desk: Desk, query: str) -> None:
    """Which part of the request is wrong, and how; not what was sent."""
    answer = await desk.http.get(f"/v1/tenants/acme/appointments?{query}", headers=await desk.key())
    assert answer.status_code == 422
    assert "query.start" in answer.json()["detail"]
    assert query.partition("=")[2] not in answer.text


@pytest.mark.parametrize(
    "query", ["start=9999-12-31T00:00:00Z", "start=0001-01-01T00:00:00%2B14:00", "end=9999-12-31T23:59:59-14:00"]
)
async def test_a_window_where_dates_end_is_refused(desk: Desk, query: str) -> None:
    """A month later there is no date: that is the caller's mistake, and no defect."""
    answer = await desk.http.get(f"/v1/tenants/acme/appointments?{query}", headers=await desk.key())
    assert (answer.status_code, answer.json()["title"]) == (422, "RequestUnreadable")


async def test_an_id_that_can_be_none_is_not_looked_up(desk: Desk) -> None:
    """No database takes a NUL."""
    answer = await desk.http.get("/v1/tenants/acme/appointments/%00.ics", headers=await desk.key())
    assert (answer.status_code, answer.json()["title"]) == (422, "RequestUnreadable")


async def test_an_address_or_method_that_is_none_is_a_problem_document_too(desk: Desk) -> None:
    """One form for every refusal, whoever refuses."""
    nowhere, posted = await desk.http.get("/nowhere"), await desk.http.post("/health/live")
    for answer, status, title in ((nowhere, 404, "NotFound"), (posted, 405, "MethodNotAllowed")):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["title"] == title
        assert answer.json()["detail"].endswith(".")
    assert posted.headers["allow"] == "GET"


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


@pytest.mark.parametrize(
    ("wrong", "told"),
    [(ValueError("10.0.0.7"), "Its check broke off: ValueError at test_hayai_web.py"), (None, "did not answer within")],
)
async def test_a_check_that_breaks_or_hangs_is_a_part_that_does_not_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: Exception | None, told: str
) -> None:
    """Whoever asks gets an answer, and the other parts are asked all the same."""

    async def ill() -> None:
        if wrong:
            raise wrong
        await asyncio.Event().wait()

    async def well() -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(readiness, "_PATIENCE", 0.01)
    assert await Readiness({"bus": ill, "database": well}).parts() == {"bus": False, "database": True}
    assert told in caplog.text
    assert "10.0.0.7" not in caplog.text


async def test_a_part_that_is_left_out_is_told_and_does_not_make_the_rest_unready(desk: Desk) -> None:
    """A replica that runs without one channel still serves the others."""
    app = door(Tier({}), desk.bus, [], {}, desk.clock, left_out=["channel.pigeon"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["parts"]["channel.pigeon"].startswith("left out: ")


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
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_defect_is_a_problem_document_that_says_nothing_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an exception may be a person's."""

    async def broken(credential: object) -> None:
        raise ValueError("Ada Lovelace")

    key = await desk.key()
    monkeypatch.setattr(desk.identity, "verify", broken)
    answer = await desk.http.get("/v1/tenants/acme/appointments", headers=key)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "Ada" not in answer.text


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_all_bounds_is_not_read(desk: Desk, chunked: bool) -> None:
    """Announced or not: one problem document; a body within the bounds reaches the channel."""

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes(1 << 10)

    def body(count: int) -> Any:
        return pieces(count) if chunked else bytes(count << 10)

    app = door(Tier({}), desk.bus, [Paged()], {}, desk.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        assert (await http.post("/paged/measure", content=body(1 << 10))).json() == 1 << 20
        refused = await http.post("/paged/measure", content=body((1 << 10) + 1))
    assert (refused.status_code, refused.headers["content-type"]) == (413, "application/problem+json")
    assert refused.json()["detail"].startswith("A request can bring 1048576 bytes")


async def test_only_a_door_that_is_asked_to_lists_its_businesses(desk: Desk) -> None:
    """`hayai dev` shows where to go; anywhere else, nobody is told who our customers are."""
    assert (await desk.http.get("/")).status_code == 404
    app = door(Tier({}, [BUSINESS]), desk.bus, [Paged()], {}, desk.clock, front=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        answer = await http.get("/")
    assert "Hayai is running" in answer.text
    assert "/paged/acme" in answer.text


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


async def test_the_contracts_of_events_stand_beside_the_openapi_document() -> None:
    """The list of versions, the JSON Schema of one, and 404 with a sentence for any other."""
    registry = Registry([Part("acme 1.0", publishes=(MessageReceived,))])
    app = door(Tier({}), MemoryBus(), [], {}, MovableClock(MONDAY), contracts=registry)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        assert (await http.get("/events")).json() == ["message.received.v1"]
        schema = (await http.get("/events/message.received.v1.json")).json()
        assert schema["required"] == ["channel", "person", "text"]
        assert (await http.get("/events/message.received.v2.json")).status_code == 404
