"""The admin API: set-up by programs, with the ADMIN_TOKEN. The command line and the pages call the same functions."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from backend.accounts.adding import add_integration
from backend.accounts.admin import list_accounts, put_options, put_stages
from backend.accounts.attaching import attach
from backend.accounts.connecting_stripe import put_stripe
from backend.accounts.integrations import remove_integration
from backend.accounts.moves import agree
from backend.accounts.unmatched import unmatched
from backend.errors import FieldInvalid
from backend.web.bodies import json_body
from backend.web.deps import AdminDep, ResourcesDep

router = APIRouter(prefix="/admin/api", include_in_schema=False)
AccountId = Annotated[int, Path(ge=1, le=2**63 - 1)]


async def _body(request: Request) -> dict[str, Any]:
    body = await json_body(request)
    if not isinstance(body, dict):
        raise FieldInvalid("Send a JSON object.")
    return body


@router.get("/accounts")
async def accounts(resources: ResourcesDep, _admin: AdminDep) -> list[dict[str, Any]]:
    return await list_accounts(resources)


@router.put("/integrations/{client_id}")
async def integration(resources: ResourcesDep, _admin: AdminDep, client_id: str, request: Request) -> dict[str, Any]:
    """Adds or changes an integration; a code that waits for its secret is exchanged at once, or the one given here."""
    added = await add_integration(resources, client_id, await _body(request))
    row = added.integration
    answer = {"client_id": row.client_id, "label": row.label, "account_id": row.account_id}
    return answer | ({"problem": added.problem} if added.problem else {})


@router.delete("/integrations/{client_id}")
async def no_integration(resources: ResourcesDep, _admin: AdminDep, client_id: str) -> dict[str, bool]:
    await remove_integration(resources, client_id)
    return {"removed": True}


@router.put("/accounts/{account_id}/stages")
async def stages(resources: ResourcesDep, _admin: AdminDep, account_id: AccountId, request: Request) -> dict[str, Any]:
    return await put_stages(resources, account_id, await _body(request))


@router.put("/accounts/{account_id}/stripe")
async def stripe(resources: ResourcesDep, _admin: AdminDep, account_id: AccountId, request: Request) -> dict[str, Any]:
    return await put_stripe(resources, account_id, await _body(request))


@router.put("/accounts/{account_id}/options")
async def options(resources: ResourcesDep, _admin: AdminDep, account_id: AccountId, request: Request) -> dict[str, Any]:
    return await put_options(resources, account_id, await _body(request))


@router.post("/accounts/{account_id}/deals/{lead_id}/move")
async def move(resources: ResourcesDep, _admin: AdminDep, account_id: AccountId, lead_id: AccountId) -> dict[str, Any]:
    """Agrees to the stage move that was only offered: the money was old, or attached by hand."""
    return await agree(resources, account_id, lead_id, who="admin")


@router.get("/unmatched")
async def list_unmatched(resources: ResourcesDep, _admin: AdminDep) -> list[dict[str, Any]]:
    return await unmatched(resources)


@router.post("/unmatched/{payment_id}/attach")
async def attach_payment(
    resources: ResourcesDep, _admin: AdminDep, payment_id: str, request: Request
) -> dict[str, Any]:
    return await attach(resources, payment_id, await _body(request))
