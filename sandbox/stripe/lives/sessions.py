"""Checkout Sessions: made, expired by call or by the clock."""

from typing import Any

from sandbox.stripe.lives import session_rules
from sandbox.stripe.objects import defaults
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore
from sandbox.stripe.prices import currencies, prices

RECOVERY_LIFE = 30 * 86400
AT_ONCE = ("card", "link")
DELAYED = {"eur": "sepa_debit", "usd": "us_bank_account", "gbp": "bacs_debit"}
"""The delayed method that the account's dashboard allows, by currency."""
COPIED = (
    "after_expiration allow_promotion_codes billing_address_collection cancel_url client_reference_id "
    "consent_collection customer customer_email customer_creation locale submit_type success_url ui_mode "
    "allowed_payment_method_types excluded_payment_method_types origin_context"
).split()


def create(shelf: ObjectStore, params: Obj, **fields: Any) -> Obj:
    """An open session of checked parameters, or a ``Refusal`` that leaves nothing behind."""
    session_rules.check(params, shelf.ground)
    if "customer" in params:
        shelf.get("customer", params["customer"], "customer")
    lines = prices.line_items(shelf, params.get("line_items", []))
    due = [line for line in lines if not (_has_trial(params) and line["price"]["type"] == "recurring")]
    total, currency = sum(line["amount_total"] for line in due), lines[0]["currency"] if lines else None
    if currency is not None:
        currencies.check_total(total, currency, "line_items", shelf.ground.switches)
    session = _object(shelf, params) | {"amount_subtotal": total, "amount_total": total, "currency": currency} | fields
    shelf.asked[session["id"]], shelf.lines[session["id"]] = params, lines
    shelf.open[session["id"]] = session
    return shelf.add(session)


def _has_trial(params: Obj) -> bool:
    asked = params.get("subscription_data", {})
    return "trial_period_days" in asked or "trial_end" in asked


def _object(shelf: ObjectStore, params: Obj) -> Obj:
    ground, id = shelf.ground, shelf.ground.new_id(f"cs_{shelf.mode}_a1", 58)
    basis = {
        "id": id,
        "object": "checkout.session",
        "created": ground.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"))
        | params.get("custom_text", {}),
        "expires_at": params.get("expires_at", ground.now + session_rules.A_DAY),
        "invoice_creation": _invoice_creation(params),
        "livemode": shelf.livemode,
        "metadata": dict(params.get("metadata", {})),
        "mode": params["mode"],
        "payment_method_options": {},
        "payment_method_types": methods(params),
        "payment_status": "no_payment_required" if params["mode"] == "setup" else "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False} | params.get("phone_number_collection", {}),
        "shipping_options": [],
        "status": "open",
        "tax_id_collection": {"enabled": False, "required": "never"},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{ground.base_url}/c/pay/{id}",
    }
    copied = {name: params[name] for name in COPIED if name in params}
    basis |= defaults.pinned(params, ground.switches["account_defaults"])
    return blank("checkout.session") | basis | _creation_default(params) | copied | _recovery(params)


def methods(params: Obj) -> list[str]:
    """The payment methods a session offers: the account's dynamic set, filtered."""
    lines: list[Obj] = params.get("line_items", [])
    currency = lines[0].get("price_data", {}).get("currency", "") if lines else ""
    dynamic = [*AT_ONCE, *(method for only, method in DELAYED.items() if only == currency.lower())]
    wanted = params.get("allowed_payment_method_types") or dynamic
    refused = params.get("excluded_payment_method_types", ())
    return [method for method in dynamic if method in wanted and method not in refused] or ["card"]


def delayed_method(session: Obj) -> str | None:
    return next((method for method in session["payment_method_types"] if method in DELAYED.values()), None)


def _creation_default(params: Obj) -> Obj:
    if "customer" in params or params["mode"] not in ("payment", "setup"):
        return {}
    return {"customer_creation": "if_required"}


def _recovery(params: Obj) -> Obj:
    recovery = params.get("after_expiration", {}).get("recovery")
    if recovery is None:
        return {}
    unborn = {"allow_promotion_codes": False, "expires_at": None, "url": None}
    return {"after_expiration": {"recovery": unborn | recovery}}


def _invoice_creation(params: Obj) -> Obj | None:
    if params["mode"] != "payment":
        return None
    asked = params.get("invoice_creation", {"enabled": False})
    unsaid = dict.fromkeys("account_tax_ids custom_fields description footer issuer rendering_options".split())
    data = unsaid | {"metadata": {}} | asked.get("invoice_data", {})
    return {"enabled": asked["enabled"], "invoice_data": data}


def expire(shelf: ObjectStore, session: Obj) -> Obj:
    """Stripe's expire call: only while open, and not while a payment is under way."""
    if session["status"] != "open":
        status = session["status"]
        sentence = f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {status}.'
        raise Refusal(sentence, param="session", began=True)
    if session["id"] in shelf.paying and shelf.ground.switches["expire_while_paying"] == "refused":
        raise Refusal("This Checkout Session can't be expired: a payment is being processed.", began=True)
    _end(shelf, session)
    return session


def expire_due(shelf: ObjectStore) -> None:
    """End every open session whose time has come by the clock."""
    for id, session in list(shelf.open.items()):
        if session["status"] != "open":
            del shelf.open[id]
        elif session["expires_at"] <= shelf.ground.now:
            _end(shelf, session)


def _end(shelf: ObjectStore, session: Obj) -> None:
    session |= {"status": "expired", "url": None}
    recovery = (session["after_expiration"] or {}).get("recovery")
    if recovery and recovery["enabled"]:
        recovery["url"] = f"{shelf.ground.base_url}/c/recover/{session['id']}"
        recovery["expires_at"] = shelf.ground.now + RECOVERY_LIFE
    shelf.paying.discard(session["id"])
    shelf.emit("checkout.session.expired", session)
