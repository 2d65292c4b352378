"""Traces: what OpenTelemetry is told where they are switched on, and that nothing else is."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, Tracer

from backend.core.telemetry.traces import OUT, CannotTrace, span, traced_by, tracing
from tests.world import open_world

ROOT = Path(__file__).parents[3]
PAYER = "payer@client.example"


class Recorded(NonRecordingSpan):
    def __init__(self, name: str, given: Any) -> None:
        super().__init__(SpanContext(1, 1, is_remote=False))
        self.name, self.attributes = name, dict(given or {})

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def update_name(self, name: str) -> None:
        self.name = name


class Recorder(Tracer):
    def __init__(self) -> None:
        self.spans: list[Recorded] = []

    def start_span(self, name: str, *_: Any, attributes: Any = None, **__: Any) -> Recorded:
        self.spans.append(Recorded(name, attributes))
        return self.spans[-1]

    @contextmanager
    def start_as_current_span(self, name: str, *_: Any, attributes: Any = None, **__: Any) -> Iterator[Recorded]:  # type: ignore[override]
        with trace.use_span(self.start_span(name, attributes=attributes)):
            yield self.spans[-1]


async def test_door_turn_and_each_outside_call_are_spans(tmp_path: Path) -> None:
    recorder = Recorder()
    with traced_by(recorder):
        async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db") as shop:
            await shop.paid_deal()
            token = shop.kommo.long_lived_token(shop.integration.client_id)
    spans = {one.name: one.attributes for one in recorder.spans}
    assert spans["create_request"]["http.response.status_code"] == 201
    assert spans["stripe_webhook"] == {"http.response.status_code": 200}
    assert spans["turn"] == {"account": shop.account.id}
    assert spans["Kommo PATCH"] == {"url.path": "/api/v4/leads", "http.response.status_code": 200}
    assert spans["Stripe POST"]["url.path"].startswith("/v1/")
    told = str([(one.name, one.attributes) for one in recorder.spans])
    assert [word for word in ("?", PAYER, "120", token, shop.resources.addresses.public_url) if word in told] == []


def test_what_fails_is_named_by_its_class_alone() -> None:
    recorder = Recorder()
    with traced_by(recorder), pytest.raises(ValueError, match="canary"), span("Kommo GET", OUT):
        raise ValueError("canary")
    (seen,) = recorder.spans
    assert seen.attributes == {"error.type": "ValueError"}


def test_without_the_extra_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(CannotTrace, match=r"pip install 'kommo-stripe\[otel\]'"), tracing("otlp"):
        pass


def test_spans_arrive_at_a_collector(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk.trace", reason="the extra [otel] is not installed")
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra [otel] is not installed")
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = "from backend.core.telemetry.traces import *\nwith tracing('otlp'), span('turn', WITHIN): pass"
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "PYTHONPATH": str(ROOT)}
        kept = {"PATH": os.environ["PATH"]} | endpoint | {"OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=kept, check=True)
        server.shutdown()
    ((path, body),) = received
    assert (path, b"kommo-stripe" in body, b"turn" in body) == ("/v1/traces", True, True)
