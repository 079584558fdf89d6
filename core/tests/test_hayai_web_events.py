"""The door for events: the CloudEvents HTTP binding in its three modes, who may publish, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.envelope import Codec, decode
from hayai.errors import Unavailable
from hayai.testing.bus_words import BellRung, Ears
from hayai.testing.clock import MONDAY_MORNING, MovableClock
from hayai.testing.memory_identity import MemoryIdentity
from hayai.testing.servers import NatsServer
from hayai.tier import Tier
from hayai.web.door import door
from hayai.web.incoming import known_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from hayai.bus.base import Bus
    from hayai.ledger.outcome import Outgoing

PATH = "/v1/tenants/acme/events"
STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"


class Reversing(Codec):
    """Seals by turning a text round, which a test can see."""

    def seal(self, tenant: str, value: Any) -> Any:
        """Backwards."""
        del tenant
        return {"sealed": value[::-1]}

    def open(self, tenant: str, value: Any) -> Any:
        """Forwards again."""
        del tenant
        return value["sealed"][::-1] if isinstance(value, dict) else value


class Failing(MemoryBus):
    """A bus that acknowledges nothing."""

    async def send_all(self, several: Sequence[Outgoing]) -> None:
        """Never."""
        raise Unavailable("The server at 192.0.2.7 is full.")


class Gate:
    """A door before `bus`, a key of `role`, and what the bus has stored."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.identity = MemoryIdentity()
        app = door(Tier({"identity": self.identity}), bus, [], {}, MovableClock())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://door")

    async def key(self, role: Any = "owner", tenant: str = "acme") -> dict[str, str]:
        """The header of a caller with that role."""
        issued = await self.identity.issue(tenant=tenant, role=role, label="a test")
        return {"Authorization": f"Bearer {issued.get_secret_value()}"}

    async def post(self, body: Any, *, kind: str = STRUCTURED, path: str = PATH, **headers: str) -> httpx.Response:
        """Send `body`, as JSON unless it is bytes already."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(
            path, content=content, headers={"Content-Type": kind, **headers, **await self.key()}
        )

    @property
    def stored(self) -> list[Any]:
        """What is in the memory bus's stream of events."""
        assert isinstance(self.bus, MemoryBus)
        return [decode(each.body) for each in self.bus.log.streams["EVENTS"]]


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """A door before a memory bus."""
    made = Gate(MemoryBus())
    yield made
    await made.http.aclose()


def bell(**words: Any) -> dict[str, Any]:
    """A structured CloudEvent of a bell that was rung."""
    said = {"specversion": "1.0", "id": str(uuid4()), "source": "/tower", "type": "bell.rung.v2", "data": {"number": 7}}
    return {name: value for name, value in (said | words).items() if value is not ...}


async def test_a_structured_event_is_kept_before_it_is_accepted(gate: Gate) -> None:
    """202 names the id on the bus; tenant, key, time and type are what the bus needs."""
    answer = await gate.post(sent := bell(id="order 17/a"))
    assert answer.status_code == 202
    (kept,) = gate.stored
    assert answer.json() == {"events": [{"id": sent["id"], "event": kept.id}]}
    assert (kept.tenant, kept.type, kept.data["number"], kept.subject) == ("acme", "bell.rung.v2", 7, kept.id)
    assert (kept.time, kept.source, kept.specversion) == (MONDAY_MORNING, "/tower", "1.0")


async def test_what_an_envelope_can_say_is_kept(gate: Gate) -> None:
    """Key, time, cause, conversation, trace and the sender's own extensions travel on."""
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    words = {"subject": "k1", "cause": "c1", "conversation": "t1", "traceparent": trace, "shop": "north", "tries": 3}
    answer = await gate.post(bell(**words, tenant="acme", time="2026-03-01T08:00:00+02:00", dataschema="/bell"))
    assert answer.status_code == 202
    (kept,) = gate.stored
    assert {name: getattr(kept, name) for name in words} == words
    assert (kept.time, kept.dataschema) == (datetime(2026, 3, 1, 6, tzinfo=UTC), "/bell")


async def test_the_traceparent_of_the_request_is_that_of_events_without_one(gate: Gate) -> None:
    """The event's own, as an attribute or a ce- header, goes before it letter for letter; nonsense is nobody's.

    Where spans are made, the request's is the parent of publishing: its trace and flags go on, under a span of ours.
    """
    asked, own = (f"00-{letter * 32}-{'b' * 16}-00" for letter in "cd")
    await gate.post([bell(), bell(traceparent=own)], kind=BATCHED, traceparent=asked)
    binary = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/t", "ce-type": "bell.rung.v2"}
    await gate.post(b"{}", kind="application/json", traceparent=asked, **binary, **{"ce-traceparent": own})
    await gate.post(b"{}", kind="application/json", traceparent=asked, **{**binary, "ce-id": "2"})
    await gate.post(bell(), traceparent="nonsense")
    *told, nobodys = [kept.traceparent for kept in gate.stored]
    assert told[1:3] == [own, own]
    assert [trace_of(parent) for parent in (told[0], told[3])] == [trace_of(asked)] * 2
    assert nobodys != "nonsense"


def trace_of(traceparent: str | None) -> tuple[str, str]:
    """The trace and the flags of a traceparent, without its span."""
    assert traceparent
    _, trace, _, flags = traceparent.split("-")
    return trace, flags


async def test_the_sdk_is_understood_in_structured_and_in_binary_mode(gate: Gate) -> None:
    """What the CloudEvents SDK writes arrives whole in both modes: the percent-encoded and the zoned as well."""
    for convert in (to_structured_event, to_binary_event):
        attributes = {"type": "bell.rung.v2", "source": "/tower/é %22", "subject": "k1", "shop": 'a "b" ü'}
        event = CloudEvent({**attributes, "datacontenttype": "application/json"}, {"number": 3, "who": "Zoë"})
        message = convert(event)
        answer = await gate.http.post(PATH, content=message.body, headers={**message.headers, **await gate.key()})
        assert (answer.status_code, answer.json()["events"][0]["id"]) == (202, event.get_id())
    for kept in gate.stored:
        assert (kept.source, kept.subject, kept.shop) == ("/tower/é %22", "k1", 'a "b" ü')
        assert kept.data == {"number": 3, "who": "Zoë"}


async def test_a_batch_is_kept_in_its_order(gate: Gate) -> None:
    """A hundred events in one request; one answer for each, in order; an empty batch is one too."""
    sent = [bell(subject="k", data={"number": number}) for number in range(100)]
    answer = await gate.post(sent, kind=f"{BATCHED}; charset=UTF-8")
    assert (answer.status_code, [each["id"] for each in answer.json()["events"]]) == (202, [e["id"] for e in sent])
    assert [kept.data["number"] for kept in gate.stored] == list(range(100))
    assert (await gate.post([], kind=BATCHED)).json() == {"events": []}


async def test_the_same_event_again_is_stored_once_and_answered_alike(gate: Gate) -> None:
    """Source and id make an event; another source's, or another tenant's, is another event."""
    first, again = [await gate.post(bell(id="1")) for _ in range(2)]
    twice = await gate.post([bell(id="1"), bell(id="1")], kind=BATCHED)
    assert first.status_code == again.status_code == twice.status_code == 202
    assert first.json() == again.json()
    assert twice.json()["events"] == 2 * first.json()["events"]
    assert len(gate.stored) == 1
    await gate.post(bell(id="1", source="/harbour"))
    await gate.http.post(
        "/v1/tenants/other/events",
        json=bell(id="1"),
        headers={"Content-Type": STRUCTURED, **await gate.key(tenant="other")},
    )
    assert len({kept.id for kept in gate.stored}) == 3


async def test_an_older_version_is_published_as_this_install_has_it(gate: Gate) -> None:
    """Version 1 is upcast at the door, so that its data is known to fit; a newer one is refused."""
    assert (await gate.post(bell(type="bell.rung.v1", data={"n": 5}))).status_code == 202
    assert (gate.stored[0].type, gate.stored[0].data["number"]) == ("bell.rung.v2", 5)
    newer = await gate.post(bell(type="bell.rung.v3"))
    assert (newer.status_code, newer.json()["title"]) == (422, "VersionUnknown")


async def test_personal_fields_are_sealed_before_the_bus() -> None:
    """What came in plain over HTTPS is stored as the install's codec has it."""
    gate = Gate(MemoryBus(codec=Reversing()))
    assert (await gate.post(bell(data={"who": "Ada"}))).status_code == 202
    assert gate.stored[0].data == {"number": 0, "who": {"sealed": "adA"}}
    await gate.http.aclose()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ({"id": ...}, 422, "lacks id"),
        ({"specversion": ...}, 422, "lacks specversion"),
        ({"specversion": "0.3"}, 422, "specversion"),
        ({"source": ""}, 422, "correct source"),
        ({"id": 5}, 422, "id is none"),
        ({"type": "bell.rang.v1"}, 422, "did you mean bell.rung"),
        ({"type": "bell.rung"}, 422, "type"),
        ({"type": "event.deadlettered.v1"}, 422, "knows no event"),
        ({"data": {"number": "Ada"}}, 422, "number: int_parsing"),
        ({"data": {"colour": 1}}, 422, "a field that it does not have"),
        ({"data": [1]}, 422, "no JSON object"),
        ({"data": ..., "data_base64": "AAAA"}, 422, "not JSON"),
        ({"datacontenttype": "text/xml"}, 422, "not JSON"),
        ({"tenant": "other"}, 403, "not the one in the path"),
        ({"subject": "+15550100199"}, 422, "ordering key is not an opaque token"),
        ({"cause": "a b"}, 422, "cause is not an opaque token"),
        ({"conversation": "a.b"}, 422, "is not an opaque token"),
        ({"source": "/hayai/receptionist"}, 422, "the house's own"),
        ({"traceparent": "yes"}, 422, "Trace Context"),
        ({"time": "yesterday"}, 422, "time"),
        ({"time": "2026-03-01T08:00:00"}, 422, "time"),
        ({"Shop": "x"}, 422, "extension's name"),
        ({"shop": {"a": 1}}, 422, "an extension is none"),
        ({"shop": "x" * 513}, 422, "correct an extension"),
        ({"shop": "a\nb"}, 422, "correct an extension"),
        ({"data": {"who": "x" * (1 << 18)}}, 413, "262144 bytes"),
    ],
)
async def test_an_event_that_does_not_fit_is_refused_in_a_sentence(
    gate: Gate, words: dict[str, Any], status: int, says: str
) -> None:
    """One problem document that says what to do and repeats nothing that was sent; nothing is stored."""
    answer = await gate.post(bell(**words))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in answer.json()["detail"]
    assert "Ada" not in answer.text
    assert gate.stored == []


async def test_one_bad_event_keeps_the_whole_batch_out(gate: Gate) -> None:
    """Which it was is told; the sound ones before it are not stored either."""
    answer = await gate.post([bell(), bell(data={"number": "many"}), bell()], kind=BATCHED)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Event 2 of 3, and so none was stored: The data of bell.rung.v2")
    assert gate.stored == []


@pytest.mark.parametrize(
    ("kind", "body", "status", "says"),
    [
        ("text/plain", b"hello", 415, "This is no CloudEvent"),
        ("application/json", b"{}", 415, "This is no CloudEvent"),
        ("application/cloudevents+avro", b"{}", 415, "This is no CloudEvent"),
        (f"{STRUCTURED}; charset=latin-1", b"{}", 415, "UTF-8"),
        (STRUCTURED, b"{", 400, "no JSON document"),
        (STRUCTURED, b'{"id": NaN}', 400, "no JSON document"),
        (STRUCTURED, b'{"id": "\\ud800"}', 400, "no JSON document"),
        (STRUCTURED, b"[" * 100_000, 400, "no JSON document"),
        (STRUCTURED, b"\xff", 400, "no JSON document"),
        (STRUCTURED, b"[]", 422, "An event is a JSON object"),
        (BATCHED, b"{}", 422, "no JSON array"),
        (BATCHED, b"[1]", 422, "An event is a JSON object"),
        (BATCHED, b"[" + b"{}," * 100 + b"{}]", 413, "100 events and this one has 101"),
        (STRUCTURED, b"x" * (1 << 20) + b"x", 413, "1048576 bytes"),
    ],
)
async def test_a_body_that_is_no_event_is_refused(gate: Gate, kind: str, body: bytes, status: int, says: str) -> None:
    """The media type, the JSON and the limits, each with its sentence."""
    answer = await gate.post(body, kind=kind)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"ce-id": "1", "ce-source": "/s", "ce-type": "bell.rung.v2", "ce-data": "x"}, "twice"),
        ({"ce-id": "1", "ce-source": "/s", "ce-type": "bell.rung.v2", "ce-datacontenttype": "text/xml"}, "twice"),
        ({"ce-id": "1", "ce-source": "/%ff", "ce-type": "bell.rung.v2"}, "percent-encoded"),
        ({"ce-source": "/s", "ce-type": "bell.rung.v2"}, "lacks id"),
    ],
)
async def test_binary_headers_that_do_not_fit_are_refused(gate: Gate, headers: dict[str, str], says: str) -> None:
    """What has its place elsewhere, and what is not encoded."""
    answer = await gate.post(b"{}", kind="application/json", **{"ce-specversion": "1.0", **headers})
    assert (answer.status_code, gate.stored) == (422, [])
    assert says in answer.json()["detail"]


async def test_binary_mode_without_a_body_is_an_event_without_data(gate: Gate) -> None:
    """Quoted header values count as their content."""
    attributes = {"ce-specversion": "1.0", "ce-id": '"a \\"b\\""', "ce-source": "/s", "ce-type": "bell.rung.v2"}
    answer = await gate.http.post(PATH, headers={**attributes, **await gate.key()})
    assert (answer.status_code, answer.json()["events"][0]["id"]) == (202, 'a "b"')
    assert gate.stored[0].data == {"number": 0, "who": ""}


@pytest.mark.parametrize(
    ("role", "tenant", "status"),
    [
        ("owner", "acme", 202),
        ("operator", "acme", 202),
        ("staff", "acme", 403),
        ("auditor", "acme", 403),
        ("owner", "other", 403),
    ],
)
async def test_who_may_publish(gate: Gate, role: str, tenant: str, status: int) -> None:
    """Owners and operators of that tenant; a desk and an audit do not make the house act."""
    headers = {"Content-Type": STRUCTURED, **await gate.key(role, tenant)}
    assert (await gate.http.post(PATH, json=bell(), headers=headers)).status_code == status
    assert len(gate.stored) == (status == 202)


async def test_without_a_key_nothing_is_read(gate: Gate) -> None:
    """401, whatever the body is."""
    assert (await gate.http.post(PATH, content=b"{", headers={"Content-Type": STRUCTURED})).status_code == 401


async def test_what_the_bus_does_not_acknowledge_is_not_accepted() -> None:
    """503, to be sent again; the sentence with our addresses stays in the log."""
    gate = Gate(Failing())
    answer = await gate.post(bell())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "send the same request again" in answer.json()["detail"]
    assert "192.0.2.7" not in answer.text
    await gate.http.aclose()


def test_the_vocabulary_may_come_from_outside_and_the_platforms_own_reports_may_not() -> None:
    """Every word of the vocabulary but those of operations."""
    known = known_events()
    assert {"message.received", "appointment.booked", "conversation.handed"} <= known.keys()
    assert not {"event.deadlettered", "consumer.recreated"} & known.keys()


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One real server."""
    with NatsServer() as server:
        yield server


async def test_events_from_outside_reach_a_handler_once_through_a_real_server(server: NatsServer) -> None:
    """A batch sent twice, as a client does that lost the answer: each event is handled once, in order."""
    bus = NatsBus(NatsSettings(url=server.url))
    await bus.start()
    gate, ears = Gate(bus), Ears()
    await ears.listen(bus)
    sent = [bell(subject="k", data={"number": number}) for number in range(20)]
    answers = [await gate.post(sent, kind=BATCHED) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    await gate.post(bell(subject="k", data={"number": 20}))
    await ears.until(21)
    assert ears.numbers == list(range(21))
    assert [context.envelope.id for context in ears.contexts[:20]] == [e["event"] for e in answers[0].json()["events"]]
    assert isinstance(ears.events[0], BellRung)
    await gate.http.aclose()
    await bus.stop()
