"""The parameters of a Checkout Session, as a function of the request: repeated calls return identical parameters.

An idempotency key is valid for one set of parameters only (docs/facts/stripe.md B3).
"""

from dataclasses import dataclass
from typing import Any

from backend.storage.models import PaymentRequest

PINNED = {name: {"enabled": False} for name in ("adaptive_pricing", "automatic_tax", "managed_payments")}
"""Stripe account defaults that would change the seller, the amount or the currency (docs/facts/stripe.md B5)."""


def link_address(public_url: str, token: str) -> str:
    """Return the permanent address that is sent to the client."""
    return f"{public_url}/p/{token}"


AUTO = "auto"
"""Checkout uses the browser's language."""
LOCALES = {"en": "en", "es": "es", "pt": "pt-BR", "tr": "tr", "id": "id", "ru": "ru"}
"""Stripe's locale for each language of our pages (docs/facts/stripe-finance.md 5.5)."""


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What a session's parameters need besides the request.

    ``email``: the payer's, or None. ``public_url``: our address. ``kommo_url``: the account's address.
    ``language``: that of the link, or None.
    """

    email: str | None
    public_url: str
    kommo_url: str
    language: str | None = None


def locale_of(language: str | None) -> str:
    """Return Stripe's locale for a language code; without one, that for the browser's language."""
    return LOCALES.get(language or "", AUTO)


def session_params(request: PaymentRequest, context: SessionContext) -> dict[str, Any]:
    """Return the parameters of a hosted Checkout Session for ``request``, as ``POST /v1/checkout/sessions`` takes them.

    The payer can change neither amount nor currency.
    """
    marks = _marks(request, context.kommo_url)
    link = link_address(context.public_url, request.link_token)
    params: dict[str, Any] = {
        "mode": request.mode,
        "line_items": [{"quantity": 1, "price_data": _price(request)}],
        "client_reference_id": str(request.lead_id),
        "metadata": marks,
        "success_url": f"{link}/thanks",
        "cancel_url": f"{link}/back",
        "locale": locale_of(context.language),
        **PINNED,
    }
    # Metadata of a session is copied to nothing: the payment has its own (docs/facts/stripe.md B1).
    params["payment_intent_data" if request.mode == "payment" else "subscription_data"] = {"metadata": marks}
    return params | ({"customer_email": context.email} if context.email else {})


def _price(request: PaymentRequest) -> dict[str, Any]:
    price: dict[str, Any] = {
        "currency": request.currency.lower(),
        "unit_amount": request.amount,
        "product_data": {"name": request.description},
    }
    if request.mode == "subscription":
        price["recurring"] = {"interval": request.interval, "interval_count": request.interval_count or 1}
    return price


def _marks(request: PaymentRequest, kommo_url: str) -> dict[str, str]:
    marks = {
        "kommo_lead_id": str(request.lead_id),
        "kommo_account_id": str(request.account_id),
        "kommo_request_id": request.id,
        "kommo_lead_url": f"{kommo_url}/leads/detail/{request.lead_id}",
    }
    return marks | ({"kommo_contact_id": str(request.contact_id)} if request.contact_id else {})
