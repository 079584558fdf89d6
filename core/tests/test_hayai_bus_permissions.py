"""A tenant's own user of the server: what hayai.connect needs, and no hand on another tenant's things."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client
from typer.testing import CliRunner

import hayai
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.bus.permissions import inbox_of_tenant, tenant_permissions
from hayai.cli.main import app
from hayai.errors import KeyNotOpaque, Unavailable
from hayai.testing.bus_words import BellRung, Ears
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """A server with the house's user and one of the tenant acme."""
    guest = f"{{ user: guest, password: guest, {tenant_permissions('acme')} }}"
    users = f"authorization {{ users: [ {{ user: house, password: house }}, {guest} ] }}"
    with NatsServer(users) as server:
        yield server


def url(server: NatsServer, user: str) -> str:
    """The server's address for that user."""
    return server.url.replace("//", f"//{user}:{user}@")


async def test_a_tenants_user_publishes_its_own_events_and_no_others(server: NatsServer) -> None:
    """What it publishes is handled; an event of another tenant is never acknowledged, and never comes."""
    house, ears = NatsBus(NatsSettings(url=url(server, "house"))), Ears()
    await house.start()
    await ears.listen(house)
    inbox = inbox_of_tenant("acme")
    async with hayai.connect(url(server, "guest"), inbox=inbox, publish_deadline=1) as bus:
        await bus.publish(BellRung(number=1), tenant="acme")
        with pytest.raises(Unavailable):
            await bus.publish(BellRung(number=2), tenant="other")
        await bus.publish(BellRung(number=3), tenant="acme")
    await ears.until(2)
    await house.stop()
    assert sorted(ears.numbers) == [1, 3]


@pytest.mark.parametrize(
    ("verb", "subject", "allowed"),
    [
        ("publish", "ev.acme.k.bell.rung.v2", True),
        ("publish", "ev.other.k.bell.rung.v2", False),
        ("publish", "dead.other.k.event.deadlettered.v1", False),
        ("publish", "live.other.c", False),
        ("publish", "$JS.API.STREAM.MSG.GET.EVENTS", False),
        ("publish", "$JS.API.CONSUMER.CREATE.EVENTS.mine", False),
        ("subscribe", "live.acme.c", True),
        ("subscribe", "live.other.c", False),
        ("subscribe", "live.>", False),
        ("subscribe", "ev.>", False),
        ("subscribe", "_INBOX.>", False),
        ("subscribe", f"{inbox_of_tenant('other')}.>", False),
    ],
)
async def test_the_server_refuses_a_tenants_user_what_is_anothers(
    server: NatsServer, verb: str, subject: str, allowed: bool
) -> None:
    """Events, conversations, answers, and whatever reads a stream."""
    told: list[str] = []
    client = Client()

    async def note(wrong: Exception) -> None:
        told.append(str(wrong).lower())

    async def nothing(_message: Any) -> None: ...

    await client.connect(url(server, "guest"), error_cb=note)
    await (client.publish(subject, b"{}") if verb == "publish" else client.subscribe(subject, cb=nothing))
    await client.flush()
    await asyncio.sleep(0.05)
    await client.close()
    assert any("permissions violation" in each for each in told) is not allowed


def test_the_command_prints_what_the_server_reads() -> None:
    """For a tenant no tier file is needed; what is no tenant is refused with a sentence."""
    told = CliRunner().invoke(app, ["bus", "permissions", "--tenant", "acme"])
    assert told.output.strip() == str(tenant_permissions("acme"))
    assert CliRunner().invoke(app, ["bus", "permissions"]).exit_code == 2
    with pytest.raises(KeyNotOpaque):
        tenant_permissions("a.>")
