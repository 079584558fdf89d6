"""The AsyncAPI document: one channel an event, one operation a handler, and valid by the specification's own schema."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft7Validator
from jsonschema.validators import validator_for
from pydantic import BaseModel

from hayai.bus.memory import MemoryBus
from hayai.clock import system_clock
from hayai.contracts.registry import Part, Registry
from hayai.contracts.rendering import render
from hayai.effects import EffectKind
from hayai.envelope import PlainCodec, encode, wrap
from hayai.event import Event, Personal
from hayai.handlers import Handlers, Policy
from hayai.tier import Tier
from hayai.vocabulary.operations import DeadLettered
from hayai.web.door import door

if TYPE_CHECKING:
    from pathlib import Path

    from hayai.handlers import Context

SPECS = "@asyncapi/specs@6.11.1"
"""The package in which the AsyncAPI initiative ships the schemas of its documents."""
SMS = EffectKind("sms", "reconcile")


class Place(BaseModel):
    """Where."""

    street: Personal[str]
    within: Place | None = None


class SlotBooked(Event, type="slot.booked", version=2):
    """A slot is taken."""

    person: str
    place: Place

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """From the first."""
        return {**data, "place": {"street": data["street"]}}


class SlotBookedFirst(Event, type="slot.booked", version=1):
    """A slot is taken, as it was."""

    person: str
    street: str


@pytest.fixture
def document() -> dict[str, Any]:
    """Of two versions, a reader of both with an effect, and the platform's dead letters."""
    group = Handlers("mail")

    @group.on(SlotBooked, Policy(order="none", attempts=3), effects=[SMS])
    async def write(booked: SlotBooked, context: Context) -> None:
        """Tell them.

        In their words.
        """

    parts = [
        Part("hayai 1", publishes=(DeadLettered,)),
        Part("hayai-booking 2.0", publishes=(SlotBooked,)),
        Part("hayai-old 1.0", publishes=(SlotBookedFirst,)),
        Part("hayai-mail 1.0", tuple(group)),
    ]
    return render("asyncapi", Registry(parts), server="nats.example:4222")


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The schema of AsyncAPI 3.0.0 documents, from the initiative's npm package."""
    folder: Path = tmp_path_factory.mktemp("specs")
    if (npm := shutil.which("npm")) is None:
        pytest.skip("There is no npm here to fetch the official schema with.")
    packed = subprocess.run(
        [npm, "pack", SPECS, "--silent"], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    if packed.returncode:
        pytest.skip("The npm registry does not give the official schema.")
    with tarfile.open(folder / packed.stdout.split()[-1]) as package:
        file = package.extractfile("package/schemas/3.0.0.json")
        assert file is not None
        schema: dict[str, Any] = json.load(file)
    return schema


def test_the_official_schema_finds_nothing_wrong(document: dict[str, Any], official: dict[str, Any]) -> None:
    """Neither in it nor in the one for an install without plugins; and it does find what is wrong."""
    validator = Draft7Validator(official)
    empty = render("asyncapi", Registry([]))
    for each in (document, empty):
        assert [error.message for error in validator.iter_errors(each)] == []
    broken = {**document, "channels": {"slot.booked.v2": {"address": 7}}}
    assert list(validator.iter_errors(broken))


def test_a_channel_says_stream_subject_key_order_and_who(document: dict[str, Any]) -> None:
    """One for each version; the effects are those of its readers."""
    channel = document["channels"]["slot.booked.v1"]
    assert channel["address"] == "ev.{partition}.{tenant}.{key}.slot.booked.v1"
    assert document["channels"]["event.deadlettered.v1"]["x-hayai"]["stream"] == "DEADLETTERS"
    told = channel["x-hayai"]
    assert (told["stream"], told["publish"]) == ("EVENTS", "ev.{tenant}.{key}.slot.booked.v1")
    assert (told["producers"], told["consumers"]) == (["hayai-old 1.0"], ["hayai-mail 1.0 (mail_write)"])
    assert told["effects"] == ["sms"]


def test_an_operation_says_how_a_handler_runs(document: dict[str, Any]) -> None:
    """A reader of two versions has two; its summary is the first line of what it does."""
    for version in (1, 2):
        found = document["operations"][f"mail_write.receives.slot.booked.v{version}"]
        assert (found["action"], found["summary"]) == ("receive", "Tell them.")
        assert found["x-hayai"]["order"] == "none"
        assert found["x-hayai"]["attempts"] == 3
        assert found["x-hayai"]["effects"] == [{"kind": "sms", "unknown": "reconcile"}]
    assert document["operations"]["hayai-booking.sends.slot.booked.v2"]["action"] == "send"


def _resolved(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """Those inside of schemas too."""
    references: list[str] = []

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            references.extend(value for key, value in part.items() if key == "$ref")
            part = list(part.values())
        if isinstance(part, list):
            for each in part:
                collect(each)

    collect(document)
    assert "#/components/schemas/slot.booked.v2.Place" in references
    for each in references:
        assert _resolved(document, each) is not None


def test_what_the_bus_carries_fits_the_message(document: dict[str, Any]) -> None:
    """An envelope as it travels passes its message's payload; the same with another event's type does not."""
    event = SlotBooked(person="p1", place=Place(street="Elm Street"))
    travelled = json.loads(encode(wrap(event, tenant="acme", source="/test", codec=PlainCodec())))
    payload = {**document["components"]["messages"]["slot.booked.v2"]["payload"], "components": document["components"]}
    validator = validator_for(payload, default=Draft7Validator)(payload)
    assert [error.message for error in validator.iter_errors(travelled)] == []
    assert list(validator.iter_errors({**travelled, "type": "slot.booked.v1"}))
    assert list(validator.iter_errors({**travelled, "data": {"person": "p1"}}))


async def test_the_door_serves_it() -> None:
    """Beside /openapi.json, and valid with the events of a real install."""
    registry = Registry([Part("hayai 1", publishes=(DeadLettered,))])
    app = door(Tier({}), MemoryBus(), [], {}, system_clock, contracts=registry)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        served = (await http.get("/asyncapi.json")).json()
    assert served == await asyncio.to_thread(render, "asyncapi", registry)
    assert list(served["channels"]) == ["event.deadlettered.v1"]
