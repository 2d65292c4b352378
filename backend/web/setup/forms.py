"""What the set-up pages' forms do: each calls the function of the admin API, and shows its refusal at the field."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from backend.accounts.branding.logo import put_logo, remove_logo
from backend.accounts.preferences import put_options, put_stages, renew_hook
from backend.accounts.stripe.connect import put_stripe
from backend.accounts.stripe.remove import remove_stripe
from backend.admin.attach import attach
from backend.admin.events import work_in_again
from backend.admin.stage_moves import agree
from backend.core.errors import FieldInvalid, NotAllowed, ProductError
from backend.resources import Resources
from backend.web.http.deps import AccountId, ResourcesDep
from backend.web.http.file_body import file_body
from backend.web.http.form_body import form_body
from backend.web.http.pages import page
from backend.web.setup.account_page import PageState, account_page
from backend.web.setup.auth import OwnForm, current_visitor
from backend.web.setup.login import login_page

BUSINESS = ("business_name", "contact_phone", "contact_whatsapp", "contact_email")

router = APIRouter(prefix="/admin/accounts/{account_id}", dependencies=[OwnForm])
Typed = Mapping[str, str]
SECRETS = ("api_key", "webhook_secret")


@router.post("/stages")
async def stages(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "stages", _put_stages)


@router.post("/options")
async def options(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "options", _put_options)


@router.post("/logo")
async def logo(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """The one form with a file."""

    async def put(resources: Resources, account_id: int, _typed: Typed, who: str) -> str:
        await put_logo(resources, account_id, await file_body(request, "logo"), who=who)
        return ""

    return await _done(request, resources, account_id, "logo", put, has_fields=False)


@router.post("/logo/remove")
async def no_logo(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "no_logo", _remove_logo)


@router.post("/stripe")
async def stripe(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "stripe", _put_stripe)


@router.post("/stripe/remove")
async def no_stripe(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "no_stripe", _remove_stripe)


@router.post("/attach")
async def attach_payment(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "attach", _attach)


@router.post("/hook")
async def hook(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "hook", _renew_hook)


@router.post("/again")
async def events_again(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "again", _again)


@router.post("/move")
async def agree_to_move(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    return await _done(request, resources, account_id, "move", _move)


async def _done(
    request: Request,
    resources: Resources,
    account_id: int,
    form: str,
    act: Callable[[Resources, int, Typed, str], Awaitable[str]],
    *,
    has_fields: bool = True,
) -> Response:
    """``act`` answers a warning to show, or an empty text: then the page is fetched anew."""
    visitor = await current_visitor(request)
    if visitor is None:
        return login_page("You were signed out. Sign in and repeat.", status=401)
    typed = await form_body(request) if has_fields else {}
    try:
        visitor.check(account_id)
        warning = await act(resources, account_id, typed, visitor.who)
    except NotAllowed as error:
        return page("Not allowed", error.message, status=error.status)
    except ProductError as error:
        kept = {name: value for name, value in typed.items() if name not in SECRETS}
        return await account_page(resources, visitor, account_id, PageState(form=form, typed=kept, error=error))
    if warning:
        return await account_page(resources, visitor, account_id, PageState(done=form, form=form, warning=warning))
    return RedirectResponse(f"/admin?account={account_id}&done={form}", 303)


async def _put_stages(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Selects are named ``{pipeline}:first`` and ``{pipeline}:paid``; an empty one moves nothing."""
    rules: dict[str, dict[str, int | None]] = {}
    for name, value in typed.items():
        pipeline, _, when = name.partition(":")
        rules.setdefault(pipeline, {})[when] = _number(value, pipeline) if value else None
    await put_stages(resources, account_id, rules, who=who)
    return ""


async def _put_options(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    given: dict[str, Any] = {
        "create": _who(typed, "create"),
        "refunds": _who(typed, "refunds"),
        "note_language": typed.get("note_language", ""),
        "renewals": typed.get("renewals", "same_deal"),
        "prefill_email": typed.get("prefill_email") == "on",
        "statement": typed.get("statement") == "on",
        "shadow": typed.get("shadow") == "on",
    }
    given |= {name: typed[name].strip() for name in BUSINESS if name in typed}
    if typed.get("mode") != typed.get("mode_shown"):  # a mode that nobody chose goes on following the keys
        given["mode"] = typed.get("mode", "")
    if typed.get("bare_reference"):  # said only where it is meant: it sets every connection's policy
        given["bare_reference"] = typed["bare_reference"]
    await put_options(resources, account_id, given, who=who)
    return ""


def _who(typed: Typed, name: str) -> str | list[int]:
    if typed.get(name) != "some":
        return typed.get(name, "")
    ids = [part for part in typed.get(f"{name}_users", "").replace(",", " ").split() if part]
    if not ids:
        raise FieldInvalid("Choose at least one user.", field=name)
    return [_number(one, name) for one in ids]


async def _put_stripe(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    secret = typed.get("webhook_secret", "").strip()
    given = {"api_key": typed.get("api_key", "")} | ({"webhook_secret": secret} if secret else {})
    given |= {"confirm_account": typed["confirm_account"]} if "confirm_account" in typed else {}
    answer = await put_stripe(resources, account_id, given, who=who)
    missing = ", ".join(answer["missing_permissions"])
    lacks = f"The key lacks permissions: {missing}. Add them in Stripe and paste the key again." if missing else ""
    return " ".join(part for part in (lacks, answer.get("warning", "")) if part)


async def _remove_stripe(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    answer = await remove_stripe(resources, account_id, typed.get("connection_id", ""), who=who)
    return str(answer.get("warning", ""))


async def _attach(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    lead_id = _number(typed.get("lead_id", ""), "lead_id")
    await attach(resources, typed.get("payment_id", ""), {"account_id": account_id, "lead_id": lead_id}, who=who)
    return ""


async def _again(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    await work_in_again(resources, account_id, typed.get("event_id", ""), who=who)
    return ""


async def _remove_logo(resources: Resources, account_id: int, _typed: Typed, who: str) -> str:
    await remove_logo(resources, account_id, who=who)
    return ""


async def _renew_hook(resources: Resources, account_id: int, _typed: Typed, who: str) -> str:
    await renew_hook(resources, account_id, who=who)
    return ""


async def _move(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    await agree(resources, account_id, _number(typed.get("lead_id", ""), "lead_id"), who=who)
    return ""


def _number(text: str, field: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise FieldInvalid(f"{text[:40]!r} is no number that Kommo gave.", field=field)
    return int(text)
