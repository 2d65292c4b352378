"""The admin API for programs. The command line and the admin's pages call the same functions.

With the ADMIN_TOKEN it covers every account; in a session entered from Kommo, that account only.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from backend.accounts.install.add_integration import add_integration
from backend.accounts.integrations import list_integrations, remove_integration
from backend.accounts.preferences import put_stages
from backend.accounts.stripe.connect import put_stripe
from backend.accounts.stripe.remove import remove_stripe
from backend.admin.accounts import list_accounts
from backend.admin.attach import attach
from backend.admin.sessions import Visitor
from backend.admin.stage_moves import agree
from backend.admin.unmatched import unmatched
from backend.automation.reminders.settings import put_chasing
from backend.automation.sendings.settings import put_sending
from backend.core.errors import FieldInvalid, NotAllowed
from backend.core.sentences.said import said
from backend.web.frame.auth import check_own_form, current_visitor
from backend.web.http.deps import AccountId, ResourcesDep, check_admin
from backend.web.http.json_body import json_body
from backend.web.http.schemas import refusals

router = APIRouter(prefix="/admin/api", responses=refusals(400, 401, 403, 404, 409, 413, 422, 502, 503))
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
"""The functions behind the routes read their bodies themselves, so that refusals use our own sentences."""


async def _caller(request: Request, resources: ResourcesDep) -> Visitor:
    """Return the caller.

    A browser also sends the cookie with requests of other sites, so changes must come from our own pages.
    """
    visitor = None if "authorization" in request.headers else await current_visitor(request)
    if visitor is None:
        await check_admin(request)
        return Visitor()
    if request.method != "GET" and ("origin" in request.headers or "sec-fetch-site" in request.headers):
        check_own_form(request, resources)
    return visitor


Caller = Annotated[Visitor, Depends(_caller)]


def _operator(caller: Caller) -> Visitor:
    if caller.account_id is not None:
        raise NotAllowed(said("operator_only"))
    return caller


Operator = Annotated[Visitor, Depends(_operator)]


def _of_account(caller: Caller, account_id: AccountId) -> Visitor:
    caller.check(account_id)
    return caller


OfAccount = Annotated[Visitor, Depends(_of_account)]


async def _body(request: Request) -> dict[str, Any]:
    body = await json_body(request)
    if not isinstance(body, dict):
        raise FieldInvalid("Send a JSON object.")
    return body


@router.get("/accounts")
async def accounts(resources: ResourcesDep, caller: Caller) -> list[dict[str, Any]]:
    """Return the connected Kommo accounts that the caller may see; keys as in ``list_accounts``."""
    return await list_accounts(resources, only=caller.account_id)


@router.get("/integrations")
async def integrations(resources: ResourcesDep, _operator: Operator) -> list[dict[str, Any]]:
    """Return the Kommo integrations without their secrets, for the operator only; keys as in ``list_integrations``."""
    return await list_integrations(resources)


@router.put("/integrations/{client_id}", openapi_extra=BODY)
async def integration(resources: ResourcesDep, caller: Operator, client_id: str, request: Request) -> dict[str, Any]:
    """Add or change an integration and return ``{"client_id", "label", "account_id", "problem"?}``.

    A code that waits for its secret, or one in the body, is exchanged at once; ``problem`` says why that failed. Raises
    as ``add_integration`` does.
    """
    added = await add_integration(resources, client_id, await _body(request), who=caller.who)
    row = added.integration
    answer = {"client_id": row.client_id, "label": row.label, "account_id": row.account_id}
    return answer | ({"problem": added.problem} if added.problem else {})


@router.delete("/integrations/{client_id}")
async def no_integration(resources: ResourcesDep, caller: Operator, client_id: str) -> dict[str, bool]:
    """Remove an integration and return ``{"removed": true}``. Raises as ``remove_integration`` does."""
    await remove_integration(resources, client_id, who=caller.who)
    return {"removed": True}


@router.put("/accounts/{account_id}/stages", openapi_extra=BODY)
async def stages(resources: ResourcesDep, caller: OfAccount, account_id: AccountId, request: Request) -> dict[str, Any]:
    """Set stage rules of an account and return those of all pipelines: ``{pipeline id: {"first", "paid"}}``, status ids
    or null.

    Raises ``FieldInvalid`` or ``AccountNotFound``.
    """
    return await put_stages(resources, account_id, await _body(request), who=caller.who)


@router.put("/accounts/{account_id}/stripe", openapi_extra=BODY)
async def stripe(resources: ResourcesDep, caller: OfAccount, account_id: AccountId, request: Request) -> dict[str, Any]:
    """Connect a restricted Stripe key and return the connection; body and keys as in ``put_stripe``.

    Raises ``OtherStripeAccount`` until that change is confirmed, and as ``put_stripe`` does.
    """
    return await put_stripe(resources, account_id, await _body(request), who=caller.who)


@router.delete("/accounts/{account_id}/stripe/{connection}")
async def no_stripe(
    resources: ResourcesDep, caller: OfAccount, account_id: AccountId, connection: str
) -> dict[str, Any]:
    """Remove a draining connection: its open sessions are ended, its webhook is deleted and its key erased.

    Returns ``{"removed": true, "warning"?}``; the warning says what is left at Stripe. Raises as ``remove_stripe``
    does.
    """
    return await remove_stripe(resources, account_id, connection, who=caller.who)


@router.put("/accounts/{account_id}/options", openapi_extra=BODY)
async def options(
    resources: ResourcesDep, caller: OfAccount, account_id: AccountId, request: Request
) -> dict[str, Any]:
    """Change options of an account and return all of them with ``mode``. Raises ``FieldInvalid`` or
    ``AccountNotFound``.
    """
    return await put_sending(resources, account_id, await _body(request), who=caller.who)


@router.put("/accounts/{account_id}/reminders", openapi_extra=BODY)
async def reminders(
    resources: ResourcesDep, caller: OfAccount, account_id: AccountId, request: Request
) -> dict[str, Any]:
    """Set all reminder settings of an account and return them (the fields of ``Chasing``); a missing part is switched
    off.

    Raises ``FieldInvalid`` or ``AccountNotFound``.
    """
    return (await put_chasing(resources, account_id, await _body(request), who=caller.who)).model_dump()


@router.post("/accounts/{account_id}/deals/{lead_id}/move")
async def move(resources: ResourcesDep, caller: OfAccount, account_id: AccountId, lead_id: AccountId) -> dict[str, Any]:
    """Carry out a stage move that was only offered because the money was old or attached by hand.

    Returns ``{"lead_id", "status_id"}``, the stage of the move. Raises ``Conflict`` if no move waits.
    """
    return await agree(resources, account_id, lead_id, who=caller.who)


@router.get("/unmatched")
async def list_unmatched(resources: ResourcesDep, caller: Caller) -> list[dict[str, Any]]:
    """Return the payments without a deal that the caller may see, newest first; the operator sees all accounts'.

    Keys: ``id``, ``account_id``, ``amount`` (text in major units), ``currency``, ``paid_at`` (ISO, UTC), ``lead_id``,
    ``problem``, ``suggestions`` (Kommo ids of deals).
    """
    return await unmatched(resources, only=caller.account_id)


@router.post("/unmatched/{payment_id}/attach", openapi_extra=BODY)
async def attach_payment(resources: ResourcesDep, caller: Caller, payment_id: str, request: Request) -> dict[str, Any]:
    """Attach a payment to a deal and return ``{"id", "account_id", "lead_id"}``; body: the last two.

    Raises ``NotAllowed`` for an account that the caller did not enter from, and as ``attach`` does.
    """
    body = await _body(request)
    if caller.account_id is not None and body.get("account_id") != caller.account_id:
        raise NotAllowed("You signed in from another Kommo account. Nothing was changed.")
    return await attach(resources, payment_id, body, who=caller.who)
