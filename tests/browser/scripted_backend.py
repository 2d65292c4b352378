"""Our backend as the widget meets it on the wire (docs/design.md 6), saying what a test tells it to say."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.widget_archive import API_HEADER

Json = dict[str, Any]

NO_DEAL: Json = {
    "state": "pending",
    "paid": [],
    "expected": [],
    "open": [],
    "requests": [],
    "payments": [],
    "explanation": None,
    "currency": "EUR",
    "mode": "live",
}


def money(amount: str, currency: str = "EUR") -> Json:
    return {"amount": amount, "currency": currency}


def a_request(number: int = 1, **facts: Any) -> Json:
    """A payment request as ``POST /widget/requests`` answers it."""
    return {
        "id": f"0b6e1c1e-0000-4000-8000-{number:012}",
        "url": f"https://pay.example.com/p/abcd2345efgh{number:04}",
        "state": "pending",
        "amount": "120.00",
        "currency": "EUR",
        "description": "Website for Ana",
        "mode": "payment",
        "kind": "full",
        "created_at": "2026-11-20T10:00:00Z",
        "expires_at": None,
    } | facts


def a_payment(number: int = 1, **facts: Any) -> Json:
    return {
        "id": f"pi_sandbox{number:06}",
        "amount": "120.00",
        "currency": "EUR",
        "state": "paid",
        "paid_at": "2026-11-20T11:30:00Z",
        "refunded": "0.00",
        "disputed": None,
        "request_id": None,
        "stripe_url": f"https://dashboard.stripe.com/payments/pi_sandbox{number:06}",
    } | facts


def refusal(code: str, message: str, name: str | None = None) -> Json:
    error = {"code": code, "message": message}
    return {"error": error | {"field": name} if name else error}


@dataclass
class Answer:
    """One answer that is given instead of the ordinary one; ``body`` as text is sent as HTML.

    ``carried_out``: the call had its effect all the same, and the answer lies.
    """

    status: int = 0
    body: Json | str | None = None
    seconds: float = 0
    carried_out: bool = False


@dataclass
class Call:
    method: str
    path: str
    body: Json | None
    token: Json
    language: str = ""


@dataclass
class ScriptedBackend:
    secret: str
    deal: Json = field(default_factory=lambda: dict(NO_DEAL))
    deals: dict[int, Json] = field(default_factory=dict)
    preflights: int = 0
    calls: list[Call] = field(default_factory=list)
    api: int = 0
    script: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, Answer] = field(default_factory=dict)

    def called(self, name: str) -> list[Call]:
        """Calls of one route: deal, create, cancel, check, preview, refund, sending, send, setup."""
        return [call for call in self.calls if _name(call.method, call.path) == name]

    def app(self) -> Starlette:
        methods = ["GET", "POST", "OPTIONS"]
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    async def _answer(self, request: Request) -> Response:
        headers = {"Access-Control-Allow-Origin": request.headers.get("Origin", ""), "Vary": "Origin"}
        if self.api:
            headers |= {"Access-Control-Expose-Headers": API_HEADER, API_HEADER: str(self.api)}
        if request.method == "OPTIONS":
            self.preflights += 1
            allowed = {"Access-Control-Allow-Headers": "X-Auth-Token, Content-Type", "Access-Control-Max-Age": "0"}
            return Response(status_code=204, headers=headers | allowed | {"Access-Control-Allow-Methods": "GET, POST"})
        call = Call(
            request.method,
            request.url.path,
            await _json(request),
            self._claims(request),
            request.query_params.get("lang", ""),
        )
        self.calls.append(call)
        name = _name(call.method, call.path)
        scripted = self.script[name].pop(0) if self.script[name] else self.always.get(name, Answer())
        ordinary = self._ordinary(name, call) if scripted.carried_out or not scripted.status else None
        await asyncio.sleep(scripted.seconds)
        status, body = ordinary if ordinary and not scripted.status else (scripted.status, scripted.body)
        if isinstance(body, str):
            return Response(body, status, headers, "text/html")
        return Response(status_code=status, headers=headers) if body is None else JSONResponse(body, status, headers)

    def _claims(self, request: Request) -> Json:
        options: Any = {"verify_aud": False}
        found: Json = jwt.decode(request.headers["X-Auth-Token"], self.secret, algorithms=["HS256"], options=options)
        return found

    def _ordinary(self, name: str, call: Call) -> tuple[int, Json | None]:
        if name == "deal":
            return 200, self.deals.get(int(call.path.rsplit("/", 1)[-1]), self.deal)
        if name == "create":
            return self._create(call.body or {})
        if name == "cancel":
            found = next(one for one in self.deal["requests"] if one["id"] == call.path.split("/")[3])
            found["state"] = "cancelled"
            return 200, found
        if name == "sending":
            return 200, {"channel": "chat", "message": "Please pay here"}
        if name == "send":
            return 202, self._send(call)
        if name == "preview":
            return 201, {"url": f"about:blank#preview-{call.path.split('/')[3]}"}
        if name == "refund":
            return 201, {"id": "re_sandbox1", "amount": (call.body or {}).get("amount", "120.00"), "state": "pending"}
        return (200, {"url": "about:blank#set-up"}) if name == "setup" else (202, {})

    def _send(self, call: Call) -> Json:
        """Once for each id, as the contract says."""
        line = {"id": (call.body or {})["sending_id"], "request_id": call.path.split("/")[3], "open": True}
        line |= {"at": "2026-11-20T11:00:00Z", "text": "Sent in the chat.", "by": int(call.token["user_id"])}
        known = [one for one in self.deal.get("sendings", []) if one["id"] != line["id"]]
        self.deal |= {"sendings": [line, *known]}
        return line

    def _create(self, body: Json) -> tuple[int, Json]:
        """Idempotent by uuid, as the contract says."""
        same = ("amount", "currency", "description", "mode")
        before = next((one for one in self.deal["requests"] if one["id"] == body["request_id"]), None)
        if before:
            equal = all(before[name] == body[name] for name in same)
            return (200, before) if equal else (409, refusal("conflict", "This was sent before with other content."))
        number = len(self.deal["requests"]) + 1
        facts = {name: body[name] for name in same} | {"kind": body.get("kind", "full")}
        days = {name: body[name] for name in ("due_on", "valid_until") if body.get(name)}
        made = a_request(number, **facts | days) | {"id": body["request_id"]}
        asked = [money(body["amount"], body["currency"])]
        self.deal |= {"requests": [made, *self.deal["requests"]], "expected": asked, "open": asked}
        return 201, made


def _name(method: str, path: str) -> str:
    if path.startswith("/widget/lists"):
        return {"preview": "list_preview", "lists": "list_run"}.get(path.rsplit("/", 1)[-1], "list_progress")
    if method == "GET":
        return "sending" if path.endswith("/sending") else "deal"
    return {"requests": "create"}.get(path.rsplit("/", 1)[-1], path.rsplit("/", 1)[-1])


async def _json(request: Request) -> Json | None:
    body = await request.body()
    return dict(await request.json()) if body else None
