"""RefusingContract: what is refused at the door, and what is kept though it cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hayai.bus.base import UNKNOWN
from hayai.envelope import encode
from hayai.errors import (
    KeyNotOpaque,
    MessageTooLarge,
)
from hayai.testing.bus_words import BellRung, Ears, enveloped, letter_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.base import Bus

    Plant = Callable[[str, bytes], Awaitable[None]]


class RefusingContract:
    """What is refused at the door, and what is kept though it cannot be read."""

    async def test_an_older_version_is_read_through_the_upcast(self, bus: Bus) -> None:
        """A publisher that was not upgraded yet is understood."""
        ears = Ears()
        await ears.listen(bus)
        await bus.send(enveloped(type="bell.rung.v1", data={"n": 4}))
        await ears.until(1)
        assert ears.numbers == [4]

    @pytest.mark.parametrize(
        ("wire_type", "data", "error"),
        [
            ("bell.rung.v9", {"number": 1}, "VersionUnknown"),
            ("bell.rung.v2", {"number": "not a number"}, "EventMismatch"),
            ("bell.rung.v2", {"number": 1, "stray": True}, "EventMismatch"),
        ],
    )
    async def test_what_cannot_be_read_is_kept(
        self, bus: Bus, wire_type: str, data: dict[str, object], error: str
    ) -> None:
        """An unknown version or data that does not fit: a dead letter at once, and the next event goes on."""
        ears = Ears()
        name = await ears.listen(bus)
        bad = enveloped(type=wire_type, data=data)
        await bus.send(bad)
        await bus.publish(BellRung(number=5), tenant="acme", key="k")
        await ears.until(1)
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts, envelope.cause) == (error, 1, bad.id)
        assert ears.numbers == [5]

    async def test_bytes_that_are_no_envelope_are_kept(self, bus: Bus, plant: Plant) -> None:
        """Nobody knows whose they are; the letter points to them."""
        ears = Ears()
        name = await ears.listen(bus)
        await plant("ev.acme.k.bell.rung.v2", b"\xff{ this is no JSON")
        await bus.publish(BellRung(number=5), tenant="acme", key="k")
        await ears.until(1)
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, envelope.tenant, envelope.cause) == ("EnvelopeMalformed", UNKNOWN, None)
        assert letter.sequence > 0

    @pytest.mark.parametrize(
        ("subject", "error"),
        [
            ("ev.globex.k.bell.rung.v2", "TenantWrong"),
            ("ev.acme.other.bell.rung.v2", "EnvelopeMalformed"),
            ("ev.acme.k.bell.rung.v1", "EventMismatch"),
        ],
    )
    async def test_an_envelope_must_be_what_its_subject_says(
        self, bus: Bus, plant: Plant, subject: str, error: str
    ) -> None:
        """The server lets a publisher write by subject: an envelope cannot claim another tenant, key or type."""
        ears = Ears()
        name = await ears.listen(bus)
        await plant(subject, encode(enveloped(type="bell.rung.v2", data={"number": 1})))
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, letter.attempts, ears.events) == (error, 1, [])
        assert envelope.tenant == subject.split(".")[1]

    async def test_an_envelope_with_a_telling_id_is_kept_without_repeating_it(self, bus: Bus, plant: Plant) -> None:
        """Ids are opaque: a telephone number in one does not travel on."""
        ears = Ears()
        name = await ears.listen(bus)
        await plant("ev.acme.k.bell.rung.v2", encode(enveloped(type="bell.rung.v2", data={}, id="+442079460000")))
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, ears.events) == ("KeyNotOpaque", [])
        assert b"442079460000" not in encode(envelope)

    async def test_a_subject_with_a_telling_tenant_is_not_repeated(self, bus: Bus, plant: Plant) -> None:
        """Its dead letter is nobody's."""
        name = await Ears().listen(bus)
        await plant("ev.+442079460000.k.bell.rung.v2", encode(enveloped(type="bell.rung.v2", data={})))
        envelope, letter = await letter_of(bus, name)
        assert (letter.error, envelope.tenant) == ("TenantWrong", UNKNOWN)

    async def test_an_event_that_is_too_large_is_refused(self, bus: Bus) -> None:
        """Before it is sent, with what to do instead; the bus goes on."""
        ears = Ears()
        await ears.listen(bus)
        with pytest.raises(MessageTooLarge, match=r"bell\.rung\.v2 has \d+ bytes .* keep large content elsewhere"):
            await bus.publish(BellRung(who="x" * 3_000_000), tenant="acme")
        await bus.publish(BellRung(number=1), tenant="acme")
        await ears.until(1)

    @pytest.mark.parametrize(
        "words", [{"tenant": "a.b"}, {"key": "+44 20 7946 0000"}, {"id": "*"}, {"conversation": ">"}]
    )
    async def test_what_is_not_opaque_is_refused(self, bus: Bus, words: dict[str, Any]) -> None:
        """Subjects and ids are visible to everybody who operates the bus; the refusal does not repeat the word."""
        told: dict[str, Any] = {"tenant": "acme", **words}
        with pytest.raises(KeyNotOpaque) as refused:
            await bus.publish(BellRung(), **told)
        assert not any(word in str(refused.value) for word in words.values() if len(word) > 1)
        with pytest.raises(KeyNotOpaque):
            await bus.send(enveloped(tenant="a.b"))
