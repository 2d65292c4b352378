"""The calls that we make to Stripe. Answers are plain dicts; every failure is one of two kinds.

``Refused`` is Stripe's definite refusal, in words that a rep can act on. ``Unreachable`` means that the outcome is
unknown; the same call with the same idempotency key may be made again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import stripe

from backend.core.telemetry.traces import OUT, span
from backend.stripe_api.answers import Answer, answered, named_failures
from backend.stripe_api.errors import KeyRefused, Refused, Unreachable

__all__ = ["Answer", "KeyRefused", "Refused", "StripeApi", "Unreachable", "http_client"]

stripe.enable_telemetry = False  # it would write to the home folder and tell Stripe about this machine

PINNED_VERSION = stripe.api_version
TIMEOUT_SECONDS = 15.0
DESCRIPTION = "Stripe payments in the Kommo deal card"
"""The description of the webhook endpoints that we create; the merchant's own endpoints are left alone."""

MOST_TYPES = 20
"""The number of types in one call for a list of events (docs.stripe.com/api/events/list)."""

NOWHERE = "none_of_ours"
"""An id that does not exist: Stripe answers 404 if the key has the permission (docs/facts/stripe.md A5)."""
PROBES = (
    ("post", f"/v1/checkout/sessions/{NOWHERE}/expire"),
    ("post", "/v1/checkout/sessions"),
    ("post", f"/v1/webhook_endpoints/{NOWHERE}"),
    ("post", "/v1/webhook_endpoints"),
    ("get", "/v1/payment_intents?limit=1"),
    ("get", "/v1/charges?limit=1"),
    ("get", "/v1/invoices?limit=1"),
    ("get", "/v1/invoice_payments?limit=1"),
    ("get", "/v1/subscriptions?limit=1"),
    ("get", "/v1/refunds?limit=1"),
    ("get", "/v1/disputes?limit=1"),
    ("get", "/v1/events?limit=1"),
)
"""One call for each permission that we use; none of them creates anything.

A write to an object that does not exist fails only for a missing permission. A creation without parameters may be
refused for its parameters first, but is tried all the same: it may need a permission of its own.
"""


def http_client() -> stripe.HTTPXClient:
    """Return a connection pool for all keys. It loads the CA bundle, so a process creates
    one (docs/facts/stripe.md A1)."""
    return TracedClient(timeout=TIMEOUT_SECONDS)


class TracedClient(stripe.HTTPXClient):
    """An HTTP client that records a span for each request, including each retry by Stripe's library."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Return (body, status, headers) of the answer, as the SDK's own client does."""
        with span(f"Stripe {method.upper()}", OUT, {"url.path": urlsplit(url).path}) as noted:
            answer = await super().request_async(method, url, headers, post_data)
            noted.set_attribute("http.response.status_code", answer[1])
            return answer


class StripeApi:
    """The calls for one Stripe account and mode, under its key.

    Each call raises ``Refused`` (with status 404 for an unknown id) or ``Unreachable``.
    """

    def __init__(self, api_key: str, *, api_base: str, http: stripe.HTTPXClient) -> None:
        self._client = stripe.StripeClient(
            api_key, base_addresses={"api": api_base}, http_client=http, max_network_retries=2
        )

    async def create_session(self, params: Mapping[str, Any], idempotency_key: str) -> Answer:
        """Create a Checkout Session and return it; the parameters are those of ``POST /v1/checkout/sessions``."""
        call = self._client.v1.checkout.sessions.create_async(
            dict(params),  # type: ignore[arg-type]
            {"idempotency_key": idempotency_key},
        )
        return await answered(call, "checkout.session")

    async def session(self, session_id: str) -> Answer:
        """Return the Checkout Session with this id."""
        return await answered(self._client.v1.checkout.sessions.retrieve_async(session_id), "checkout.session")

    async def expire_session(self, session_id: str) -> Answer:
        """Expire an open Checkout Session and return it. Stripe refuses for a session that is not open."""
        return await answered(self._client.v1.checkout.sessions.expire_async(session_id), "checkout.session")

    async def close_session(self, session_id: str) -> Answer:
        """Expire the session, or fetch it if Stripe refuses that. The status of the returned session decides.

        It may be complete, expired, or open while a payment is being made (docs/facts/stripe.md B2).
        """
        try:
            return await self.expire_session(session_id)
        except Refused as refusal:
            if refusal.status in (401, 403, 404):
                raise
        return await self.session(session_id)

    async def payment_intent(self, payment_intent_id: str) -> Answer:
        """Return the PaymentIntent, with ``latest_charge`` expanded if the key may read charges, else with its id.

        Raises ``Refused`` or ``Unreachable``.
        """
        retrieve = self._client.v1.payment_intents.retrieve_async
        try:
            return await answered(retrieve(payment_intent_id, {"expand": ["latest_charge"]}), "payment_intent")
        except Refused as refusal:
            if refusal.status != 403:
                raise
        return await answered(retrieve(payment_intent_id), "payment_intent")

    async def invoice(self, invoice_id: str) -> Answer:
        """Return the invoice with this id."""
        return await answered(self._client.v1.invoices.retrieve_async(invoice_id), "invoice")

    async def invoice_payments(self, invoice_id: str) -> list[Answer]:
        """Return the paid InvoicePayments of an invoice; empty while Stripe has not created them
        yet (docs/facts/stripe.md C1)."""
        call = self._client.v1.invoice_payments.list_async({"invoice": invoice_id, "status": "paid", "limit": 100})
        rows: list[Answer] = (await answered(call, "list"))["data"]
        return rows

    async def refund(
        self, payment: str, amount: int, reason: str | None, idempotency_key: str, metadata: Mapping[str, str]
    ) -> Answer:
        """Refund ``amount`` (minor units) of a PaymentIntent or charge, and return the Refund.

        ``reason``: duplicate, fraudulent, requested_by_customer, or None.
        """
        params: dict[str, Any] = {"amount": amount, "metadata": dict(metadata)}
        params["charge" if payment.startswith(("ch_", "py_")) else "payment_intent"] = payment
        if reason:
            params["reason"] = reason
        options: Any = {"idempotency_key": idempotency_key}
        return await answered(self._client.v1.refunds.create_async(params, options), "refund")  # type: ignore[arg-type]

    async def refunds_of(self, payment: str) -> list[Answer]:
        """Return the newest hundred refunds of a PaymentIntent or charge."""
        by = "charge" if payment.startswith(("ch_", "py_")) else "payment_intent"
        call = self._client.v1.refunds.list_async({by: payment, "limit": 100})  # type: ignore[arg-type]
        rows: list[Answer] = (await answered(call, "list"))["data"]
        return rows

    async def events(self, types: Sequence[str], since: float, until: float) -> AsyncIterator[Answer]:
        """Yield all events of these types, in no order. ``since`` and ``until``: epoch seconds, both included.

        Stripe lists the events of the last 30 days (docs/facts/stripe.md D).
        """
        for start in range(0, len(types), MOST_TYPES):
            asked: dict[str, Any] = {
                "types": list(types[start : start + MOST_TYPES]),
                "created": {"gte": int(since), "lte": int(until)},
                "limit": 100,
            }
            while True:
                call = self._client.v1.events.list_async(asked)  # type: ignore[arg-type]
                page = await answered(call, "list")
                for event in page["data"]:
                    yield event
                if not page["has_more"]:
                    break
                asked["starting_after"] = page["data"][-1]["id"]

    async def missing_permissions(self) -> list[str]:
        """Return Stripe's names of the permissions that the key lacks, or the path of a probe if Stripe names none.

        The probes change nothing. Raises ``KeyRefused`` for a wrong key, and ``Unreachable``.
        """
        missing: list[str] = []
        for method, path in PROBES:
            try:
                await self._probe(method, path)
            except KeyRefused:
                raise
            except Refused as error:
                if error.status == 403:
                    missing += error.permissions or [path]
        return sorted(set(missing))

    async def _probe(self, method: str, path: str) -> None:
        with named_failures():
            await self._client.raw_request_async(method, path)

    async def account(self) -> Answer:
        """Return the key's own Stripe account; few restricted keys may read it (docs/facts/stripe.md F)."""
        return await answered(self._client.v1.accounts.retrieve_current_async(), "account")

    async def create_endpoint(self, url: str, events: Sequence[str], idempotency_key: str) -> Answer:
        """Create a webhook endpoint with the pinned API version. Only this answer holds its ``secret``."""
        params: Any = {
            "url": url,
            "enabled_events": list(events),
            "api_version": PINNED_VERSION,
            "description": DESCRIPTION,
        }
        options: Any = {"idempotency_key": idempotency_key}
        return await answered(self._client.v1.webhook_endpoints.create_async(params, options), "webhook_endpoint")

    async def endpoint(self, endpoint_id: str) -> Answer:
        """Return the webhook endpoint with this id."""
        return await answered(self._client.v1.webhook_endpoints.retrieve_async(endpoint_id), "webhook_endpoint")

    async def endpoints(self) -> list[Answer]:
        """Return the account's webhook endpoints, at most 100: Stripe allows 16 (docs/facts/stripe.md F)."""
        call = self._client.v1.webhook_endpoints.list_async({"limit": 100})
        rows: list[Answer] = (await answered(call, "list"))["data"]
        return rows

    async def update_endpoint(self, endpoint_id: str, events: Sequence[str], url: str) -> Answer:
        """Set address and event types of a webhook endpoint, enable it, and return it."""
        params: Any = {"enabled_events": list(events), "url": url, "disabled": False}
        return await answered(self._client.v1.webhook_endpoints.update_async(endpoint_id, params), "webhook_endpoint")

    async def delete_endpoint(self, endpoint_id: str) -> None:
        """Delete the webhook endpoint with this id."""
        await answered(self._client.v1.webhook_endpoints.delete_async(endpoint_id), "webhook_endpoint")
