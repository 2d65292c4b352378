"""The parameters of a Checkout Session, as a function of the request: asked again, they are the same to the byte.

They must be, since an idempotency key is good for one set of parameters only.
"""

from dataclasses import dataclass
from typing import Any

from backend.storage.models import PaymentRequest

PINNED = {name: {"enabled": False} for name in ("adaptive_pricing", "automatic_tax", "managed_payments")}
"""Defaults of the Stripe account that would change the seller, the amount or the currency of what a rep asked for."""


def link_address(public_url: str, token: str) -> str:
    """The permanent address that is sent to the client."""
    return f"{public_url}/p/{token}"


AUTO = "auto"
"""Checkout speaks as the browser does."""
LOCALES = {"en": "en", "es": "es", "pt": "pt-BR", "tr": "tr", "id": "id", "ru": "ru"}
"""What Stripe calls the languages of our pages."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a session's parameters need besides the request: the payer's e-mail, our address, the deal's in Kommo."""

    email: str | None
    public_url: str
    kommo_url: str
    language: str | None = None


def locale_of(language: str | None) -> str:
    """What Stripe calls ``language``; as the browser speaks where none is named."""
    return LOCALES.get(language or "", AUTO)


def session_params(request: PaymentRequest, around: Around) -> dict[str, Any]:
    """Hosted Checkout for ``request``. The amount can't be changed by the payer, and no other currency is offered."""
    marks = _marks(request, around.kommo_url)
    link = link_address(around.public_url, request.link_token)
    params: dict[str, Any] = {
        "mode": request.mode,
        "line_items": [{"quantity": 1, "price_data": _price(request)}],
        "client_reference_id": str(request.lead_id),
        "metadata": marks,
        "success_url": f"{link}/thanks",
        "cancel_url": f"{link}/back",
        "locale": locale_of(around.language),
        **PINNED,
    }
    # Metadata of a session is copied to nothing: the payment has its own.
    params["payment_intent_data" if request.mode == "payment" else "subscription_data"] = {"metadata": marks}
    return params | ({"customer_email": around.email} if around.email else {})


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
