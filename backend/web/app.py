"""The web application: routes put together, errors rendered in one place, every request logged by its route's name."""

from dataclasses import replace

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Route

from backend.core.errors import FieldInvalid, ProductError, Unavailable
from backend.core.sentences.said import said
from backend.core.telemetry.lines import note
from backend.core.vault import CannotOpen
from backend.inbox.group_commit import Inbox
from backend.resources import Resources
from backend.storage.database_share import DatabaseShare
from backend.web import admin_api, finance, health, home, kommo_hooks, kommo_oauth, openapi, setup, widget
from backend.web.automation import lists, reminders, rules, sendings, steps
from backend.web.client import links, logos, receipts, statement
from backend.web.client.link_pages import plain_page
from backend.web.client.pictures import routes as pictures
from backend.web.edge import Edge, Limits
from backend.web.frame.entering import Elsewhere
from backend.web.frame.rendering import message
from backend.web.http.admin_token import AdminToken
from backend.web.http.answer_headers import AnswerHeaders
from backend.web.http.language import of_client
from backend.web.http.pages import is_page
from backend.web.http.slow_refusals import SlowRefusals
from backend.web.http.user_calls import UserCalls
from backend.web.middleware import RequestLog, is_for_clients, route_of
from backend.web.openapi import Described
from backend.web.readiness import Readiness
from backend.web.stripe_webhook import DoorFirst, WebhookDoor

LOST = said("secret_lost")
WEB_UNITS = 8
"""Units of work that the web has open at once; those of Stripe's webhook route and the worker come on top."""
ODD = said("value_out_of_range")
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own; ours has the spans and the metrics, and the framework would make each a second time."""
log = structlog.get_logger()


def create_app(resources: Resources, *, admin_token: str, limits: Limits | None = None) -> FastAPI:
    """Return the FastAPI application with all routes, error handlers and middleware.

    ``admin_token`` opens the operator's routes; without ``limits`` the defaults of ``Limits`` hold.
    """
    # The framework's redirect from `/admin/` to `/admin` would go to the host that the caller named.
    title = "Stripe payments in the Kommo deal card"
    app = Described(
        title=title, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, telemetry=NO_TELEMETRY
    )
    share = DatabaseShare(resources.database, WEB_UNITS)
    app.state.resources = replace(resources, database=share)
    app.state.admin_token = admin_token
    app.state.users = UserCalls(resources.clock)
    app.state.admin_door = AdminToken(admin_token, resources.clock)
    app.state.readiness = Readiness(resources)
    door = WebhookDoor(resources, Inbox(resources.database, resources.vault, resources.work_arrived), share)
    app.router.routes += [
        Route("/stripe/webhook", door, name="stripe_webhook_environment"),
        Route("/stripe/webhook/{connection}", door, name="stripe_webhook"),
    ]
    for_clients = (links, receipts, statement, pictures, logos)
    for_kommo = (kommo_oauth, kommo_hooks, widget, rules, reminders, steps, lists, sendings)
    pages = (finance, setup)
    for module in (home, *for_kommo, *for_clients, admin_api, *pages, health, openapi):
        app.router.routes += module.router.routes  # including it would analyse every route again for each application
    _answer_errors(app)
    app.add_middleware(SlowRefusals, clock=resources.clock, most=(limits or Limits()).refusals)
    app.add_middleware(RequestLog, kommo_base_url=resources.addresses.kommo_base_url)
    app.add_middleware(DoorFirst, door=door)
    is_https = resources.addresses.public_url.startswith("https://")
    app.add_middleware(Edge, headers=AnswerHeaders(is_https), limits=limits or Limits())
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(ProductError)
    async def _product(request: Request, error: ProductError) -> Response:
        path = request.scope["path"]
        note("request refused", code=error.code, status=error.status, route=route_of(request.scope))
        if is_page(path):
            answer: Response = message(request, "nav_setup", error.message, status=error.status)
        else:
            answer = JSONResponse(error.as_json(), error.status)
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    @app.exception_handler(Elsewhere)
    async def _elsewhere(_request: Request, shown: Elsewhere) -> Response:
        return shown.answer

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1]) if first["loc"] else None
        return await _product(
            request, FieldInvalid(said("value_wrong", name=str(name), reason=first["msg"]), field=name)
        )

    @app.exception_handler(ValueError)
    @app.exception_handler(OverflowError)
    @app.exception_handler(RecursionError)
    @app.exception_handler(DataError)
    async def _odd(request: Request, error: Exception) -> Response:
        """Refuse a value that a parser or the database rejected, and log it: our own checks should have come first.

        A payer sends only a token, which is checked earlier, so on those pages the error is ours and is raised.
        """
        if is_for_clients(request.scope):
            raise error
        log.error("input rejected by database", route=getattr(request.scope.get("route"), "name", None), exc_info=error)
        return await _product(request, FieldInvalid(ODD))

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    async def _database(request: Request, error: SQLAlchemyError) -> Response:
        cause = getattr(error, "orig", None) or error
        log.error("database unavailable", reason=type(cause).__name__)
        return await _product(request, Unavailable(said("database_away")))

    @app.exception_handler(CannotOpen)
    async def _lost(request: Request, error: CannotOpen) -> Response:
        log.error("secret decrypt failed", reason=str(error))
        if is_for_clients(request.scope):
            return plain_page("moment", of_client(request))
        return await _product(request, Unavailable(LOST))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        shows_nothing = error.status_code in (404, 405)
        if shows_nothing and is_for_clients(request.scope):  # a link that was cut short or extended
            answer: Response = plain_page("unknown", of_client(request))
        elif shows_nothing and is_page(request.scope["path"]):  # 405: the address of a form, opened as a page
            answer = message(request, "nav_setup", said("page_unknown"), status=error.status_code)
        else:
            code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
            answer = JSONResponse({"error": {"code": code, "message": str(error.detail)}})
        answer.status_code = error.status_code
        answer.headers.update(error.headers or {})
        return answer
