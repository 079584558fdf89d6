"""Trace: the W3C trace context that travels with an event, and the spans of publishing, handling and acting.

An event's `traceparent` says which span it came from and whether that trace is sampled. Whether a trace is sampled is
decided once, where it begins; an event that is not sampled costs its handlers a comparison of one character.
"""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, ProxyTracerProvider, SpanContext, SpanKind, StatusCode, TraceFlags

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
"""https://www.w3.org/TR/trace-context/#traceparent-header, version 00."""
_LENGTH = 55
_SAMPLED = frozenset("13579bdf")
"""How flags end whose lowest bit is set."""
_tracer = trace.get_tracer("hayai")
_LOOK = 0.5
_NO_TRACE = nullcontext[str | None](None)


class _SDK:
    """Whether this process has an OpenTelemetry SDK: once set up, it stays; until then it is looked for now and then.

    OpenTelemetry reads the environment each time that it is asked, which costs as much as an event's acknowledgement.
    """

    def __init__(self) -> None:
        self._found = False
        self._again = 0.0

    def is_there(self) -> bool:
        """As of the last look, at most half a second ago."""
        if not self._found and (now := time.monotonic()) >= self._again:
            self._found = not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)
            self._again = now + _LOOK
        return self._found


_sdk = _SDK()


def is_sampled(traceparent: str | None) -> bool:
    """Whether that trace is recorded; anything but a sound traceparent says no."""
    return traceparent is not None and traceparent[-1:] in _SAMPLED and _TRACEPARENT.match(traceparent) is not None


def is_traceparent(given: str | None) -> bool:
    """Whether `given` reads as a traceparent."""
    return given is not None and len(given) == _LENGTH and _TRACEPARENT.match(given) is not None


def current() -> str | None:
    """The traceparent of the span that this task is in; None in none."""
    return _written(trace.get_current_span().get_span_context())


def sending(what: str, *, tenant: str, cause: str | None = None) -> AbstractContextManager[str | None]:
    """Publishing an event of the wire type `what`; gives the traceparent that it travels with, None for none.

    It belongs to the trace of the span that this task is in, else to that of its `cause`, else a new one begins, where
    this process has an OpenTelemetry SDK: its sampler decides.
    """
    here = trace.get_current_span().get_span_context()
    if here.is_valid:
        return _sending(what, tenant, None) if here.trace_flags.sampled else nullcontext(_written(here))
    if cause is not None:
        return _sending(what, tenant, _remote(cause)) if is_sampled(cause) else nullcontext(cause)
    return _sending(what, tenant, None) if _sdk.is_there() else _NO_TRACE


@contextmanager
def trying(traceparent: str, handler: str, *, what: str, tenant: str, attempt: int) -> Generator[None]:
    """One try of `handler` with a sampled event; its span's parent is the one that `traceparent` tells."""
    attributes = {
        **_common("process", what, tenant),
        "messaging.consumer.group.name": handler,
        "hayai.attempt": attempt,
    }
    span = _tracer.start_span(f"process {handler}", _remote(traceparent), SpanKind.CONSUMER, attributes)
    with _inside(span):
        yield


def acting(kind: str) -> AbstractContextManager[object]:
    """One outward act of that kind, within a try of a handler; without a sampled one around it, nothing."""
    if not trace.get_current_span().is_recording():
        return nullcontext()
    return _inside(_tracer.start_span(f"act {kind}", kind=SpanKind.CLIENT, attributes={"hayai.effect": kind}))


def _sending(what: str, tenant: str, parent: Context | None) -> AbstractContextManager[str | None]:
    span = _tracer.start_span(f"send {what}", parent, SpanKind.PRODUCER, _common("send", what, tenant))
    return _inside(span) if span.is_recording() else nullcontext(_written(span.get_span_context()))


@contextmanager
def _inside(span: Span) -> Generator[str | None]:
    """The span is told what went wrong by its class: the text may hold what a person said."""
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield _written(span.get_span_context())
        except BaseException as wrong:
            span.set_attribute("error.type", type(wrong).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def _common(operation: str, what: str, tenant: str) -> dict[str, str | int]:
    """OpenTelemetry's semantic conventions for messaging, and our own words."""
    return {
        "messaging.system": "nats",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.template": what,
        "hayai.tenant": tenant,
    }


def _remote(traceparent: str) -> Context | None:
    found = _TRACEPARENT.match(traceparent)
    if found is None:
        return None
    identity, span, flags = (int(each, 16) for each in found.groups())
    return trace.set_span_in_context(
        NonRecordingSpan(SpanContext(identity, span, is_remote=True, trace_flags=TraceFlags(flags)))
    )


def _written(context: SpanContext) -> str | None:
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
