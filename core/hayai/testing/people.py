"""PeopleContract: what every adapter of the port `people` keeps to."""

from __future__ import annotations

import asyncio

import pytest

from hayai.errors import KeyNotOpaque
from hayai.ports.base import Settings
from hayai.ports.people import People
from hayai.tokens import token

OURS, OTHER_OF_OURS = "+15550100001", "+15550100002"
THEIRS = "+15550109999"


class PeopleContract:
    """Inherit, and give a `people` fixture: a started adapter that knows nobody yet."""

    async def test_it_is_an_adapter_of_its_port(self, people: People) -> None:
        """The class inherits from People, and its settings from Settings."""
        assert isinstance(people, People)
        assert issubclass(type(people).Settings, Settings)

    async def test_the_same_address_is_the_same_person(self, people: People) -> None:
        """And the same conversation goes on, whichever of our numbers they use."""
        first = await people.met("smile-dental", "phone", THEIRS, via=OURS)
        again = await people.met("smile-dental", "phone", THEIRS, via=OTHER_OF_OURS)
        assert (again.person, again.conversation) == (first.person, first.conversation)
        assert (first.via, again.via) == (OURS, OTHER_OF_OURS)

    async def test_ids_are_opaque(self, people: People) -> None:
        """Neither holds the address, and both may head a subject."""
        contact = await people.met("smile-dental", "phone", THEIRS, via=OURS)
        for each in (contact.person, contact.conversation):
            assert token(each, what="id") == each
            assert "9999" not in each
        assert THEIRS not in repr(contact)

    async def test_tenants_and_kinds_are_apart(self, people: People) -> None:
        """One number is another customer at another business, and a WhatsApp account is no telephone."""
        met = [
            await people.met(tenant, kind, THEIRS, via=OURS)
            for tenant, kind in (("smile-dental", "phone"), ("smile-dental", "whatsapp"), ("bright-remodel", "phone"))
        ]
        assert len({each.person for each in met}) == len({each.conversation for each in met}) == 3
        assert await people.reach("bright-remodel", met[0].person, {"phone"}) is None

    async def test_many_meetings_at_once_make_one_person(self, people: People) -> None:
        """Two webhooks of one stranger may arrive together, at two replicas."""
        met = await asyncio.gather(*(people.met("smile-dental", "phone", THEIRS, via=OURS) for _ in range(20)))
        assert len({(each.person, each.conversation) for each in met}) == 1

    async def test_a_person_is_reached_as_they_came(self, people: People) -> None:
        """By the address of a kind that is asked for, from the number of ours that they used last."""
        met = await people.met("smile-dental", "phone", THEIRS, via=OURS)
        await people.met("smile-dental", "phone", THEIRS, via=OTHER_OF_OURS)
        found = await people.reach("smile-dental", met.person, ("phone", "whatsapp"))
        assert found is not None
        assert (found.kind, found.address, found.via) == ("phone", THEIRS, OTHER_OF_OURS)
        assert await people.reach("smile-dental", met.person, ("whatsapp",)) is None
        assert await people.reach("smile-dental", "nobody", ("phone",)) is None

    async def test_a_tenant_must_be_a_token(self, people: People) -> None:
        """Nobody is met or found for an empty tenant, or for a name."""
        for wrong in ("", "Smile Dental"):
            with pytest.raises(KeyNotOpaque):
                await people.met(wrong, "phone", THEIRS, via=OURS)
            with pytest.raises(KeyNotOpaque):
                await people.reach(wrong, "somebody", ("phone",))

    async def test_stopping_twice_is_no_error(self, people: People) -> None:
        """A runtime that shuts down in a hurry may stop it twice."""
        await people.stop()
        await people.stop()
