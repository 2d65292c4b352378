"""The door of the API: every request under /v1, from the connection's fate to the handler's answer.

An ASGI object rather than a framework's route: a fault may cut the connection, which only the raw server can do.
"""

import asyncio
import json
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox.stripe.api import forms
from sandbox.stripe.api.call import Call, Route
from sandbox.stripe.api.parameters import parameters
from sandbox.stripe.api.routes import ROUTES
from sandbox.stripe.api.showing import show
from sandbox.stripe.objects.accounts import Account, Key
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj, known_versions
from sandbox.stripe.traffic.faults import Fault
from sandbox.stripe.traffic.idempotency import Answer
from sandbox.stripe.traffic.requests_log import TOLD, Seen
from sandbox.stripe.world import StripeWorld

FOREVER = 3600


@dataclass(frozen=True)
class Door:
    world: StripeWorld

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = (await request.body()).decode("utf-8", "replace")
        self.world.tick()
        seen = self._note(request)
        fault = self.world.faults.take(seen.method, seen.path)
        seen.fault = fault.kind if fault else None
        if fault is not None and fault.kind == "cut_before":
            return await _cut(receive)
        answer = await self._answer(seen, request, body, fault)
        if fault is not None and fault.proxys is not None:
            answer = Answer(*fault.proxys)
        seen.status = answer.status
        if fault is not None and fault.kind == "hang":
            await asyncio.sleep(fault.seconds or FOREVER)
        if fault is not None and fault.kind in ("cut_after", "hang"):
            return await _cut(receive)
        return await _send(answer, send, receive, fault.kind if fault else "")

    def _note(self, request: Request) -> Seen:
        told = {name: request.headers[name] for name in TOLD if name in request.headers}
        id = self.world.ground.new_id("req_", 14)
        seen = Seen(id, self.world.clock(), request.method, request.url.path, told)
        self.world.seen.append(seen)
        return seen

    async def _answer(self, seen: Seen, request: Request, body: str, fault: Fault | None) -> Answer:
        headers = {"Request-Id": seen.id}
        try:
            _break_before(fault)
            answer = await self._served(seen, request, body, fault)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.as_json(), refusal.headers)
        seen.replayed = "Idempotent-Replayed" in answer.headers
        return Answer(answer.status, answer.body, answer.headers | headers)

    async def _served(self, seen: Seen, request: Request, body: str, fault: Fault | None) -> Answer:
        account, key = self._authenticate(request)
        seen.account, seen.livemode, seen.key = account.id, key.livemode, key.masked
        raw = forms.decode(body if request.method == "POST" else request.url.query)
        seen.params = raw
        route, ids = _route(seen.method, seen.path)
        version = _version(seen.headers.get("stripe-version"), account)
        shelf = account.shelves[key.livemode]
        call = Call(self.world, account, key, shelf, seen.path, ids, {}, version)
        if self.world.ground.switches["rate_limits"] == "kept":
            self.world.limits.spend(account.id, key.livemode, route.operation)
        slug = route.slug(self.world.ground.switches)
        if slug is not None:
            call.need(slug)
        return await self._once(seen, call, route, raw, fault)

    async def _once(self, seen: Seen, call: Call, route: Route, raw: Obj, fault: Fault | None) -> Answer:
        """Run the handler, at most once for an Idempotency-Key."""
        idempotency_key = seen.headers.get("idempotency-key") if seen.method == "POST" else None
        scope, asked, kept = (call.account.id, call.key.livemode), (seen.path, raw), self.world.kept
        if idempotency_key is not None:
            earlier = kept.find(scope, idempotency_key, asked)
            if earlier is not None:
                return earlier
            kept.begin(scope, idempotency_key, asked)
        try:
            answer = await self._run(seen, call, route, raw, fault)
        except Refusal as refusal:
            if not refusal.began:
                if idempotency_key is not None:
                    kept.forget(scope, idempotency_key)
                raise
            answer = Answer(refusal.status, refusal.as_json())
        except BaseException:
            kept.forget(scope, idempotency_key or "")
            raise
        if idempotency_key is not None:
            answer.headers |= {"Idempotency-Key": idempotency_key, "Original-Request": seen.id}
            kept.finish(scope, idempotency_key, answer)
        return answer

    async def _run(self, seen: Seen, call: Call, route: Route, raw: Obj, fault: Fault | None) -> Answer:
        params = parameters(route.operation, raw)
        seen.params = params
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "server_error":
            raise _broken()
        if fault is not None and fault.kind == "refused":
            raise Refusal("Your account cannot currently make charges.", began=True)
        # What a handler does happens in one go, without a pause: nobody sees half of it.
        whole = Call(call.world, call.account, call.key, call.shelf, call.path, call.ids, params, call.version)
        self.world.current_call = {"id": seen.id, "idempotency_key": seen.headers.get("idempotency-key")}
        try:
            done = show(whole, route.handler(whole))
            if fault is not None and fault.kind == "server_error_after":
                raise _broken()
            return Answer(200, done, {"Stripe-Version": call.version})
        finally:
            self.world.current_call = None

    def _authenticate(self, request: Request) -> tuple[Account, Key]:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not text:
            sentence = "You did not provide an API key. You need to provide your API key in the Authorization header."
            raise Refusal(sentence, status=401)
        for account in self.world.accounts.values():
            if text in account.keys:
                return account, account.keys[text]
        raise Refusal(f"Invalid API Key provided: {Key(text).masked}", status=401)


def _route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    for route in ROUTES:
        ids = route.match(method, path)
        if ids is not None:
            return route, ids
    raise Refusal(f"Unrecognized request URL ({method}: {path}).", status=404)


def _version(asked: str | None, account: Account) -> str:
    if asked is not None and asked not in known_versions():
        raise Refusal(f"Invalid Stripe API version: {asked}")
    return asked or account.default_version


def _break_before(fault: Fault | None) -> None:
    if fault is None:
        return
    if fault.kind == "rate_limit":
        reason = {"Stripe-Rate-Limited-Reason": "endpoint-rate"}
        raise Refusal("Request rate limit exceeded.", status=429, code="rate_limit", headers=reason)
    if fault.kind == "lock_timeout":
        sentence = "This object cannot be accessed right now because another API request is accessing it."
        raise Refusal(sentence, status=429, code="lock_timeout")
    if fault.proxys is not None and not fault.kind.endswith("_after"):
        raise Refusal("A proxy answers, and Stripe never sees the request.")


def _broken() -> Refusal:
    return Refusal("An unknown error occurred", status=500, type="api_error", began=True)


async def _send(answer: Answer, send: Send, receive: Receive, fault: str) -> None:
    html = isinstance(answer.body, str)
    body = answer.body.encode() if html else json.dumps(answer.body, indent=2).encode()
    kind = "text/html" if html else "application/json"
    if fault == "short_200":
        body = body[: len(body) // 2]
    headers = answer.headers | {"Content-Type": kind, "Content-Length": str(len(body))}
    pairs = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    if fault == "cut_answer":
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        return await _cut(receive)
    return await send({"type": "http.response.body", "body": body})


async def _cut(receive: Receive) -> None:
    """Reset the connection. ASGI has no word for it, so uvicorn's transport is taken by the hand."""
    receive.__self__.transport.abort()  # type: ignore[attr-defined]
    await asyncio.sleep(0)
