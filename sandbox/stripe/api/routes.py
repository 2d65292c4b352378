"""Every route of the API, with the permission that a restricted key needs for it."""

from sandbox.stripe.api import endpoints, events, reads, refunds, sessions, writes
from sandbox.stripe.api.call import Route

SESSION, SUBSCRIPTION = "rak_checkout_session", "rak_subscription"
ROUTES = (
    Route("POST", "/v1/checkout/sessions", SESSION, "write", sessions.create),
    Route("GET", "/v1/checkout/sessions", SESSION, "read", reads.sessions),
    Route("GET", "/v1/checkout/sessions/{session}", SESSION, "read", reads.one("checkout.session", "session")),
    Route("POST", "/v1/checkout/sessions/{session}", SESSION, "write", sessions.update),
    Route("POST", "/v1/checkout/sessions/{session}/expire", SESSION, "write", sessions.expire),
    Route("GET", "/v1/checkout/sessions/{session}/line_items", SESSION, "read", reads.session_lines),
    Route("GET", "/v1/payment_intents", "rak_payment_intent", "read", reads.many("payment_intent", "customer")),
    Route("GET", "/v1/payment_intents/{intent}", "rak_payment_intent", "read", reads.one("payment_intent", "intent")),
    Route("GET", "/v1/charges", "rak_charge", "read", reads.many("charge", "payment_intent", "customer")),
    Route("GET", "/v1/charges/{charge}", "rak_charge", "read", reads.one("charge")),
    Route("GET", "/v1/balance_transactions/{id}", "rak_balance", "read", reads.one("balance_transaction")),
    Route("GET", "/v1/invoices", "rak_invoice", "read", reads.invoices),
    Route("GET", "/v1/invoices/{invoice}", "rak_invoice", "read", reads.one("invoice", "invoice")),
    Route("GET", "/v1/invoice_payments", "invoice_payment_slug", "read", reads.invoice_payments),
    Route(
        "GET", "/v1/invoice_payments/{invoice_payment}", "invoice_payment_slug", "read", reads.one("invoice_payment")
    ),
    Route("GET", "/v1/subscriptions", SUBSCRIPTION, "read", reads.many("subscription", "customer", "status")),
    Route("GET", "/v1/subscriptions/{subscription_exposed_id}", SUBSCRIPTION, "read", reads.one("subscription")),
    Route("POST", "/v1/refunds", "refund_slug", "write", refunds.create),
    Route("GET", "/v1/refunds", "refund_slug", "read", reads.many("refund", "payment_intent", "charge")),
    Route("GET", "/v1/refunds/{refund}", "refund_slug", "read", reads.one("refund", "refund")),
    Route("GET", "/v1/disputes", "dispute_slug", "read", reads.many("dispute", "payment_intent", "charge")),
    Route("GET", "/v1/disputes/{dispute}", "dispute_slug", "read", reads.one("dispute", "dispute")),
    Route("GET", "/v1/customers", "rak_customer", "read", reads.many("customer", "email")),
    Route("GET", "/v1/customers/{customer}", "rak_customer", "read", reads.one("customer")),
    Route("POST", "/v1/customers", "rak_customer", "write", writes.create_customer),
    Route(
        "POST", "/v1/subscriptions/{subscription_exposed_id}", "rak_subscription", "write", writes.update_subscription
    ),
    Route("GET", "/v1/products", "rak_product", "read", reads.many("product", "active")),
    Route("GET", "/v1/products/{id}", "rak_product", "read", reads.one("product")),
    Route("GET", "/v1/prices", "rak_plan", "read", reads.many("price", "product", "type", "currency")),
    Route("GET", "/v1/prices/{price}", "rak_plan", "read", reads.one("price", "price")),
    Route("GET", "/v1/events", "event_slug", "read", events.many),
    Route("GET", "/v1/events/{id}", "event_slug", "read", events.one),
    Route("POST", "/v1/webhook_endpoints", "webhook_slug", "write", endpoints.create),
    Route("GET", "/v1/webhook_endpoints", "webhook_slug", "read", endpoints.many),
    Route("GET", "/v1/webhook_endpoints/{webhook_endpoint}", "webhook_slug", "read", endpoints.one),
    Route("POST", "/v1/webhook_endpoints/{webhook_endpoint}", "webhook_slug", "write", endpoints.update),
    Route("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", "webhook_slug", "write", endpoints.delete),
    Route("GET", "/v1/account", "account_slug", "read", reads.account),
)
