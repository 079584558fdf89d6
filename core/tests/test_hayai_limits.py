"""Limits: what a tenant sends beyond its rate is refused whole, others are not touched, and nothing taken is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hayai.bus.base import PLATFORM
from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import RateLimited, SettingsError
from hayai.handlers import Policy
from hayai.limits import Limits, LimitSettings
from hayai.settings import read_settings
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.testing.clock import MovableClock
from hayai.testing.memory_identity import MemoryIdentity
from hayai.testing.servers import NatsServer
from hayai.tier import Tier
from hayai.web.door import door

if TYPE_CHECKING:
    from pathlib import Path

    from hayai.handlers import Context


class Now:
    """A clock of seconds that a test moves."""

    seconds = 100.0

    def __call__(self) -> float:
        """Seconds since whenever."""
        return self.seconds


def limits(now: Now | None = None, **settings: Any) -> Limits:
    """Limits of those settings."""
    return Limits(LimitSettings.model_validate(settings), now=now or Now())


def test_a_bucket_takes_a_burst_and_fills_at_its_rate() -> None:
    """Five at once, then one each half second; the refusal says when it is worth another try."""
    now = Now()
    bucket = limits(now, events_per_second=2, burst=5)
    for _ in range(5):
        bucket.admit("acme")
    with pytest.raises(RateLimited, match="2 events a second, 5 at once") as refused:
        bucket.admit("acme", 4)
    assert refused.value.after == 2
    bucket.admit("other")
    now.seconds += 0.5
    bucket.admit("acme")
    with pytest.raises(RateLimited):
        bucket.admit("acme")


def test_a_batch_beyond_the_burst_is_taken_when_the_bucket_is_full() -> None:
    """It could never be sent otherwise; it is paid for afterwards."""
    now = Now()
    bucket = limits(now, events_per_second=10, burst=5)
    bucket.admit("acme", 100)
    now.seconds += 9
    with pytest.raises(RateLimited):
        bucket.admit("acme", 5)
    now.seconds += 1
    bucket.admit("acme", 5)


def test_a_tenants_own_limits_come_before_the_common_ones() -> None:
    """Key by key."""
    settings = LimitSettings.model_validate({
        "events_per_second": 2, "in_flight": 8, "tenant": {"acme": {"events_per_second": 50}},
    })  # fmt: skip
    assert (settings.of("acme").events_per_second, settings.of("acme").in_flight) == (50, 8)
    assert settings.of("other").events_per_second == 2


def test_a_tier_file_sets_limits(tmp_path: Path) -> None:
    """Under [limits], and under [limits.tenant.NAME]; a word that is none is refused with a sentence."""
    file = tmp_path / "tier.toml"
    file.write_text('tier = "t"\n[limits]\nevents_per_second = 5\n[limits.tenant.acme]\nin_flight = 3\n')
    found = read_settings(file, {"HAYAI_LIMITS__BURST": "7"}).limits
    assert (found.events_per_second, found.burst, found.of("acme").in_flight) == (5, 7, 3)
    file.write_text('tier = "t"\n[limits]\nevents_a_second = 5\n')
    with pytest.raises(SettingsError, match="events_a_second"):
        read_settings(file, {})


async def test_publish_refuses_and_what_follows_from_an_event_is_never_refused() -> None:
    """A handler's ten events are stored beside a limit of one; the platform's own reports are not counted."""

    async def answer(_event: BellRung, _context: Context) -> DoorOpened:
        return DoorOpened()

    bus = MemoryBus(limits=limits(events_per_second=0.001, burst=10))
    rung, opened = Ears(answer), Ears()
    await rung.listen(bus)
    await opened.listen(bus, DoorOpened)
    for number in range(10):
        await bus.publish(BellRung(number=number), tenant="acme", key="k")
    with pytest.raises(RateLimited):
        await bus.publish(BellRung(), tenant="acme", key="k")
    await opened.until(10)
    for _ in range(20):
        await bus.publish(BellRung(), tenant=PLATFORM)
    await bus.stop()


async def test_the_http_door_answers_429_and_stores_none_of_a_batch() -> None:
    """With Retry-After; the next tenant's are taken."""
    bus, identity = MemoryBus(limits=limits(events_per_second=0.5, burst=3)), MemoryIdentity()
    app = door(Tier({"identity": identity}), bus, [], {}, MovableClock())
    event = {"specversion": "1.0", "source": "/s", "type": "bell.rung.v2", "data": {}}

    async def post(tenant: str, first: int, number: int) -> httpx.Response:
        key = (await identity.issue(tenant=tenant, role="owner", label="a test")).get_secret_value()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents-batch+json"}
        batch = [{**event, "id": str(each)} for each in range(first, first + number)]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as http:
            return await http.post(f"/v1/tenants/{tenant}/events", json=batch, headers=headers)

    assert (await post("acme", 0, 2)).status_code == 202
    refused = await post("acme", 2, 2)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.json()["title"] == "RateLimited"
    assert (await post("other", 0, 3)).status_code == 202
    assert (await post("acme", 4, 1)).status_code == 202  # of the refused none was counted
    await bus.stop()


async def test_a_tenant_has_so_many_events_under_way_at_a_handler() -> None:
    """On a real server: never more of the limited one at once, while the other has all places."""
    under_way: dict[str, int] = {"acme": 0, "other": 0}
    most = dict(under_way)

    async def work(_event: BellRung, context: Context) -> None:
        tenant = context.envelope.tenant
        under_way[tenant] += 1
        most[tenant] = max(most[tenant], under_way[tenant])
        await asyncio.sleep(0.02)
        under_way[tenant] -= 1

    ears = Ears(work)
    with NatsServer() as server:
        bus = NatsBus(NatsSettings(url=server.url), limits=limits(tenant={"acme": {"in_flight": 2}}))
        await bus.start()
        await ears.listen(bus, policy=Policy(concurrency=8))
        for number in range(20):
            for tenant in most:
                await bus.publish(BellRung(), tenant=tenant, key=f"k{number}")
        await ears.until(40)
        await bus.stop()
    assert most["acme"] == 2
    assert most["other"] > 2
