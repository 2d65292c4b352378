"""The web application: routes put together, errors rendered in one place, every request logged by its route's name."""

import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from backend.errors import FieldInvalid, ProductError, Unavailable
from backend.inbox import Inbox
from backend.resources import Resources
from backend.web import admin, health, oauth, pay, widget
from backend.web.webhooks import WebhookDoor

Next = Callable[[Request], Awaitable[Response]]

CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "X-Auth-Token, Content-Type",
    "Access-Control-Max-Age": "600",
}
log = structlog.get_logger()


def create_app(resources: Resources, *, admin_token: str) -> FastAPI:
    app = FastAPI(title="Stripe payments in the Kommo deal card", docs_url=None, redoc_url=None)
    app.state.resources = resources
    app.state.admin_token = admin_token
    door = WebhookDoor(resources, Inbox(resources.database, resources.vault, resources.work_arrived))
    app.router.routes += [
        Route("/stripe/webhook", door, name="stripe_webhook_environment"),
        Route("/stripe/webhook/{connection}", door, name="stripe_webhook"),
    ]
    for module in (oauth, widget, pay, admin, health):
        app.include_router(module.router)
    _answer_errors(app)
    _allow_kommo(app, resources.addresses.kommo_base_url)
    _log_requests(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(ProductError)
    async def _product(_request: Request, error: ProductError) -> JSONResponse:
        return JSONResponse(error.as_json(), error.status)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        name = str(first["loc"][-1]) if first["loc"] else None
        return await _product(request, FieldInvalid(f"{name}: {first['msg']}.", field=name))

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> JSONResponse:
        log.error("database trouble", reason=type(error.orig).__name__ if error.orig else "unknown")
        return await _product(request, Unavailable("The database is away. Nothing was changed; try again in a moment."))

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        body = {"error": {"code": code, "message": str(error.detail)}}
        return JSONResponse(body, error.status_code, headers=dict(error.headers or {}))


def _allow_kommo(app: FastAPI, kommo_base_url: str) -> None:
    """The widget's calls come from the account's own page. The token is the proof, not the origin."""

    @app.middleware("http")
    async def _cors(request: Request, call_next: Next) -> Response:
        origin = request.headers.get("origin", "")
        allowed = request.url.path.startswith("/widget/") and may_call(origin, kommo_base_url)
        preflight = request.method == "OPTIONS" and "access-control-request-method" in request.headers
        response = Response(status_code=204 if allowed else 403) if preflight else await call_next(request)
        response.headers["Vary"] = "Origin"
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.update(CORS_HEADERS)
        return response


def may_call(origin: str, kommo_base_url: str) -> bool:
    """Any https origin under kommo.com, and the very origin of ``KOMMO_BASE_URL``."""
    parts = urlsplit(origin)
    ours = urlsplit(kommo_base_url)
    if "{subdomain}" not in kommo_base_url and origin == f"{ours.scheme}://{ours.netloc}":
        return True
    suffix = ours.netloc.partition("{subdomain}")[2]
    if suffix and parts.scheme == ours.scheme and parts.netloc.endswith(suffix) and parts.netloc != suffix:
        return True
    return parts.scheme == "https" and parts.port is None and (parts.hostname or "").endswith(".kommo.com")


def _log_requests(app: FastAPI) -> None:
    @app.middleware("http")
    async def _access(request: Request, call_next: Next) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        route = request.scope.get("route")
        log.info(
            "request",
            route=getattr(route, "name", "unknown"),  # never the path: links, webhook ids and hooks are secrets
            method=request.method,
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response
