"""Events and envelopes: what is refused, what is hidden, what a version means."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from pydantic import BaseModel

from hayai.envelope import Codec, PlainCodec, decode, encode, open_event, wrap
from hayai.errors import EnvelopeMalformed, EventMismatch, KeyNotOpaque, VersionUnknown
from hayai.event import Event, Personal, personal_fields
from hayai.tokens import derived, opaque


class NoteTaken(Event, type="note.taken", version=2):
    """A note, once with `body`, now with `text`."""

    text: Personal[str]
    title: Personal[str] | None = None
    stars: int = 0

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 called the text `body`."""
        if version == 1:
            return {"text": data["body"]}
        return super().upcast(data, version)


class NoteTakenBefore(Event, type="note.taken", version=1):
    """The note as version 1 had it."""

    body: Personal[str]


class NoteTakenLater(Event, type="note.taken", version=3):
    """The note as a later release has it."""

    text: Personal[str]


class Backwards(Codec):
    """Seals by turning a JSON text round, so that a test can see it."""

    def seal(self, tenant: str, value: Any) -> Any:
        """The text backwards."""
        return {"sealed": json.dumps(value)[::-1]}

    def open(self, tenant: str, value: Any) -> Any:
        """The text forwards."""
        return json.loads(value["sealed"][::-1]) if isinstance(value, dict) else value


PLAIN = PlainCodec()


def _wrapped(event: Event, **more: Any) -> Any:
    return wrap(event, tenant="smile-dental", source="tests", codec=PLAIN, **more)


def test_an_event_survives_the_wire() -> None:
    """Encoded and decoded, the envelope and the event are what they were."""
    sent = _wrapped(NoteTaken(text="call back", stars=3))
    assert decode(encode(sent)).model_dump() == sent.model_dump()
    assert open_event(decode(encode(sent)), NoteTaken, PLAIN) == NoteTaken(text="call back", stars=3)


def test_what_is_personal_shows_in_no_repr() -> None:
    """Neither the event's repr nor the envelope's holds what a person said; other fields do show."""
    note = NoteTaken(text="my tooth hurts", title="tooth", stars=4)
    shown = repr(note) + str(note) + repr(_wrapped(note)) + str(_wrapped(note))
    assert "tooth" not in shown
    assert "stars=4" in shown
    assert personal_fields(NoteTaken) == {"text", "title"}


def test_marked_fields_and_no_others_go_through_the_codec() -> None:
    """On the wire the marked field is sealed, the rest is readable, and opening gives the event back."""
    sent = wrap(NoteTaken(text="abc", stars=1), tenant="t", source="tests", codec=Backwards())
    assert decode(encode(sent)).data == {"text": {"sealed": '"cba"'}, "title": {"sealed": "llun"}, "stars": 1}
    assert open_event(sent, NoteTaken, Backwards()) == NoteTaken(text="abc", stars=1)


def test_what_an_older_version_sealed_is_opened_for_its_upcaster() -> None:
    """The field has another name by now, and the upcaster reads what was in it."""
    sent = wrap(NoteTakenBefore(body="abc"), tenant="t", source="tests", codec=Backwards())
    assert open_event(sent, NoteTaken, Backwards()).text == "abc"


def test_a_mark_counts_however_deep_it_stands() -> None:
    """In a list, in a dictionary, in a model inside of the event: the whole field is sealed and hidden."""

    class Guest(BaseModel):
        """Who comes."""

        name: Personal[str]
        brings: "Guest | None" = None

    class Invited(Event, type="guest.invited"):
        """Somebody was asked to come."""

        guests: tuple[Guest, ...]
        notes: dict[str, list[Personal[str]]]
        seats: list[int]

    Guest.model_rebuild(_types_namespace={"Guest": Guest})
    Invited.model_rebuild(force=True)
    invited = Invited(guests=(Guest(name="Ada"),), notes={}, seats=[1])
    sent = wrap(invited, tenant="t", source="tests", codec=Backwards())
    assert personal_fields(Invited) == {"guests", "notes"}
    assert "Ada" not in str(decode(encode(sent)).data)
    assert open_event(sent, Invited, Backwards()).guests[0].name == "Ada"


def test_an_older_version_is_read_through_its_upcaster() -> None:
    """Version 1 arrives, a handler of version 2 gets version 2."""
    assert open_event(_wrapped(NoteTakenBefore(body="hi")), NoteTaken, PLAIN) == NoteTaken(text="hi")


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    """The sentence names both versions and asks for the upgrade."""
    with pytest.raises(VersionUnknown, match=r"note\.taken\.v3 is newer .* knows v2: upgrade"):
        open_event(_wrapped(NoteTakenLater(text="hi")), NoteTaken, PLAIN)


def test_an_older_version_without_a_way_is_refused() -> None:
    """An event that defines no upcast() says how to get one."""
    with pytest.raises(VersionUnknown, match=r"give NoteTakenLater an upcast"):
        open_event(_wrapped(NoteTakenBefore(body="hi")), NoteTakenLater, PLAIN)


def test_data_that_does_not_fit_is_named_without_its_value() -> None:
    """The field and the kind of fault are told; what the person wrote is not."""
    sent = _wrapped(NoteTaken(text="x")).model_copy(update={"data": {"text": ["secret words"], "+15550142": "red"}})
    with pytest.raises(EventMismatch, match=r"text: string_type") as refused:
        open_event(sent, NoteTaken, PLAIN)
    assert "secret words" not in str(refused.value)
    assert "a field that it does not have: extra_forbidden" in str(refused.value)
    assert "5550142" not in str(refused.value), "a key of the data may be a person's as well"


def test_another_event_than_the_handlers_is_refused() -> None:
    """A handler never sees an event that it did not subscribe to."""

    class Other(Event, type="other.thing"):
        """Something else."""

    with pytest.raises(EventMismatch, match=r"handler of other\.thing was given note\.taken"):
        open_event(_wrapped(NoteTaken(text="x")), Other, PLAIN)


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"specversion":"0.3"}', b'{"specversion":"1.0","id":"1","type":"x"}'],
)
def test_bytes_that_are_no_envelope_are_refused(document: bytes) -> None:
    """Whatever the bytes, the answer is one sentence that says what to publish with."""
    with pytest.raises(EnvelopeMalformed, match=r"no CloudEvent of ours .* publish with hayai's Bus"):
        decode(document)


@pytest.mark.parametrize("key", ["+15550142", "ada@example.com", "5550142778", "a b", "a.b", "*", ">", "ä", "x" * 65])
def test_a_key_that_tells_who_somebody_is_is_refused(key: str) -> None:
    """Telephone numbers, addresses and subject wildcards are no ordering keys, and are not repeated back."""
    with pytest.raises(KeyNotOpaque, match="ordering key is not an opaque token") as refused:
        _wrapped(NoteTaken(text="x"), key=key)
    assert key not in str(refused.value)


def test_a_follow_up_inherits_key_and_conversation() -> None:
    """What follows an event stays in its lane and its talk, and names it as the cause."""
    first = _wrapped(NoteTaken(text="x"), conversation="talk-1")
    then = _wrapped(NoteTaken(text="y"), cause=first)
    assert (then.subject, then.conversation, then.cause) == ("talk-1", "talk-1", first.id)


def test_derived_ids_repeat_and_differ() -> None:
    """The same parts give the same id; parts cannot be shifted into each other."""
    assert derived("a", "bc") == derived("a", "bc") != derived("ab", "c")
    assert opaque(b"k", "+15550142") != opaque(b"other", "+15550142")


@pytest.mark.parametrize("wrong", [{"type": "Note"}, {"type": "note"}, {"type": "note.taken", "version": 0}])
def test_an_event_class_without_a_sound_name_is_no_class(wrong: dict[str, Any]) -> None:
    """A wire name is dotted and lower case, a version counts from one."""
    with pytest.raises(TypeError, match=r'needs type="noun\.verbed"'):
        type("Wrong", (Event,), {}, **wrong)


async def test_a_blocking_call_of_ours_would_be_caught() -> None:
    """The guard of the whole suite works: code of this package that sleeps in the loop raises."""
    scope: dict[str, Any] = {"time": time}
    exec(compile("def nap():\n    time.sleep(0.01)\n", _inside_hayai(), "exec"), scope)
    with pytest.raises(Exception, match="Blocking call"):
        scope["nap"]()
    await asyncio.sleep(0)


def _inside_hayai() -> str:
    import hayai

    return str(hayai.__file__).replace("__init__.py", "pretended.py")
