"""ConsentsContract: what every adapter of the port `consents` keeps to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from hayai.errors import KeyNotOpaque
from hayai.ports.base import Settings
from hayai.ports.consents import Consent, Consents
from hayai.vocabulary.consent import PURPOSES, Purpose

WHEN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TENANT, PERSON = "smile-dental", "p-1"


async def say(consents: Consents, source: str, *, allowed: bool, purposes: tuple[Purpose, ...] = PURPOSES) -> None:
    """Record it of one person, on texts."""
    await consents.record(TENANT, Consent(PERSON, "sms", purposes, allowed, source, WHEN))


class ConsentsContract:
    """Inherit, and give a `consents` fixture: a started adapter that was told nothing yet."""

    async def test_it_is_an_adapter_of_its_port(self, consents: Consents) -> None:
        """The class inherits from Consents, and its settings from Settings."""
        assert isinstance(consents, Consents)
        assert issubclass(type(consents).Settings, Settings)

    async def test_nothing_was_said_at_first(self, consents: Consents) -> None:
        """Which is neither a yes nor a no."""
        assert await consents.standing(TENANT, PERSON, "sms") == {}

    async def test_what_was_said_last_stands(self, consents: Consents) -> None:
        """For each purpose on its own."""
        await say(consents, "m1", allowed=False)
        assert await consents.standing(TENANT, PERSON, "sms") == dict.fromkeys(PURPOSES, False)
        await say(consents, "m2", allowed=True, purposes=("answer", "service"))
        assert await consents.standing(TENANT, PERSON, "sms") == {"answer": True, "service": True, "marketing": False}

    async def test_it_is_known_how_it_stood_before_something_was_said(self, consents: Consents) -> None:
        """So what comes again can be understood as it was the first time."""
        await say(consents, "m1", allowed=False)
        await say(consents, "m2", allowed=True)
        await say(consents, "m3", allowed=False)
        stopped = dict.fromkeys(PURPOSES, False)
        assert await consents.standing(TENANT, PERSON, "sms", before="m2") == stopped
        assert await consents.standing(TENANT, PERSON, "sms", before="m1") == {}
        assert await consents.standing(TENANT, PERSON, "sms", before="m4") == stopped

    async def test_a_message_that_comes_again_says_nothing_new(self, consents: Consents) -> None:
        """A STOP that is delivered once more after a START takes nothing back."""
        await say(consents, "m1", allowed=False)
        await say(consents, "m2", allowed=True)
        await say(consents, "m1", allowed=False)
        assert await consents.standing(TENANT, PERSON, "sms") == dict.fromkeys(PURPOSES, True)

    async def test_the_same_message_many_times_at_once_counts_once(self, consents: Consents) -> None:
        """Two replicas may be told together."""
        await asyncio.gather(*(say(consents, "m1", allowed=False) for _ in range(20)))
        assert await consents.standing(TENANT, PERSON, "sms") == dict.fromkeys(PURPOSES, False)

    async def test_tenants_people_and_channels_are_apart(self, consents: Consents) -> None:
        """Who stops one business's texts stops nothing else."""
        await say(consents, "m1", allowed=False)
        for tenant, person, channel in (
            ("bright-remodel", PERSON, "sms"),
            (TENANT, "p-2", "sms"),
            (TENANT, PERSON, "voice"),
        ):
            assert await consents.standing(tenant, person, channel) == {}

    async def test_a_tenant_must_be_a_token(self, consents: Consents) -> None:
        """Nothing is kept or found for an empty tenant, or for a name."""
        said = Consent(PERSON, "sms", PURPOSES, allowed=False, source="m1", at=WHEN)
        for wrong in ("", "Smile Dental"):
            with pytest.raises(KeyNotOpaque):
                await consents.record(wrong, said)
            with pytest.raises(KeyNotOpaque):
                await consents.standing(wrong, PERSON, "sms")

    async def test_stopping_twice_is_no_error(self, consents: Consents) -> None:
        """A runtime that shuts down in a hurry may stop it twice."""
        await consents.stop()
        await consents.stop()
