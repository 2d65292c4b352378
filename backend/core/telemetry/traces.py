"""Traces by OpenTelemetry: the one place that knows of it. Off unless a process switches them on.

A span has names of routes, methods, statuses and account numbers; never a query, a body, or what an error says.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any, Protocol

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

SERVICE = "kommo-stripe"
Attributes = Mapping[str, str | int]
NOTHING: Attributes = {}
IN, OUT, WITHIN = SpanKind.SERVER, SpanKind.CLIENT, SpanKind.INTERNAL
_tracer: Tracer | None = None


class CannotTrace(Exception):
    """Traces are asked for and can't be made; a sentence for the operator."""


class Noted(Protocol):
    """What is noted of a span while it is open."""

    def set_attribute(self, key: str, value: Any) -> None: ...

    def update_name(self, name: str) -> None: ...


class _Unseen:
    def set_attribute(self, key: str, value: Any) -> None:
        pass

    def update_name(self, name: str) -> None:
        pass


_UNSEEN = nullcontext(_Unseen())


def span(name: str, kind: SpanKind, attributes: Attributes = NOTHING) -> AbstractContextManager[Noted]:
    """A span of this name around the block; nothing where traces are off."""
    return _UNSEEN if _tracer is None else _span(_tracer, name, kind, attributes)


@contextmanager
def _span(tracer: Tracer, name: str, kind: SpanKind, attributes: Attributes) -> Iterator[Noted]:
    with tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:  # by its class: what it says may hold what a client sent
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def traced_by(tracer: Tracer | None) -> Iterator[None]:
    """Spans go to ``tracer`` within the block."""
    global _tracer
    before, _tracer = _tracer, tracer
    try:
        yield
    finally:
        _tracer = before


@contextmanager
def tracing(exporter: str) -> Iterator[None]:
    """Spans are sent on within the block; ``exporter`` is ``otlp``, or empty for none. Where they are sent, and how, is
    said by OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``, …). Raises ``CannotTrace``."""
    if not exporter:
        yield
        return
    try:
        resource, sdk, export, otlp = map(import_module, _MODULES)
    except ModuleNotFoundError as missing:
        raise CannotTrace(
            f"TRACES={exporter} needs packages that are not here ({missing.name}): pip install 'kommo-stripe[otel]'"
        ) from None
    provider = sdk.TracerProvider(resource=resource.Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    try:
        with traced_by(provider.get_tracer(SERVICE)):
            yield
    finally:
        provider.shutdown()


_MODULES = (
    "opentelemetry.sdk.resources",
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)
