"""Traces by OpenTelemetry; no other module imports it. They are off unless a process enables them.

A span holds names of routes, methods, statuses and account numbers; never a query, a body, or the text of an error.
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
    """Traces are enabled but can't be sent; the text tells the operator why."""


class Noted(Protocol):
    """An open span."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute of the span."""

    def update_name(self, name: str) -> None:
        """Rename the span."""


class _Unseen:
    def set_attribute(self, key: str, value: Any) -> None:
        pass

    def update_name(self, name: str) -> None:
        pass


_UNSEEN = nullcontext(_Unseen())


def span(name: str, kind: SpanKind, attributes: Attributes = NOTHING) -> AbstractContextManager[Noted]:
    """Return a context manager that records a span of this name; it does nothing while traces are off."""
    return _UNSEEN if _tracer is None else _span(_tracer, name, kind, attributes)


@contextmanager
def _span(tracer: Tracer, name: str, kind: SpanKind, attributes: Attributes) -> Iterator[Noted]:
    with tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:  # only its class: its text may hold what a client sent
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def traced_by(tracer: Tracer | None) -> Iterator[None]:
    """Send the spans of the block to ``tracer``; None turns them off."""
    global _tracer
    before, _tracer = _tracer, tracer
    try:
        yield
    finally:
        _tracer = before


@contextmanager
def tracing(exporter: str) -> Iterator[None]:
    """Send the spans of the block to an exporter: ``otlp``, or '' for none. Raises
    ``CannotTrace`` if a package is missing.

    OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``, …) configure where and how.
    """
    if not exporter:
        yield
        return
    try:
        resource, sdk, export, otlp = map(import_module, _MODULES)
    except ModuleNotFoundError as missing:
        raise CannotTrace(
            f"TRACES={exporter} needs packages that are missing ({missing.name}): pip install 'kommo-stripe[otel]'"
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
