"""Spans: what a test sees of the traces of this process, recorded by a real OpenTelemetry SDK."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler, SamplingResult

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from opentelemetry.sdk.trace import ReadableSpan


@dataclass(frozen=True)
class Ended:
    """One span; trace, id and its parent's id as a traceparent writes them."""

    trace: str
    id: str
    parent: str
    """Empty where a trace begins."""
    attributes: Mapping[str, Any]
    document: str
    """Everything in it, as JSON."""


class Spans(Sampler):
    """The process's one tracer provider samples every new trace while recording, and none otherwise."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._on = False
        provider = TracerProvider(sampler=self)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        trace.set_tracer_provider(provider)

    @property
    def ended(self) -> dict[str, Ended]:
        """The spans that have ended, by name; of several with one name the last."""
        return {each.name: _ended(each) for each in self._exporter.get_finished_spans()}

    @contextmanager
    def recording(self) -> Generator[None]:
        """Sample what begins within."""
        self._exporter.clear()
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def should_sample(self, *arguments: Any, **more: Any) -> SamplingResult:
        """As the SDK asks it of every new span."""
        return (ALWAYS_ON if self._on else ALWAYS_OFF).should_sample(*arguments, **more)

    def get_description(self) -> str:
        """For a person."""
        return "while a test records"


def _ended(span: ReadableSpan) -> Ended:
    assert span.context is not None
    return Ended(
        trace=f"{span.context.trace_id:032x}",
        id=f"{span.context.span_id:016x}",
        parent=f"{span.parent.span_id:016x}" if span.parent else "",
        attributes=dict(span.attributes or {}),
        document=span.to_json(),
    )


@cache
def spans() -> Spans:
    """The process's recorder: OpenTelemetry takes one provider for good."""
    return Spans()
