"""The way in and out of every request to Kommo: faults, limits, request ids, the log."""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.kommo.problems import Problem, page
from sandbox.kommo.traffic.altered import ALTERED, altered
from sandbox.kommo.traffic.faults import Fault
from sandbox.kommo.traffic.log import CallRecord
from sandbox.kommo.world import KommoWorld

_LONGEST_URL = 8192


class ConnectionDropped(ConnectionError):
    """The world hung up; seen only by callers that call the app without a network."""


@dataclass
class _Answer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")


async def pass_through(world: KommoWorld, inner: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """One request to Kommo, from the first byte to the last."""
    body = await _read(receive)
    asked = _asked(world, scope, body)
    world.requests.append(asked)
    fault = world.faults.take(asked.method, asked.path, _items(asked))
    asked.fault = fault.kind if fault else ""
    if fault and fault.kind == "drop_late":
        await _hang_up(receive, send, abort=True)
    await asyncio.sleep(world.latency + (fault.seconds if fault else 0.0))
    if fault and fault.kind == "drop_before":
        return await _hang_up(receive, send, abort=True)
    answer = await _answer(world, inner, scope, body, fault)
    asked.answer, asked.answered_at = _readable(answer.body), world.clock()
    if fault and fault.kind == "drop_late":
        return None
    if fault and fault.kind == "drop_after":
        return await _hang_up(receive, send, abort=True)
    asked.status = answer.status
    if fault and fault.kind == "cut":
        return await _send_half(answer, asked.request_id, receive, send)
    return await _send(answer, asked.request_id, send)


async def _answer(world: KommoWorld, inner: ASGIApp, scope: Scope, body: bytes, fault: Fault | None) -> _Answer:
    refusal = (fault.answer() if fault else None) or _too_long(world, scope)
    refusal = refusal or world.limits.refusal(_address(scope), _pair(world, scope))
    if refusal:
        return _refused(refusal)
    answer = _Answer()
    await inner(scope, _replay(body), answer.take)
    if fault and fault.answer_after:
        return _refused(fault.answer_after)
    if fault and fault.kind in ALTERED:
        answer.body = altered(fault.kind, fault.about, answer.body)
        answer.headers = [one for one in answer.headers if one[0] != b"content-length"]
        answer.headers.append((b"content-length", str(len(answer.body)).encode()))
    return answer


def _too_long(world: KommoWorld, scope: Scope) -> Problem | None:
    length = len(scope.get("raw_path") or scope["path"].encode()) + 1 + len(scope["query_string"])
    return page(414) if length > _LONGEST_URL and world.switches.reads("url_limit", "8_kb") else None


def _refused(problem: Problem) -> _Answer:
    is_page = isinstance(problem.body, str)
    kind = b"text/html" if is_page else b"application/problem+json"
    text = problem.body if isinstance(problem.body, str) else json.dumps(problem.body)
    length = (b"content-length", str(len(text.encode())).encode())
    return _Answer(problem.status, [(b"content-type", kind), length], text.encode())


def _asked(world: KommoWorld, scope: Scope, body: bytes) -> CallRecord:
    pair = _pair(world, scope)
    return CallRecord(
        at=world.clock(),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode(),
        body=_readable(body),
        account_id=pair.account_id if pair else None,
        client_id=pair.client_id if pair else None,
        request_id=world.ids.text(32),
    )


def _items(asked: CallRecord) -> list[str]:
    """The ids in a write's list, or named by a read."""
    if not isinstance(asked.body, list):
        return [value for name, value in parse_qsl(asked.query) if name.startswith("filter[id]")]
    items = [one if isinstance(one, dict) else {} for one in asked.body]
    return [str(one.get("entity_id", one.get("id", ""))) for one in items]


def _pair(world: KommoWorld, scope: Scope) -> Any:
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return world.wallet.by_access.get(header.removeprefix("Bearer "))


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "nowhere"


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _send(answer: _Answer, request_id: str, send: Send) -> None:
    await _start(answer, request_id, send)
    await send({"type": "http.response.body", "body": answer.body})


async def _send_half(answer: _Answer, request_id: str, receive: Receive, send: Send) -> None:
    """The headers promise the whole body, half of it comes."""
    await _start(answer, request_id, send)
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    await _hang_up(receive, send, abort=False)


async def _start(answer: _Answer, request_id: str, send: Send) -> None:
    headers = [*answer.headers, (b"x-request-id", request_id.encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def _hang_up(receive: Receive, send: Send, *, abort: bool) -> None:
    """uvicorn's ``send`` is bound to the cycle that owns the connection."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDropped
    if abort:
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
