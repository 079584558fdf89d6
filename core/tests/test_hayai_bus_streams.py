"""Streams: subjects, filters, and what counts as the same configuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayai.bus.streams import (
    DEADLETTERS,
    EVENTS,
    Address,
    address_of,
    broken_promises,
    configuration,
    filter_matches,
    filter_of,
    other_limits,
    schedules_configuration,
    stream_of,
    subject_of,
)
from hayai.envelope import Envelope, PlainCodec, wrap
from hayai.errors import EnvelopeMalformed, KeyNotOpaque
from hayai.testing.bus_words import BellRung

WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(lambda word: not word.startswith("_"))
NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True), min_size=2, max_size=4).map(".".join)


def envelope(**words: object) -> Envelope:
    """A sound envelope, but for `words`."""
    return wrap(BellRung(), tenant="acme", source="/x", codec=PlainCodec(), key="k").model_copy(update=words)


def stored(subject: str) -> str:
    """The subject as the stream keeps it, in partition 0."""
    prefix, _, words = subject.partition(".")
    return f"{prefix}.0.{words}"


@given(tenant=WORDS, key=WORDS, name=NAMES, version=st.integers(1, 99))
def test_a_subject_says_what_it_was_made_of(tenant: str, key: str, name: str, version: int) -> None:
    """And passes the filter of its own event, in any version."""
    address = address_of(stored(subject_of(envelope(tenant=tenant, subject=key, type=f"{name}.v{version}"))))
    assert address == Address(stream_of(name).name, 0, tenant, key, f"{name}.v{version}", lane=(tenant, key))
    assert filter_matches(name, address)
    assert not filter_matches(f"{name}.more", address)
    assert filter_of(name, 0) == f"ev.0.*.*.{name}.*"


def test_dead_letters_have_a_stream_of_their_own() -> None:
    """Subjects, filter and stream agree about it."""
    subject = subject_of(envelope(type="event.deadlettered.v1"))
    assert subject == "dead.acme.k.event.deadlettered.v1"
    assert filter_of("event.deadlettered", 3) == "dead.3.*.*.event.deadlettered.*"
    assert address_of(stored(subject)).stream == stream_of("event.deadlettered").name == DEADLETTERS.name


@pytest.mark.parametrize("words", [{"tenant": "a.b"}, {"subject": "*"}, {"id": "Ada Lovelace"}, {"conversation": ">"}])
def test_a_subject_is_made_of_opaque_tokens_alone(words: dict[str, str]) -> None:
    """A wildcard or a dot would reach into other subjects."""
    with pytest.raises(KeyNotOpaque):
        subject_of(envelope(**words))


@pytest.mark.parametrize("wire_type", ["bell.v1", "bell..rung.v1", "bell.rung.*.v1", "bell.rung", "bell.rung.v0"])
def test_a_type_that_is_none_makes_no_subject(wire_type: str) -> None:
    """An empty word in a subject is refused by the server without an answer."""
    with pytest.raises(EnvelopeMalformed, match=r"no noun\.verbed\.vN"):
        subject_of(envelope(type=wire_type))


@pytest.mark.parametrize("subject", ["", "ev", "ev.acme", "ev.0.acme.k", "other.0.acme.k.bell.rung.v1"])
def test_a_strange_subject_is_read_without_an_error(subject: str) -> None:
    """The envelope is compared with it afterwards, and refused."""
    assert isinstance(address_of(subject), Address)


def test_a_configuration_is_compared_by_what_it_promises() -> None:
    """What a server adds of its own makes no difference; fewer copies or dropping old events do."""
    declared = configuration(EVENTS, partitions=1, replicas=3, max_bytes=1000, max_age=60, window=10)
    assert declared["max_age"] == 60_000_000_000
    assert broken_promises(declared, {**declared, "metadata": {"_nats.level": "5"}}) == []
    assert broken_promises(declared, {**declared, "num_replicas": 1}) == ["num_replicas 1 instead of 3"]
    assert broken_promises(declared, {**declared, "discard": "old"}) == ["discard 'old' instead of 'new'"]
    assert broken_promises(declared, {**declared, "no_ack": True}) == ["no_ack True"]
    assert broken_promises(declared, {**declared, "persist_mode": "async"}) == ["persist_mode 'async'"]
    assert other_limits(declared, {**declared, "max_bytes": 5}) == ["max_bytes 5 instead of 1000"]
    assert broken_promises(declared, {**declared, "max_bytes": 5}) == []


def test_the_stream_of_events_draws_in_what_is_due_and_no_other_does() -> None:
    """A stream that does not is refused, and one of schedules that keeps none as well."""
    limits = {"partitions": 1, "replicas": 1, "max_bytes": 1000, "max_age": 60, "window": 10}
    events, letters = configuration(EVENTS, **limits), configuration(DEADLETTERS, **limits)
    without = {key: value for key, value in events.items() if key != "sources"}
    assert broken_promises(events, without)[0].startswith("sources None instead of [{'name': 'SCHEDULES'")
    assert broken_promises(letters, {key: value for key, value in letters.items() if key != "sources"}) == []
    schedules = schedules_configuration(replicas=1, max_age=60, window=10)
    assert broken_promises(schedules, {**schedules, "metadata": {}}) == []
    assert broken_promises(schedules, {**schedules, "allow_msg_schedules": False}) == [
        "allow_msg_schedules False instead of True"
    ]
