"""Instruments: what Meters count, as OpenTelemetry's metrics.

Counters and gauges are observed when somebody collects. OpenTelemetry has no histogram that is observed, so the buckets
of ours are handed over as they are, to whoever exports.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, Metric
from opentelemetry.sdk.metrics.export import Histogram as Exported

from hayai.telemetry.histogram import edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from opentelemetry.metrics import CallbackOptions, Meter

    from hayai.telemetry.histogram import Histogram
    from hayai.telemetry.meters import Meters, Work

    Observe = Callable[[CallbackOptions], Iterable[Observation]]

_SLOTS = 53
_COARSE = 4
"""Of our buckets make one of theirs: two to each doubling."""
BOUNDS = tuple(edge(_COARSE * (slot + 4) - 1) for slot in range(_SLOTS))
"""Where their buckets end, in seconds: 16 us, 24 us, 32 us, 48 us ... 18 minutes."""


@dataclass
class Waiting:
    """What waits at the server and in the ledger, as last looked at; empty until then."""

    lag: Mapping[str, int] = field(default_factory=dict[str, int])
    """Events that were not handed out yet, by handler."""
    in_flight: Mapping[str, int] = field(default_factory=dict[str, int])
    outbox: int | None = None
    outbox_age: float | None = None
    """Of the oldest row, in seconds; 0 where there is none."""


def observe(meter: Meter, meters: Meters, waiting: Waiting) -> None:
    """Let `meter` tell the counters of `meters` and the gauges of `waiting` whenever it is asked."""
    for name, unit, says, value in (
        ("hayai.redeliveries", "{event}", "Events that the server handed out again.", _redelivered),
        ("hayai.dead_letters", "{event}", "Events that were given up.", _dead),
        ("hayai.deferrals", "{event}", "How often what follows from an event could not be stored.", _deferred),
    ):
        meter.create_observable_counter(name, [_counter(meters, value)], unit, says)
    meter.create_observable_counter(
        "hayai.handle.attempts", [_attempts(meters)], "{attempt}", "Tries of handlers, by what came of them."
    )
    for name, unit, says, look in (
        ("hayai.lag", "{event}", "Events that were not handed out yet.", lambda: _by_handler(waiting.lag)),
        ("hayai.in_flight", "{event}", "Events in the hands of handlers.", lambda: _by_handler(waiting.in_flight)),
        ("hayai.outbox.waiting", "{event}", "Events that wait to be published.", lambda: _single(waiting.outbox)),
        ("hayai.outbox.age", "s", "How long the oldest of these has waited.", lambda: _single(waiting.outbox_age)),
    ):
        meter.create_observable_gauge(name, [_gauge(look)], unit, says)


def histograms(meters: Meters, begun: int) -> list[Metric]:
    """The histograms of `meters`, cumulative since the instant `begun`, in nanoseconds since 1970."""
    now = time.time_ns()
    work = [(each, _whose(name, event, tenant)) for name, event, tenant, each in _work(meters)]
    sent = [
        (each, {"messaging.destination.template": what, "hayai.tenant": tenant})
        for what, tenants in list(meters.published.items())
        for tenant, each in list(tenants.items())
    ]
    handled = [(each.duration, whose) for each, whose in work]
    ages = [(each.age, whose) for each, whose in work]
    return [
        _metric("hayai.publish.duration", "How long an event waited for its acknowledgement.", sent, begun, now),
        _metric("hayai.handle.duration", "How long a try of a handler took.", handled, begun, now),
        _metric("hayai.event.age", "How long after it happened an event was handled.", ages, begun, now),
    ]


def _metric(name: str, says: str, several: Sequence[tuple[Histogram, dict[str, str]]], begun: int, now: int) -> Metric:
    points = [_point(histogram, whose, begun, now) for histogram, whose in several]
    return Metric(name, says, "s", Exported(points, AggregationTemporality.CUMULATIVE))


def _point(histogram: Histogram, whose: dict[str, str], begun: int, now: int) -> HistogramDataPoint:
    """Their least and greatest are as exact as our buckets."""
    fine = histogram.counts
    coarse = [0] * (_SLOTS + 1)
    for place, count in fine.items():
        coarse[min(max(0, place // _COARSE - 3), _SLOTS)] += count
    return HistogramDataPoint(
        attributes={"messaging.system": "nats", **whose},
        start_time_unix_nano=begun,
        time_unix_nano=now,
        count=sum(coarse),
        sum=histogram.total,
        bucket_counts=coarse,
        explicit_bounds=BOUNDS,
        min=edge(min(fine) - 1) if fine and min(fine) else 0.0,
        max=edge(max(fine)) if fine else 0.0,
    )


def _attempts(meters: Meters) -> Observe:
    def told(_options: CallbackOptions) -> list[Observation]:
        return [
            Observation(count, {**_whose(name, event, tenant), "hayai.outcome": outcome})
            for name, event, tenant, each in _work(meters)
            for outcome, count in (("done", each.done), ("again", each.again), ("dead", each.dead))
        ]

    return told


def _counter(meters: Meters, value: Callable[[Work], int]) -> Observe:
    def told(_options: CallbackOptions) -> list[Observation]:
        return [Observation(value(each), _whose(name, event, tenant)) for name, event, tenant, each in _work(meters)]

    return told


def _gauge(look: Callable[[], list[Observation]]) -> Observe:
    def told(_options: CallbackOptions) -> list[Observation]:
        return look()

    return told


def _work(meters: Meters) -> Iterator[tuple[str, str, str, Work]]:
    """Copies are gone through: the event loop goes on while another thread collects."""
    for meter in list(meters.handlers.values()):
        for tenant, each in list(meter.tenants.items()):
            yield meter.handler, meter.event, tenant, each


def _whose(handler: str, event: str, tenant: str) -> dict[str, str]:
    return {
        "messaging.consumer.group.name": handler,
        "messaging.destination.template": event,
        "hayai.tenant": tenant,
    }


def _by_handler(counts: Mapping[str, int]) -> list[Observation]:
    return [Observation(count, {"messaging.consumer.group.name": name}) for name, count in counts.items()]


def _single(value: float | None) -> list[Observation]:
    return [] if value is None else [Observation(value)]


def _redelivered(work: Work) -> int:
    return work.redelivered


def _dead(work: Work) -> int:
    return work.dead


def _deferred(work: Work) -> int:
    return work.deferred
