"""A call of API v4: who asks, in which account, for what; and how a plain function becomes a route."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kommo import forms
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.problems import Problem, empty_body, no_right, problem
from sandbox.kommo.records import ROBOT, Json, User
from sandbox.kommo.switches import Switches
from sandbox.kommo.world import KommoWorld


@dataclass
class Call:
    """``query`` is parsed as PHP does it; ``body`` is the parsed JSON or ``None``."""

    world: KommoWorld
    account: Account
    integration: Integration
    user: User
    url: str
    path: Json
    query: forms.Node
    body: Any
    modified_since: float | None = None

    @property
    def switches(self) -> Switches:
        return self.world.switches

    @property
    def author(self) -> int:
        """Whom the account sees as the one who wrote."""
        return ROBOT if self.switches.reads("api_author", "robot") else self.user.id

    def href(self, path: str) -> Json:
        """``_links`` of one entity."""
        return {"self": {"href": f"{self.url}{path}"}}

    def withs(self) -> set[str]:
        return set(forms.leaves(self.query.get("with")))

    def items(self, most: int = 250) -> list[Json]:
        """The body as a list of objects, or the refusal of a body that is none."""
        if not self.body:
            raise empty_body()
        if not isinstance(self.body, list) or not all(isinstance(item, dict) for item in self.body):
            raise problem(400, "Request body must be a list of objects")
        if len(self.body) > most:
            status = int(self.switches["over_250"])
            raise problem(status, f"Limit {most} per page")
        return self.body

    def item(self) -> Json:
        if not self.body:
            raise empty_body()
        if not isinstance(self.body, dict):
            raise problem(400, "Request body must be an object")
        return self.body


@dataclass(frozen=True)
class Answer:
    body: Any
    status: int = 200


Handler = Callable[[Call], "Answer | Json | list[Any] | None"]
"""``None`` is 204 without a body."""


@dataclass
class Routes:
    """Path → method → handler."""

    table: dict[str, dict[str, Handler]] = field(default_factory=dict)

    def add(self, method: str, path: str) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.table.setdefault(path, {})[method] = handler
            return handler

        return keep


def admins_only(handler: Handler) -> Handler:
    def guarded(call: Call) -> "Answer | Json | list[Any] | None":
        if not call.user.is_admin:
            raise no_right(call.switches)
        return handler(call)

    return guarded


def answered(answer: "Answer | Json | list[Any] | None") -> Response:
    if answer is None:
        return Response(status_code=204)
    full = answer if isinstance(answer, Answer) else Answer(answer)
    if isinstance(full.body, str):
        return Response(full.body, full.status, media_type="text/html")
    return Response(json.dumps(full.body), full.status, media_type="application/hal+json")


def refused(problem: Problem) -> Response:
    if isinstance(problem.body, str):
        return Response(problem.body, problem.status, media_type="text/html")
    return Response(json.dumps(problem.body), problem.status, media_type="application/problem+json")


async def parsed(request: Request) -> Any:
    body = await request.body()
    try:
        return json.loads(body) if body else None
    except ValueError as error:
        raise problem(400, "Request body is not valid JSON") from error
