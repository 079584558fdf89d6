"""Telemetry leaves the process over OTLP: what a collector receives, and what happens without one."""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics.export import HistogramDataPoint

from hayai.errors import SettingsError
from hayai.telemetry.histogram import Histogram
from hayai.telemetry.instruments import BOUNDS, histograms
from hayai.telemetry.meters import Meters
from hayai.telemetry.otlp import begin
from hayai.testing.bus_install import Servers, installed
from hayai.testing.bus_words import BellRung, Ears
from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.testing.postgres_server import PostgresServer

CHILD = Path(__file__).with_name("telemetry_process.py")


class Collector(ThreadingHTTPServer):
    """What an OTLP collector is sent, by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.received: dict[str, list[bytes]] = {"/v1/traces": [], "/v1/metrics": []}

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> list[Any]:
        """All spans."""
        requests = [ExportTraceServiceRequest.FromString(each) for each in self.received["/v1/traces"]]
        return [s for r in requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics as they were sent last, by name."""
        last = ExportMetricsServiceRequest.FromString(self.received["/v1/metrics"][-1])
        return {m.name: m for rm in last.resource_metrics for sm in rm.scope_metrics for m in sm.metrics}


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Keep the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert isinstance(self.server, Collector)
        self.server.received[self.path].append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that listens."""
    with Collector() as collector:
        Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """A NATS server of the test's own, a migrated database and a tier file."""
    with installed(postgres_server, tmp_path) as servers:
        yield servers


async def _run(servers: Servers, **environment: str) -> tuple[int, str]:
    """The child's exit status and what it complained of."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HAYAI_"))}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CHILD), str(servers.folder / "tier.toml")),
        env={**plain, **environment},
        stderr=PIPE,
    )
    _, complaints = await child.communicate()
    return child.returncode or 0, complaints.decode()


async def test_a_collector_receives_spans_counters_gauges_and_histograms(
    servers: Servers, collector: Collector
) -> None:
    """With handler, event and tenant as attributes, and nothing of what was said."""
    ears = Ears()
    async with servers.bus() as bus:
        name = await ears.listen(bus)
    async with servers.bus() as bus:
        for number in range(3):
            await bus.publish(BellRung(number=number), tenant="acme", key="k")
    status, complaints = await _run(servers, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert (status, complaints.count("Traceback")) == (0, 0), complaints
    names = [each.name for each in collector.spans]
    assert (names.count("send bell.rung.v2"), names.count("process ears_hear")) == (4, 4)
    assert len({each.trace_id for each in collector.spans}) == 4
    metrics = collector.metrics
    (duration,) = metrics["hayai.handle.duration"].histogram.data_points
    assert (duration.count, sum(duration.bucket_counts), tuple(duration.explicit_bounds)) == (4, 4, BOUNDS)
    whose = {each.key: each.value.string_value for each in duration.attributes}
    assert whose == {
        "messaging.system": "nats",
        "messaging.consumer.group.name": "ears_hear",
        "messaging.destination.template": "bell.rung",
        "hayai.tenant": "acme",
    }
    assert _values(metrics["hayai.handle.attempts"].sum, "hayai.outcome") == {"done": 3, "again": 0, "dead": 1}
    assert _values(metrics["hayai.dead_letters"].sum, "hayai.tenant") == {"acme": 1}
    assert _values(metrics["hayai.lag"].gauge, "messaging.consumer.group.name") == {name: 3}
    assert metrics["hayai.outbox.waiting"].gauge.data_points[0].as_int == 0
    assert {"hayai.publish.duration", "hayai.event.age", "hayai.in_flight", "hayai.outbox.age"} <= set(metrics)


def _values(points: Any, attribute: str) -> dict[str, int]:
    return {
        each.value.string_value: point.as_int
        for point in points.data_points
        for each in point.attributes
        if each.key == attribute
    }


async def test_a_collector_that_is_away_holds_up_nothing(servers: Servers) -> None:
    """Events are handled, and the process ends."""
    away = f"http://127.0.0.1:{free_port()}"
    async with asyncio.timeout(60):
        status, _ = await _run(servers, OTEL_EXPORTER_OTLP_ENDPOINT=away)
    assert status == 0


async def test_each_signal_can_be_left_out(servers: Servers, collector: Collector) -> None:
    """By the standard variables."""
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_EXPORTER": "none"}
    assert (await _run(servers, **wanted))[0] == 0
    assert (collector.spans, "hayai.handle.duration" in collector.metrics) == ([], True)
    collector.received["/v1/metrics"].clear()
    assert (await _run(servers, **wanted, OTEL_SDK_DISABLED="true"))[0] == 0
    assert collector.received == {"/v1/traces": [], "/v1/metrics": []}


def test_a_protocol_that_is_not_spoken_is_refused() -> None:
    """In a sentence, before anything is set up; nothing is done where nobody listens."""
    with pytest.raises(SettingsError, match="grpc, and Hayai speaks http/protobuf"):
        begin(Meters(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert begin(Meters(), {}) is None


def test_an_exporter_that_is_not_installed_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"install hayai\[otlp\]"):
        begin(Meters(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"})


def test_each_duration_is_in_the_bucket_that_ends_above_it() -> None:
    """From less than the first to more than the last."""
    meters = Meters()
    for exponent in range(38):
        histogram = Histogram()
        seconds = 1.4 * 2**exponent / 1e6
        histogram.add(seconds)
        meters.published["bell.rung.v2"]["acme"] = histogram
        (published, *_) = histograms(meters, 0)
        (point,) = published.data.data_points
        assert isinstance(point, HistogramDataPoint)
        (slot,) = [place for place, count in enumerate(point.bucket_counts) if count]
        assert slot == len(BOUNDS) or seconds <= BOUNDS[slot]
        assert slot == 0 or BOUNDS[slot - 1] <= seconds + 1e-6
        assert point.min <= seconds + 1e-6
        assert point.max >= min(seconds, 86_400 * 1.4)
