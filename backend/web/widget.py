"""The deal card's routes. Each call carries Kommo's token of the user; rights are Kommo's, cached for minutes.

Each route also raises ``NotAuthorized`` for the token, ``TooManyCalls``, and for a deal what ``check_lead`` raises:
``NotAllowed``, ``DealNotFound``, ``KommoNotConnected`` or ``KommoUnreachable``.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from backend.accounts.options import options_of
from backend.accounts.permissions import WidgetUser, check_lead, may, widget_user
from backend.admin.sessions import make_link, note_seen
from backend.core.errors import RequestNotFound
from backend.core.money import major
from backend.payments.cancel import cancel
from backend.payments.check import check
from backend.payments.create import create
from backend.payments.deal.merging import is_merging
from backend.payments.find import find_request
from backend.payments.preview import preview_address
from backend.payments.refund import find_payment, refund
from backend.payments.schemas import CreateBody, RefundBody, read, spec_from
from backend.resources import Resources
from backend.storage.models import Account
from backend.web.card.answer import Card, card_answer
from backend.web.http.deps import ResourcesDep
from backend.web.http.json_body import json_body
from backend.web.http.schemas import (
    CheckAnswer,
    DealAnswer,
    PreviewAnswer,
    RefundAnswer,
    RequestAnswer,
    SetupAnswer,
    body_of,
    refusals,
    request_answer,
)
from backend.web.http.user_calls import UserCalls

router = APIRouter(prefix="/widget", responses=refusals(400, 401, 403, 404, 409, 413, 422, 429, 502, 503))


async def _user(
    request: Request, resources: ResourcesDep, x_auth_token: Annotated[str, Header()] = ""
) -> AsyncIterator[WidgetUser]:
    calls: UserCalls = request.app.state.users
    named, user = calls.named_by(x_auth_token), None
    if named is None:
        user = await widget_user(resources, x_auth_token)
        named = (user.account.id, user.user_id)
        calls.remember(x_auth_token, named)
    structlog.contextvars.bind_contextvars(account=named[0])
    async with calls.turn(named):
        user = user or await widget_user(resources, x_auth_token)
        await note_seen(resources, user)
        yield user


UserDep = Annotated[WidgetUser, Depends(_user)]
LeadId = Annotated[int, Path(ge=1, le=2**53 - 1)]
Language = Annotated[str, Query(description="Language of the answer: en, es, pt, tr, id or ru; any other is English.")]

Amounts = Annotated[str, Query(description="`marked`: the explanation writes amounts as `{600.00 USD}`.")]


@router.post("/requests", status_code=201, response_model_exclude_unset=True, openapi_extra=body_of(CreateBody),
             responses={200: {"model": RequestAnswer}})  # fmt: skip
async def create_request(request: Request, response: Response, resources: ResourcesDep, user: UserDep) -> RequestAnswer:
    """Create a payment request: 201 for a new one, 200 if the same one exists already.

    ``replaces`` also cancels the older link. Raises as ``create`` does.
    """
    body = read(CreateBody, await json_body(request))
    access = await check_lead(resources, user.account, user.user_id, body.lead_id, "create")
    if body.replaces is not None:  # replacing cancels the older link
        await check_lead(resources, user.account, user.user_id, body.lead_id, "cancel")
    spec = spec_from(body)
    if not await create(resources, user.account, user.user_id, spec, access.lead):
        response.status_code = 200
    return await _shown_request(resources, user.account, spec.request_id)


@router.get("/deals/{lead_id}", response_model=DealAnswer, response_model_exclude_unset=True)
async def show_deal(
    resources: ResourcesDep, user: UserDep, lead_id: LeadId, lang: Language = "en", amounts: Amounts = ""
) -> Response:
    """Return the deal's payments and requests from our database; an unknown deal has empty lists.

    ``lang``: the language of the explanation. Asks Kommo for rights only. Raises as ``check_lead`` does.
    """
    access = await check_lead(resources, user.account, user.user_id, lead_id, "view")
    shown = Card(
        account_id=user.account.id,
        lead_id=lead_id,
        only_of=user.user_id if access.own_only else None,
        merging=not access.own_only and await is_merging(resources, user.account, access.lead),
        lang=lang,
        marked=amounts == "marked",
        may_create=may(user.account, access, user.user_id, "create"),
        may_refund=may(user.account, access, user.user_id, "refund"),
        may_see_payments=user.user_id in options_of(user.account).finance,
        pipeline_id=access.lead.pipeline_id if access.lead else None,
        tags=tuple(access.lead.tags) if access.lead else (),
    )
    return Response(await card_answer(resources, shown), media_type="application/json")


@router.post("/deals/{lead_id}/check", status_code=202)
async def check_deal(resources: ResourcesDep, user: UserDep, lead_id: LeadId) -> CheckAnswer:
    """Ask Stripe about the deal's open Checkout Sessions and return how many it asked about; the answers are in the
    ledger by then.
    """
    await check_lead(resources, user.account, user.user_id, lead_id, "check")
    return CheckAnswer(asked=await check(resources, user.account.id, lead_id))


@router.post("/requests/{request_id}/cancel", response_model_exclude_unset=True)
async def cancel_request(resources: ResourcesDep, user: UserDep, request_id: str) -> RequestAnswer:
    """Cancel a payment request, so that its link takes no money, and return it.

    Raises ``RequestNotFound``, ``AlreadyPaid`` or ``Conflict``.
    """
    link = await find_request(resources, user.account.id, request_id)
    await check_lead(resources, user.account, user.user_id, link.request.lead_id, "cancel")
    await cancel(resources, user.account.id, request_id)
    return await _shown_request(resources, user.account, request_id)


@router.post("/requests/{request_id}/preview", status_code=201)
async def preview_request(resources: ResourcesDep, user: UserDep, request_id: str) -> PreviewAnswer:
    """Return the address of the payer's page for the user: valid for two minutes, and not counted as opened by the
    client.

    Raises ``RequestNotFound``, also for a colleague's request if the user sees only own ones, and as ``check_lead``
    does.
    """
    link = await find_request(resources, user.account.id, request_id)
    access = await check_lead(resources, user.account, user.user_id, link.request.lead_id, "view")
    if access.own_only and (link.asked is None or link.asked.created_by != user.user_id):
        raise RequestNotFound("There is no such payment.")
    return PreviewAnswer(url=preview_address(resources, link.request))


@router.post("/payments/{payment_id}/refund", status_code=201, openapi_extra=body_of(RefundBody),
             responses={200: {"model": RefundAnswer}})  # fmt: skip
async def refund_payment(
    request: Request, response: Response, resources: ResourcesDep, user: UserDep, payment_id: str
) -> RefundAnswer:
    """Refund a payment in part or in full: 201 for a new refund, 200 if the same one was made already.

    Raises ``PaymentNotFound``, ``Conflict``, ``AmountInvalid`` or ``AmountTooLarge``; Stripe's refusals as ``refund``
    does.
    """
    body = read(RefundBody, await json_body(request))
    found = await find_payment(resources, user.account, payment_id)
    await check_lead(resources, user.account, user.user_id, found.lead_id, "refund")
    made = await refund(resources, user.account, user.user_id, found, body)
    if not made.new:
        response.status_code = 200
    money = made.money
    return RefundAnswer(
        id=made.id, amount=major(money.amount, money.currency), currency=money.currency, state=made.state
    )


@router.post("/setup", status_code=201)
async def open_setup(resources: ResourcesDep, user: UserDep) -> SetupAnswer:
    """Return a link into the set-up pages for an administrator or a user of finance, valid once and for a minute.

    Raises as ``check_standing`` does.
    """
    return SetupAnswer(url=await make_link(resources, user))


async def _shown_request(resources: Resources, account: Account, request_id: str) -> RequestAnswer:
    link = await find_request(resources, account.id, request_id)
    if link.asked is None:
        raise RequestNotFound("This request belongs to the other mode, test or live.")
    return request_answer(link.ledger, link.asked, resources.addresses.public_url)
