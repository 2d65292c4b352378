"""The form of our Digital Pipeline action: rules with one key each, for administrators only."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.accounts.options import options_of
from backend.automation.bot_steps.paid import LONGEST_WAIT_HOURS, may_wait
from backend.automation.rules.choices import number_fields
from backend.automation.rules.keys import NewKey, change_rule, check_may_rule, find_rule, make_rule
from backend.automation.rules.settings import RuleSettings
from backend.payments.schemas import read
from backend.web.http.deps import ResourcesDep
from backend.web.http.json_body import json_body
from backend.web.http.schemas import body_of, refusals
from backend.web.widget import UserDep

router = APIRouter(prefix="/widget/rules", responses=refusals(400, 401, 403, 404, 409, 413, 422, 429, 502, 503))
Key = Annotated[str, Field(strict=True, max_length=64)]


class RuleBody(BaseModel):
    """A rule's settings; ``key`` is the one that the form had before, "" in a new form."""

    model_config = ConfigDict(extra="ignore")

    key: Key = ""
    settings: RuleSettings = RuleSettings()


class KeyBody(BaseModel):
    """The key of a rule."""

    model_config = ConfigDict(extra="ignore")

    key: Key


class RuleAnswer(BaseModel):
    """A rule; ``key`` goes into the action's hidden field."""

    key: str
    settings: RuleSettings


class Choice(BaseModel):
    """A custom field of deals in Kommo."""

    id: int
    name: str


class ChoicesAnswer(BaseModel):
    """The form's choices; ``bots``: whether the account has chosen a bot that sends links."""

    fields: list[Choice]
    bots: bool


class WaitsAnswer(BaseModel):
    """``most_hours``: the longest wait; 0 while the account's bots may not wait."""

    most_hours: int


@router.post("", status_code=201, openapi_extra=body_of(RuleBody))
async def make_or_take_over(request: Request, resources: ResourcesDep, user: UserDep) -> RuleAnswer:
    """Create a rule, as the successor of ``key`` if given, and return it with its key.

    Kommo's *Save* decides which of both counts. Raises ``NotAllowed`` unless the user is an administrator; ``Conflict``
    at the maximum of rules.
    """
    await check_may_rule(resources, user, changing=True)
    body = read(RuleBody, await json_body(request))
    return _answer(await make_rule(resources, user, body.settings, before=body.key))


@router.post("/change", openapi_extra=body_of(RuleBody))
async def change(request: Request, resources: ResourcesDep, user: UserDep) -> RuleAnswer:
    """Change the settings of a rule that this form created; the key stays the same until a hook has used it.

    Raises ``NotAllowed`` unless the user is an administrator, ``RuleNotFound`` for an unknown key.
    """
    await check_may_rule(resources, user, changing=True)
    body = read(RuleBody, await json_body(request))
    return _answer(await change_rule(resources, user, body.key, body.settings))


@router.get("/choices")
async def choices(resources: ResourcesDep, user: UserDep) -> ChoicesAnswer:
    """Return the deal's number fields, and whether a bot may send, for administrators.

    Raises ``NotAllowed`` for other users, and ``KommoUnreachable``.
    """
    await check_may_rule(resources, user)
    fields = [Choice(id=one.id, name=one.name) for one in await number_fields(resources, user.account.id)]
    return ChoicesAnswer(fields=fields, bots="bot" in options_of(user.account).send_channels)


@router.get("/waits")
async def waits(resources: ResourcesDep, user: UserDep) -> WaitsAnswer:
    """Return how many hours the bot step *Is it paid?* may wait for a payment, for administrators.

    Raises ``NotAllowed`` for other users, and ``KommoUnreachable``.
    """
    await check_may_rule(resources, user)
    return WaitsAnswer(most_hours=LONGEST_WAIT_HOURS if may_wait(user.account) else 0)


@router.post("/look", openapi_extra=body_of(KeyBody))
async def look(request: Request, resources: ResourcesDep, user: UserDep) -> RuleAnswer:
    """Return the settings of the rule with this key; the key is in the body, since addresses end up in logs.

    Raises ``NotAllowed`` unless the user is an administrator, ``RuleNotFound`` for an unknown key.
    """
    await check_may_rule(resources, user)
    key = read(KeyBody, await json_body(request)).key
    rule = await find_rule(resources, user.account.id, key)
    return RuleAnswer(key=key, settings=RuleSettings(**rule.settings))


def _answer(made: NewKey) -> RuleAnswer:
    return RuleAnswer(key=made.key, settings=made.settings)
