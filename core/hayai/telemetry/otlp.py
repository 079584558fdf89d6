"""OTLP: traces and metrics leave for the collector that OpenTelemetry's standard environment variables name.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and .../protocol/exporter/. What an
exporter cannot deliver is dropped, in bounded queues and on threads of its own: the bus never waits for it.
"""

# The SDK's exporters take further arguments without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from hayai.errors import SettingsError
from hayai.telemetry.instruments import Waiting, histograms, observe
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.metrics.export import Metric

    from hayai.telemetry.meters import Meters

_BASE = "OTEL_EXPORTER_OTLP"
_SPOKEN = "http/protobuf"
_SCOPE = InstrumentationScope("hayai.histograms", version("hayai"))
"""Not the scope of the counters: of two with one name the encoder keeps the second."""
_STOP_SECONDS = 3.0


class Joined(MetricExporter):
    """An exporter that is also given the histograms which `ours` returns."""

    def __init__(self, exporter: MetricExporter, ours: Callable[[], list[Metric]]) -> None:
        super().__init__()
        self._exporter = exporter
        self._ours = ours

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: Any) -> MetricExportResult:
        """What the SDK has collected, and ours."""
        first, *rest = metrics_data.resource_metrics
        scope = ScopeMetrics(_SCOPE, self._ours(), "")
        joined = replace(first, scope_metrics=[*first.scope_metrics, scope])
        return self._exporter.export(MetricsData([joined, *rest]), timeout_millis, **more)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """As the exporter does it."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **more: Any) -> None:
        """As the exporter does it."""
        self._exporter.shutdown(timeout_millis, **more)


class Export:
    """Traces and metrics on their way out, until stop()."""

    def __init__(self, meters: Meters, environment: Mapping[str, str]) -> None:
        self.waiting = Waiting()
        """Whoever looks at server and ledger puts here what was seen."""
        self._ends: list[Callable[[], None]] = []
        resource = Resource.create(
            {
                "service.name": environment.get("OTEL_SERVICE_NAME") or "hayai",
                "service.version": version("hayai"),
                "service.instance.id": fresh(),
            }
        )
        if _is_wanted("TRACES", environment):
            self._ends.append(_tracing(resource).shutdown)
        if _is_wanted("METRICS", environment):
            self._ends.append(_metering(resource, meters, self.waiting).shutdown)

    def stop(self) -> None:
        """Send what is left, for three seconds at most; blocks, so call it in a thread.

        The SDK would wait for a collector that is away for half a minute, which is longer than we may take to end.
        """
        until = time.monotonic() + _STOP_SECONDS
        ending = [Thread(target=each, daemon=True) for each in self._ends]
        for each in ending:
            each.start()
        for each in ending:
            each.join(max(0.0, until - time.monotonic()))


def begin(meters: Meters, environment: Mapping[str, str]) -> Export | None:
    """Export where `environment` names a collector; None where it does not, or switches the SDK off.

    Raises SettingsError for a protocol that is not spoken here, and where the exporter's package is missing.
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    wanted = [signal for signal in ("TRACES", "METRICS") if _is_wanted(signal, environment)]
    if not wanted:
        return None
    for signal in wanted:
        spoken = environment.get(f"{_BASE}_{signal}_PROTOCOL") or environment.get(f"{_BASE}_PROTOCOL") or _SPOKEN
        if spoken != _SPOKEN:
            raise SettingsError(
                f"{_BASE}_PROTOCOL is {spoken}, and Hayai speaks {_SPOKEN}: set it to that, and the endpoint to the "
                "collector's port for it, 4318 usually."
            )
    try:
        return Export(meters, environment)
    except ImportError:
        raise SettingsError(
            f"{_BASE}_ENDPOINT is set, and the exporter is not installed: install hayai[otlp], or unset it."
        ) from None


def _is_wanted(signal: str, environment: Mapping[str, str]) -> bool:
    if environment.get(f"OTEL_{signal}_EXPORTER", "otlp") != "otlp":
        return False
    return bool(environment.get(f"{_BASE}_ENDPOINT") or environment.get(f"{_BASE}_{signal}_ENDPOINT"))


def _tracing(resource: Resource) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # its sampler is OTEL_TRACES_SAMPLER
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def _metering(resource: Resource, meters: Meters, waiting: Waiting) -> MeterProvider:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    begun = time.time_ns()
    exporter = Joined(OTLPMetricExporter(), lambda: histograms(meters, begun))
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)], resource, shutdown_on_exit=False)
    observe(provider.get_meter("hayai", version("hayai")), meters, waiting)
    metrics.set_meter_provider(provider)
    return provider
