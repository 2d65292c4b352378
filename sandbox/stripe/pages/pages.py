"""The pages that a payer sees; they work without JavaScript and without a mouse."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader

from sandbox.stripe.lives import sessions
from sandbox.stripe.lives.checkout import Payer, pay
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore
from sandbox.stripe.prices import currencies
from sandbox.stripe.served import World
from sandbox.stripe.world import StripeWorld

router = APIRouter(include_in_schema=False)
_templates = Environment(loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True)

DECLINED_CARDS = {"4000000000009995": "insufficient_funds", "4000000000000002": "generic_decline"}
DELAYED_NAMES = {
    "sepa_debit": "SEPA direct debit",
    "us_bank_account": "US bank account",
    "bacs_debit": "Bacs direct debit",
}
GOOD_CARDS = ("4242424242424242", "4000002500003155")


@router.get("/c/pay/{session_id}")
async def checkout_page(world: World, session_id: str) -> HTMLResponse:
    world.tick()
    try:
        shelf, session = world.locate(session_id)
    except Refusal:
        return _page("closed.html", 404, title="Page not found", sentence="There is no such payment page.", back=None)
    return _open_or_closed(world, shelf, session)


@router.post("/c/pay/{session_id}")
async def confirm(
    world: World,
    session_id: str,
    email: Annotated[str, Form()] = "",
    card_number: Annotated[str, Form()] = "",
    method: Annotated[str, Form()] = "card",
) -> Response:
    """The payer presses Pay: on to the shop, or the same page with the reason why not."""
    world.tick()
    shelf, session = world.locate(session_id)
    if session["status"] != "open":
        return _open_or_closed(world, shelf, session)
    card = "".join(card_number.split())
    if method == "card" and card not in (*GOOD_CARDS, *DECLINED_CARDS):
        return _open_or_closed(world, shelf, session, "Your card number is invalid.", 402)
    outcome = "delayed" if method != "card" else "declined" if card in DECLINED_CARDS else "paid"
    given = None if _email_locked(world, session) else email.strip() or None
    payer = Payer(outcome, given, decline_code=DECLINED_CARDS.get(card, "generic_decline"))
    pay(shelf, session, payer)
    if outcome == "declined":
        return _open_or_closed(world, shelf, session, "Your card was declined. Try another one.", 402)
    return RedirectResponse(_success(session), 303)


@router.get("/c/receipt/{payment_id}")
async def receipt(world: World, payment_id: str) -> HTMLResponse:
    """What a charge's ``receipt_url`` leads to."""
    _, intent = world.locate(payment_id)
    amount = f"{currencies.major(intent['amount_received'], intent['currency'])} {intent['currency'].upper()}"
    return _page("closed.html", 200, title="Receipt", sentence=f"{amount} was paid.", back=None)


@router.get("/c/recover/{session_id}")
async def recover(world: World, session_id: str) -> Response:
    """The recovery link of an expired session opens a new one that copies it."""
    shelf, old = world.locate(session_id)
    recovery = (old["after_expiration"] or {}).get("recovery") or {}
    if world.ground.now >= (recovery.get("expires_at") or 0):
        return _closed("This link has expired", "The shop can send you a new one.", old)
    params = {name: value for name, value in shelf.asked[old["id"]].items() if name != "expires_at"}
    return RedirectResponse(sessions.create(shelf, params, recovered_from=old["id"])["url"], 303)


def _success(session: Obj) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _open_or_closed(
    world: StripeWorld, shelf: ObjectStore, session: Obj, problem: str = "", status: int = 200
) -> HTMLResponse:
    if session["status"] == "complete":
        return _closed("You're all done here", "This payment has been completed.", session)
    if session["status"] == "expired":
        return _closed("This page has expired", "The payment link is no longer valid.", session)
    return _page(
        "checkout.html",
        status,
        session=session,
        merchant=world.accounts[shelf.account_id].name,
        lines=[_line(line) for line in shelf.lines[session["id"]]],
        total=currencies.major(session["amount_total"], session["currency"]),
        email_locked=_email_locked(world, session),
        delayed=DELAYED_NAMES.get(sessions.delayed_method(session) or ""),
        problem=problem,
        test=not shelf.livemode,
    )


def _email_locked(world: StripeWorld, session: Obj) -> bool:
    return bool(session["customer_email"]) and world.ground.switches["customer_email"] == "locked"


def _line(line: Obj) -> Obj:
    amount, repeat = currencies.major(line["amount_total"], line["currency"]), line["price"]["recurring"]
    if repeat:
        amount += f" every {repeat['interval_count']} {repeat['interval']}(s)"
    return {"name": line["description"], "quantity": line["quantity"], "amount": amount}


def _closed(title: str, sentence: str, session: Obj) -> HTMLResponse:
    return _page("closed.html", 200, title=title, sentence=sentence, back=session["cancel_url"])


def _page(template: str, status: int, **values: object) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(**values), status)
