"""What the bus counts: each outcome of a try, how long it took, and no more names than are bounded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import PermanentError, TransientError
from hayai.handlers import Policy
from hayai.telemetry.histogram import Histogram, less, merged, quantile
from hayai.telemetry.instruments import Waiting, observe
from hayai.telemetry.meters import MOST_TENANTS, OTHER, HandlerMeter, Meters
from hayai.testing.bus_words import BellRung, Ears, letter_of
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai.handlers import Context


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    """A started bus."""
    bus = MemoryBus()
    await bus.start()
    yield bus
    await bus.stop()


@given(st.lists(st.floats(0, 80_000), min_size=1), st.sampled_from([0.01, 0.5, 0.99, 1.0]))
def test_a_quantile_is_at_most_an_eighth_too_high(durations: list[float], part: float) -> None:
    """And never too low, but for the microsecond to which it is counted."""
    histogram = Histogram()
    for each in durations:
        histogram.add(each)
    exact = sorted(durations)[max(0, -(-int(part * 100) * len(durations) // 100) - 1)]
    told = quantile(histogram.counts, part)
    assert told is not None
    assert exact - 1e-6 <= told <= exact * 1.13 + 2e-6
    assert histogram.count == len(durations)
    assert histogram.total == pytest.approx(sum(durations))


def test_what_no_clock_should_tell_is_counted_all_the_same() -> None:
    """Less than nothing, and more than a day."""
    histogram = Histogram()
    histogram.add(-3.0)
    histogram.add(1e9)
    assert histogram.count == 2
    assert quantile(histogram.counts, 0.5) == 1e-6
    assert quantile({}, 0.5) is None


def test_counts_are_added_and_taken_away() -> None:
    """Of several processes, and of what came since."""
    assert merged([{1: 2, 3: 1}, {3: 4}]) == {1: 2, 3: 5}
    assert less({1: 2, 3: 5}, {3: 5, 1: 1}) == {1: 1}


async def test_each_outcome_of_a_try_is_counted(bus: MemoryBus) -> None:
    """Two failures that pass, one that ends as a dead letter, and successes, by tenant."""
    ears = Ears(_moody)
    name = await ears.listen(bus)
    for number, tenant in ((0, "acme"), (1, "acme"), (2, "acme"), (0, "other")):
        await bus.publish(BellRung(number=number), tenant=tenant, key="k")
    await letter_of(bus, name)
    await bus.settle()
    acme, other = (bus.meters.handlers[name].tenants[each] for each in ("acme", "other"))
    assert (acme.done, acme.failed, acme.again, acme.dead, acme.redelivered) == (2, 2, 1, 1, 0)
    assert (acme.duration.count, other.done, other.failed) == (4, 1, 0)
    assert other.age.count == 1
    stored = bus.meters.published[BellRung.wire_type()]
    assert {tenant: each.count for tenant, each in stored.items()} == {"acme": 3, "other": 1}


async def _moody(event: BellRung, context: Context) -> None:
    if event.number == 1 and context.attempt == 1:
        raise TransientError("Not now.")
    if event.number == 2:
        raise PermanentError("Never.")


async def test_what_the_server_hands_out_again_is_counted_once() -> None:
    """However often it is tried then."""
    begun, gate = asyncio.Event(), asyncio.Event()

    async def wait(_event: BellRung, context: Context) -> None:
        begun.set()
        await gate.wait()
        if context.attempt == 2:
            raise TransientError("Not now.")

    ears = Ears(wait)
    with NatsServer() as server:
        first, second = (NatsBus(NatsSettings(url=server.url, ack_wait=1)) for _ in range(2))
        policy = Policy(first_delay=0.01, timeout=60)
        await first.start()
        await ears.listen(first, policy=policy)
        await first.publish(BellRung(), tenant="acme", key="k")
        await begun.wait()
        await first.stop()
        gate.set()
        await second.start()
        name = await ears.listen(second, policy=policy)
        await ears.until(1)
        await second.stop()
    work = second.meters.handlers[name].tenants["acme"]
    assert (work.redelivered, work.done, work.again) == (1, 1, 1)


def test_a_tenant_too_many_is_counted_among_the_others() -> None:
    """Nobody can make the figures grow without end."""
    meter, now = HandlerMeter("ears", "bell.rung"), datetime.now(UTC) - timedelta(seconds=2)
    for number in range(3 * MOST_TENANTS):
        meter.handled(f"tenant{number}", now, perf_counter())
    assert len(meter.tenants) == MOST_TENANTS + 1
    assert meter.tenants[OTHER].done == 2 * MOST_TENANTS
    assert meter.tenants["tenant5"].done == 1
    assert sum(meter.durations.values()) == 3 * MOST_TENANTS
    assert (quantile(meter.tenants["tenant0"].age.counts, 0.5) or 0) >= 2


def test_a_handler_has_one_meter() -> None:
    """Also where it is subscribed again."""
    meters = Meters()
    assert meters.handler("ears", "bell.rung") is meters.handler("ears", "bell.rung")


async def test_a_reader_in_the_process_collects_counters_and_gauges(bus: MemoryBus) -> None:
    """Of the moment in which it asks; what nobody has looked at yet is left out."""
    reader, waiting = InMemoryMetricReader(), Waiting()
    observe(MeterProvider([reader]).get_meter("a test"), bus.meters, waiting)
    ears = Ears()
    name = await ears.listen(bus)
    await bus.publish(BellRung(), tenant="acme", key="k")
    await bus.settle()
    assert "hayai.lag" not in _collected(reader)
    waiting.lag, waiting.outbox, waiting.outbox_age = {name: 3}, 2, 1.5
    found = _collected(reader)
    assert found["hayai.lag"] == [(3, {"messaging.consumer.group.name": name})]
    assert (found["hayai.outbox.waiting"], found["hayai.outbox.age"]) == ([(2, {})], [(1.5, {})])
    told = {attributes["hayai.outcome"]: value for value, attributes in found["hayai.handle.attempts"]}
    assert told == {"done": 1, "again": 0, "dead": 0}


def _collected(reader: InMemoryMetricReader) -> dict[str, list[tuple[Any, dict[str, Any]]]]:
    data = reader.get_metrics_data()
    metrics = [m for rm in data.resource_metrics for sm in rm.scope_metrics for m in sm.metrics] if data else []
    return {
        each.name: [
            (point.value, dict(point.attributes or {}))
            for point in each.data.data_points
            if isinstance(point, NumberDataPoint)
        ]
        for each in metrics
    }
